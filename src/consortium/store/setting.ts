// Named settings of the consortium, as JSON text.
import type { ConsortiumStore } from './index.ts';

export type SettingName = 'name' | 'url';

/** The setting, or undefined where it was never set. */
export function loadSetting(store: ConsortiumStore, name: SettingName): string | undefined {
  const row = store.get(store.query.selectFrom('setting').select('value').where('name', '=', name));
  return row === undefined ? undefined : (JSON.parse(row.value) as string);
}

/** Sets it, replacing what was there. */
export function saveSetting(store: ConsortiumStore, name: SettingName, value: string): void {
  const row = { name, value: JSON.stringify(value) };
  store.run(
    store.query
      .insertInto('setting')
      .values(row)
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ value: row.value })),
  );
}

/** Whether the store holds a consortium: its first trust list was signed. */
export function isBegun(store: ConsortiumStore): boolean {
  return store.get(store.query.selectFrom('trust_list').select('version').limit(1)) !== undefined;
}
