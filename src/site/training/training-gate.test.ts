import { describe, expect, it } from 'vitest';
import { openTimeZone } from '#site/ingest/index.ts';
import { createTrainingGate, isWithinHours } from './training-gate.ts';

describe('the hours of training', () => {
  it.each([
    ['22:00', '06:00', '21:59', false],
    ['22:00', '06:00', '22:00', true],
    ['22:00', '06:00', '00:00', true],
    ['22:00', '06:00', '05:59', true],
    ['22:00', '06:00', '06:00', false],
    ['01:00', '05:00', '00:59', false],
    ['01:00', '05:00', '04:59', true],
    ['01:00', '05:00', '05:00', false],
    ['08:00', '08:00', '03:00', true],
  ])('from %s to %s: %s is %s', (from, to, at, expected) => {
    const minute = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
    expect(isWithinHours({ fromMinute: minute(from), toMinute: minute(to) }, minute(at))).toBe(expected);
  });

  it('are those of the site’s time zone, across the change of the clocks', () => {
    const zone = openTimeZone('Europe/Berlin');
    const waits = (time: string) =>
      createTrainingGate({
        hours: { fromMinute: 22 * 60, toMinute: 6 * 60 },
        clock: { nowMs: () => Date.parse(time) },
        zone,
      }).waitsFor();
    expect(waits('2026-01-10T21:30:00Z')).toBe(null); // 22:30 in winter
    expect(waits('2026-01-10T20:30:00Z')).toBe('hours');
    expect(waits('2026-07-10T20:30:00Z')).toBe(null); // 22:30 in summer
    expect(waits('2026-07-10T04:30:00Z')).toBe('hours');
  });
});

describe('a gate', () => {
  it('tells its listeners of a pause and of the end of it, and forgets who has left', () => {
    const gate = createTrainingGate({ hours: null, clock: { nowMs: () => 0 }, zone: openTimeZone('UTC') });
    const heard: unknown[] = [];
    const forget = gate.onChange(() => heard.push(gate.waitsFor()));
    gate.pause();
    gate.resume();
    forget();
    gate.pause();
    expect(heard).toEqual(['paused', null]);
  });
});
