// The numbers of the offline bundles between the consortium and each site.
import { isoTime } from '#base/clock.ts';
import type { ConsortiumSchema, ConsortiumStore } from '#consortium/store/index.ts';

type OfflineBundle = ConsortiumSchema['offline_bundle'];

/** All of a site and kind, by number. */
export function loadBundles(
  { query, all }: ConsortiumStore,
  { siteId, kind }: { readonly siteId: string; readonly kind: OfflineBundle['kind'] },
): Map<number, OfflineBundle> {
  const rows = query.selectFrom('offline_bundle').selectAll().where('site_id', '=', siteId);
  const found = all(rows.where('kind', '=', kind).orderBy('sequence'));
  return new Map(found.map((row) => [row.sequence, row]));
}

/** In the caller's transaction, with the log entry. */
export function saveBundle(store: ConsortiumStore, bundle: Omit<OfflineBundle, 'moved_at'>): void {
  const row = { ...bundle, moved_at: isoTime(store.clock.nowMs()) };
  store.run(store.query.insertInto('offline_bundle').values(row));
}
