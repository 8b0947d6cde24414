// What was computed with a patient who withdrew: emptied (security.md C10). A draft is blocked; what a steward has approved stays where it
// is in its course, and is refused before it would leave (CONSENT_CHANGED).
import type { Store } from '#site/store/index.ts';

export interface BlockedDraft {
  readonly updateId: string;
  readonly researchStudyId: string;
  readonly round: number;
}

/** The drafts that are blocked by it. Belongs into the caller's transaction. */
export function eraseUpdates(store: Store, cohortIds: readonly string[]): BlockedDraft[] {
  const list = JSON.stringify(cohortIds);
  const runs = `SELECT run_id FROM training_run WHERE cohort_id IN (SELECT value FROM json_each(?))`;
  // Weights and the optimizer's memory of them.
  store.prepare(`UPDATE training_run SET tensors = NULL WHERE run_id IN (${runs})`).run(list);
  store.prepare(`UPDATE model_update SET payload = x'' WHERE run_id IN (${runs})`).run(list);
  // One that may have arrived is kept as it is: only the consortium can open it, and with it the site asks for its receipt again.
  store
    .prepare(
      `UPDATE outbox SET sealed_file = x'' WHERE (attempt_count = 0 OR received_at IS NOT NULL)
      AND update_id IN (SELECT update_id FROM model_update WHERE run_id IN (${runs}))`,
    )
    .run(list);
  const block = store.prepare(
    `UPDATE model_update SET state = 'blocked' WHERE state = 'draft' AND run_id IN (${runs})
    RETURNING update_id AS updateId, research_study_id AS researchStudyId, round`,
  );
  return block.all(list) as BlockedDraft[];
}
