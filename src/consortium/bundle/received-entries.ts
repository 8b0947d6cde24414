// Where the receipts of a site's updates stand in the consortium's log.
import type { ConsortiumStore } from '#consortium/store/index.ts';
import { parseLeaf } from '#federation/log/leaf.ts';

/** Place of the entry that counted an update, by its digest: one pass over the log. */
export function receivedEntries(
  { query, all }: ConsortiumStore,
  siteId: string,
): ReadonlyMap<string, number> {
  const leaves = query
    .selectFrom('log_leaf')
    .select(['seq', 'line'])
    .where('line', 'like', '%update-received%');
  const places = new Map<string, number>();
  for (const { seq, line } of all(leaves.orderBy('seq'))) {
    const { action, actor, object, outcome, reason } = parseLeaf(line);
    const isCounted = action === 'update-received' && outcome === 'success' && reason === null;
    if (isCounted && actor === `site:${siteId}` && object !== null)
      places.set(object.replace(/^update:/, ''), seq);
  }
  return places;
}
