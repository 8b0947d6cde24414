// How this site lets its engine work, as its people set it: threads, memory, and the hours in which runs compute.
import { z } from 'zod';
import type { EngineSettings } from '#site/ports.ts';
import type { Store } from '#site/store/index.ts';
import { SiteError } from './site-error.ts';

const setting = 'engine';
const minute = z.int().min(0).max(1439);
const engineSettings = z.strictObject({
  threads: z.int().min(1).max(1024).nullable(),
  memoryLimitBytes: z
    .int()
    .min(256 * 2 ** 20)
    .nullable(),
  trainingHours: z.strictObject({ fromMinute: minute, toMinute: minute }).nullable(),
});

const unlimited: EngineSettings = { threads: null, memoryLimitBytes: null, trainingHours: null };

/** Without limits where nobody has set one. */
export function loadEngineSettings(store: Store): EngineSettings {
  const row = store.get(store.query.selectFrom('setting').select('value').where('name', '=', setting));
  return row === undefined ? unlimited : engineSettings.parse(JSON.parse(row.value));
}

/** They hold from the next run on. @throws SiteError BAD_ENGINE_SETTINGS with the field that is refused. */
export function saveEngineSettings(store: Store, settings: EngineSettings): void {
  const { success, error } = engineSettings.safeParse(settings);
  if (!success) {
    throw new SiteError('BAD_ENGINE_SETTINGS', 'A setting of the engine is out of its range.', {
      details: { field: error.issues[0]?.path.join('.') ?? '' },
    });
  }
  const value = JSON.stringify(settings);
  store.run(
    store.query
      .insertInto('setting')
      .values({ name: setting, value })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ value })),
  );
}
