// The numbers of the offline bundles that this site wrote and read.
import { isoTime } from '#base/clock.ts';
import type { OfflineBundleTable, Store } from '#site/store/index.ts';

type Kind = OfflineBundleTable['kind'];

/** All of a kind, by number. */
export function loadBundles({ query, all }: Store, kind: Kind): Map<number, OfflineBundleTable> {
  const rows = all(
    query.selectFrom('offline_bundle').selectAll().where('kind', '=', kind).orderBy('sequence'),
  );
  return new Map(rows.map((row) => [row.sequence, row]));
}

/** The highest number of a kind; 0 before the first. */
export function lastSequence(bundles: ReadonlyMap<number, OfflineBundleTable>): number {
  return [...bundles.keys()].at(-1) ?? 0;
}

/** In the caller's transaction, with the audit event. */
export function saveBundle(store: Store, bundle: Omit<OfflineBundleTable, 'moved_at'>): void {
  const row = { ...bundle, moved_at: isoTime(store.clock.nowMs()) };
  store.run(store.query.insertInto('offline_bundle').values(row));
}
