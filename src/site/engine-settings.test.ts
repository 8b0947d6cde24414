import { describe, expect, it } from 'vitest';
import { openStore } from '#site/store/index.ts';
import { loadEngineSettings, saveEngineSettings } from './engine-settings.ts';

const none = { threads: null, memoryLimitBytes: null, trainingHours: null };
const open = () => openStore({ file: ':memory:', key: new Uint8Array(32), clock: { nowMs: () => 0 } });

describe('the settings of the engine', () => {
  it('limit nothing until somebody sets them, and can be set again', () => {
    const store = open();
    expect(loadEngineSettings(store)).toEqual(none);
    const night = {
      threads: 2,
      memoryLimitBytes: 2 ** 31,
      trainingHours: { fromMinute: 1320, toMinute: 360 },
    };
    saveEngineSettings(store, night);
    expect(loadEngineSettings(store)).toEqual(night);
    saveEngineSettings(store, none);
    expect(loadEngineSettings(store)).toEqual(none);
    store.close();
  });

  it.each([
    ['threads', { threads: 0 }],
    ['threads', { threads: 1.5 }],
    ['memoryLimitBytes', { memoryLimitBytes: 1000 }],
    ['trainingHours.toMinute', { trainingHours: { fromMinute: 0, toMinute: 1440 } }],
  ])('are refused by field: %s', (field, change) => {
    const store = open();
    expect(() => saveEngineSettings(store, { ...none, ...change })).toThrow(
      expect.objectContaining({ code: 'BAD_ENGINE_SETTINGS', details: { field } }),
    );
    expect(loadEngineSettings(store)).toEqual(none);
    store.close();
  });
});
