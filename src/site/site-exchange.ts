// What goes to the consortium and comes from it, over the network or on a medium: one at a time for a site.
import type { Actor } from '#site/audit/index.ts';
import type { BundleExport, BundleImport, SyncResult } from '#site/sync/index.ts';
import { type BundleOrder, readBundle, writeBundle } from './site-bundle.ts';
import { type SyncStages, syncSite } from './site-sync.ts';

/** What brings records to and from the consortium. */
export interface SiteExchange {
  /** Whoever asks while a sync is under way is given the result of that one. */
  sync(actor: Actor): Promise<SyncResult>;
  writeBundle(order: BundleOrder, actor: Actor): Promise<BundleExport>;
  readBundle(directory: string, actor: Actor): Promise<BundleImport>;
}

/** One at a time for a site: each goes on from what the one before it left. */
export function openExchange(stages: SyncStages): SiteExchange {
  let running: Promise<SyncResult> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work, work);
    last = turn.catch(() => undefined);
    return turn;
  };
  return {
    sync: (actor) => {
      running ??= inTurn(() => syncSite(stages, actor)).finally(() => {
        running = undefined;
      });
      return running;
    },
    writeBundle: (order, actor) => inTurn(() => writeBundle(stages, order, actor)),
    readBundle: (directory, actor) => inTurn(() => readBundle(stages, directory, actor)),
  };
}
