// Which names of sources mean one authority of patient numbers, fixed when the site is made: changed later, a patient would become
// two.
import { type IdentifierAuthorities, noAuthorities } from '#site/ingest/index.ts';
import type { Store } from '#site/store/index.ts';

const authoritiesSetting = 'identifier_authorities';

export function saveIdentifierAuthorities(store: Store, authorities: IdentifierAuthorities): void {
  const value = JSON.stringify([...authorities]);
  store.run(store.query.insertInto('setting').values({ name: authoritiesSetting, value }));
}

export function loadIdentifierAuthorities(store: Store): IdentifierAuthorities {
  const row = store.get(
    store.query.selectFrom('setting').select('value').where('name', '=', authoritiesSetting),
  );
  return row === undefined ? noAuthorities : new Map(JSON.parse(row.value) as [string, string][]);
}
