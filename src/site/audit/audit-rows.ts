// Reads the log's tables from front to back, up to a size, without holding them in memory.
import type { StoredDetail, StoredLeaf } from '#federation/log/log-storage.ts';
import type { Store } from '#site/store/index.ts';

/** Entries 0 to `size` - 1, all without a size. */
export function* auditLeaves(
  store: Store,
  size = Number.MAX_SAFE_INTEGER,
): Iterable<Omit<StoredLeaf, 'seq'>> {
  const rows = store
    .prepare('SELECT line, leaf_hash AS leafHash FROM audit_leaf WHERE seq < ? ORDER BY seq')
    .iterate(size);
  for (const row of rows) yield row as Omit<StoredLeaf, 'seq'>;
}

/** Details of those entries; erased ones are absent. */
export function* auditDetails(store: Store, size = Number.MAX_SAFE_INTEGER): Iterable<StoredDetail> {
  const rows = store
    .prepare('SELECT seq, salt, detail FROM audit_detail WHERE seq < ? ORDER BY seq')
    .iterate(size);
  for (const row of rows) yield row as StoredDetail;
}

/** Checkpoints up to that size, oldest first. */
export function auditCheckpoints(store: Store, size = Number.MAX_SAFE_INTEGER): string[] {
  const rows = store.prepare('SELECT note FROM audit_checkpoint WHERE size <= ? ORDER BY size').all(size);
  return rows.map((row) => (row as { note: string }).note);
}
