// What the consortium holds of a site's log: size and root of each checkpoint that the site showed, and of each update it sent.
import type { ConsortiumStore } from '#consortium/store/index.ts';
import { refusal } from './intake-error.ts';

export interface LogState {
  readonly size: number;
  /** Lower-case hexadecimal. */
  readonly rootHash: string;
}

/** Stops a site from showing two logs of one size (fork, A4). @throws IntakeError LOG_ROLLBACK. */
export function refuseFork(store: ConsortiumStore, siteId: string, found: LogState): void {
  const { query } = store;
  const shown = query
    .selectFrom('site_checkpoint')
    .select('root_hash')
    .where('site_id', '=', siteId)
    .where('size', '=', found.size)
    .where('root_hash', '!=', found.rootHash);
  const stated = query
    .selectFrom('received_update')
    .select('audit_root_hash as root_hash')
    .where('site_id', '=', siteId)
    .where('audit_size', '=', found.size)
    .where('audit_root_hash', '!=', found.rootHash);
  const other = store.get(shown.unionAll(stated).limit(1));
  if (other === undefined) return;
  const expected: LogState = { size: found.size, rootHash: other.root_hash };
  throw refusal('LOG_ROLLBACK', 'rootHash', { expected, found });
}

/** Stops a log that was cut, or an older copy put back, since `heldSize` was seen (A4, A6). @throws IntakeError LOG_ROLLBACK. */
export function refuseShorter(heldSize: number, { size }: LogState): void {
  if (size < heldSize) throw refusal('LOG_ROLLBACK', 'size', { expected: heldSize, found: size });
}

/** Largest size that this site's updates state, of one research study or of all; 0 before the first. */
export function statedSize(store: ConsortiumStore, siteId: string, researchStudyId?: string): number {
  const updates = store.query
    .selectFrom('received_update')
    .select('audit_size')
    .where('site_id', '=', siteId);
  const asked =
    researchStudyId === undefined ? updates : updates.where('research_study_id', '=', researchStudyId);
  return store.get(asked.orderBy('audit_size', 'desc').limit(1))?.audit_size ?? 0;
}
