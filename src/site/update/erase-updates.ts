// What was computed with a patient who withdrew and has not left: emptied (security.md C10). The update itself stays where it is in its
// course: before it would leave, its consents are asked again, and it is refused (CONSENT_CHANGED).
import type { Store } from '#site/store/index.ts';

/** Belongs into the caller's transaction. */
export function eraseUpdates(store: Store, cohortIds: readonly string[]): void {
  const list = JSON.stringify(cohortIds);
  const runs = `SELECT run_id FROM training_run WHERE cohort_id IN (SELECT value FROM json_each(?))`;
  // Weights and the optimizer's memory of them.
  store.prepare(`UPDATE training_run SET tensors = NULL WHERE run_id IN (${runs})`).run(list);
  const updates = `SELECT update_id FROM model_update WHERE state <> 'received' AND run_id IN (${runs})`;
  store.prepare(`UPDATE model_update SET payload = x'' WHERE update_id IN (${updates})`).run(list);
  // One that may have arrived is kept as it is: only the consortium can open it, and with it asks for its receipt again.
  store
    .prepare(`UPDATE outbox SET sealed_file = x'' WHERE attempt_count = 0 AND update_id IN (${updates})`)
    .run(list);
}
