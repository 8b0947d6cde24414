import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore, type Store } from '#site/store/index.ts';
import { loadTimeZone, machineTimeZone, saveTimeZone } from './site-time-zone.ts';

let store: Store;
beforeEach(() => {
  store = openStore({ file: ':memory:', key: new Uint8Array(32).fill(1), clock: { nowMs: () => 0 } });
});
afterEach(() => store.close());

describe('the time zone of a site', () => {
  it('is the one it was made with, wherever it is opened', () => {
    saveTimeZone(store, 'Asia/Kolkata');
    const { name, localTime } = loadTimeZone(store);
    expect([name, localTime(0)]).toEqual(['Asia/Kolkata', { day: 0, second: 19_800 }]);
  });

  it('cannot be changed afterwards: facts would have two days for one event', () => {
    saveTimeZone(store, 'Asia/Kolkata');
    expect(() => saveTimeZone(store, 'Europe/Berlin')).toThrow();
    expect(loadTimeZone(store).name).toBe('Asia/Kolkata');
  });

  it('is one of the database', () => {
    expect(() => saveTimeZone(store, 'Europe/Nowhere')).toThrow(RangeError);
    expect(loadTimeZone(store).name).toBe(machineTimeZone());
  });
});
