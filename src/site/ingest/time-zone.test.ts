import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openTimeZone } from './time-zone.ts';

/** What the time-zone database says of a moment, asked directly. */
function expected(name: string, ms: number): { day: number; second: number } {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const part = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = part;
  return { day: Date.UTC(year, month - 1, day) / 86_400_000, second: hour * 3600 + minute * 60 + second };
}

// Half-hour changes, changes at midnight, changes within Ramadan, a skipped day, an odd offset before railways.
const zones = [
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Africa/Casablanca',
  'Africa/Cairo',
  'Asia/Tehran',
  'Pacific/Apia',
  'America/Sao_Paulo',
  'Asia/Kolkata',
  'UTC',
];

describe('the hospital’s clock', () => {
  it.each(zones)('in %s is what the time-zone database says, in every year', (name) => {
    const zone = openTimeZone(name);
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(1900, 0), max: Date.UTC(2100, 0) }), (ms) => {
        expect(zone.localTime(ms)).toEqual(expected(name, ms));
      }),
    );
  });

  it.each(zones)('in %s is right in every hour of twenty years, the changes included', (name) => {
    const zone = openTimeZone(name);
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      hour: 'numeric',
      day: 'numeric',
    });
    const wrong: number[] = [];
    for (let ms = Date.UTC(2007, 0); ms < Date.UTC(2027, 0); ms += 7_200_000) {
      const { day, second } = zone.localTime(ms);
      const local = new Date(day * 86_400_000);
      const shown = `${local.getUTCDate()}, ${String(Math.floor(second / 3600)).padStart(2, '0')}`;
      if (format.format(ms) !== shown) wrong.push(ms);
    }
    expect(wrong).toEqual([]);
  });
});
