// The hospital's time zone, fixed when its site is made: a site that moved its days later would have two for one event.
import { openTimeZone, type TimeZone } from '#site/ingest/index.ts';
import type { Store } from '#site/store/index.ts';

const timeZoneSetting = 'time_zone';

/** The machine's own, by its IANA name. */
export function machineTimeZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** @throws RangeError when `name` is no time zone of the IANA database. */
export function saveTimeZone(store: Store, name: string): void {
  openTimeZone(name);
  store.run(store.query.insertInto('setting').values({ name: timeZoneSetting, value: JSON.stringify(name) }));
}

export function loadTimeZone(store: Store): TimeZone {
  const row = store.get(
    store.query.selectFrom('setting').select('value').where('name', '=', timeZoneSetting),
  );
  return openTimeZone(row === undefined ? machineTimeZone() : (JSON.parse(row.value) as string));
}
