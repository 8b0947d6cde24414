// Numbers files before their rows go in. A number is never given twice, also not after an import that was killed in between.
import type { Store } from '#site/store/index.ts';

const settingName = 'ingest_outcome_number';

/** The next number, durable before it is used. */
export function nextOutcomeId(store: Store): number {
  return takeOutcomeIds(store, 1);
}

/** The first of `count` numbers in a row. */
export function takeOutcomeIds(store: Store, count: number): number {
  return store.transaction(() => {
    const { query } = store;
    const last = store.get(query.selectFrom('setting').select('value').where('name', '=', settingName));
    const before = last === undefined ? 0 : Number(last.value);
    const value = JSON.stringify(before + count);
    store.run(
      query
        .insertInto('setting')
        .values({ name: settingName, value })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ value })),
    );
    return before + 1;
  });
}
