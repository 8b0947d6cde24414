// Counts what leaves and what comes, by kind, for this sync and for the life of the site: the steward can see it added up.
import { z } from 'zod';
import type { Store } from '#site/store/index.ts';

/** Bodies by what they hold; `request` is the signed request lines and header fields of all requests. */
export type SentKind = 'enrolment' | 'log-checkpoint' | 'remedy-request' | 'request' | 'update';

const totals = z.strictObject({
  sent: z.record(z.string(), z.int().min(0)),
  received: z.int().min(0),
});
export type TrafficTotals = Readonly<z.infer<typeof totals>>;

/** Counter of one sync or enrolment, in bytes before TLS. */
export interface Traffic {
  addSent(kind: SentKind, bytes: number): void;
  addReceived(bytes: number): void;
  totals(): TrafficTotals;
}

export function createTraffic(): Traffic {
  const sent: Record<string, number> = {};
  let received = 0;
  return {
    addSent: (kind, bytes) => {
      sent[kind] = (sent[kind] ?? 0) + bytes;
    },
    addReceived: (bytes) => {
      received += bytes;
    },
    totals: () => ({ sent: { ...sent }, received }),
  };
}

const SETTING = 'traffic';

/** Bytes sent by kind and received since this site was made. */
export function loadTraffic(store: Store): TrafficTotals {
  const row = store.get(store.query.selectFrom('setting').select('value').where('name', '=', SETTING));
  return row === undefined ? { sent: {}, received: 0 } : totals.parse(JSON.parse(row.value));
}

/** Adds one sync's counts to the lasting ones. */
export function saveTraffic(store: Store, added: TrafficTotals): void {
  store.transaction(() => {
    const known = loadTraffic(store);
    const sent = { ...known.sent };
    for (const [kind, bytes] of Object.entries(added.sent)) sent[kind] = (sent[kind] ?? 0) + bytes;
    const value = JSON.stringify({ sent, received: known.received + added.received });
    store.run(
      store.query
        .insertInto('setting')
        .values({ name: SETTING, value })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ value })),
    );
  });
}
