import { describe, expect, it } from 'vitest';
import { formatDay } from '#site/deidentify/index.ts';
import { RowRefusal } from './clinical-record.ts';
import { readTime } from './ehr/field-value.ts';
import { openTimeZone } from './time-zone.ts';

function localTime(text: string, zone: string): string {
  const { day, second } = readTime(text, 'time', openTimeZone(zone));
  if (second === null) return formatDay(day);
  const clock = [Math.floor(second / 3600), Math.floor(second / 60) % 60, second % 60];
  return `${formatDay(day)} ${clock.map((part) => String(part).padStart(2, '0')).join(':')}`;
}

describe('an instant in the hospital’s zone', () => {
  it.each([
    ['winter', '2020-01-15T23:30:00Z', 'Europe/Berlin', '2020-01-16 00:30:00'],
    ['summer', '2020-07-15T22:30:00Z', 'Europe/Berlin', '2020-07-16 00:30:00'],
    ['the last second before summer time', '2020-03-29T00:59:59Z', 'Europe/Berlin', '2020-03-29 01:59:59'],
    ['the first second of summer time', '2020-03-29T01:00:00Z', 'Europe/Berlin', '2020-03-29 03:00:00'],
    ['the hour that comes twice, first', '2020-10-25T00:30:00Z', 'Europe/Berlin', '2020-10-25 02:30:00'],
    ['the hour that comes twice, again', '2020-10-25T01:30:00Z', 'Europe/Berlin', '2020-10-25 02:30:00'],
    ['a half-hour zone', '2020-01-15T18:45:00Z', 'Asia/Kolkata', '2020-01-16 00:15:00'],
    ['a quarter-hour zone', '2020-01-15T18:20:00Z', 'Asia/Kathmandu', '2020-01-16 00:05:00'],
    ['half an hour of summer time', '2020-01-15T13:00:00Z', 'Australia/Lord_Howe', '2020-01-16 00:00:00'],
    ['the day that Samoa left out', '2011-12-30T10:00:00Z', 'Pacific/Apia', '2011-12-31 00:00:00'],
    ['west of Greenwich', '2020-01-15T03:00:00Z', 'America/Los_Angeles', '2020-01-14 19:00:00'],
    ['before 1970', '1969-12-31T23:30:00Z', 'Europe/Berlin', '1970-01-01 00:30:00'],
    ['wartime summer time', '1943-07-01T23:30:00Z', 'Europe/Berlin', '1943-07-02 01:30:00'],
    ['UTC', '1950-06-01T12:00:00Z', 'UTC', '1950-06-01 12:00:00'],
    ['an offset of its own', '2020-01-15T23:30:00-05:00', 'Europe/Berlin', '2020-01-16 05:30:00'],
    ['an offset of half an hour', '2020-01-15T23:30:00+05:30', 'UTC', '2020-01-15 18:00:00'],
  ])('of %s has the day and second that its clocks showed', (_, text, zone, expected) => {
    expect(localTime(text, zone)).toBe(expected);
  });

  it('agrees with the time zone database for every hour of a century', () => {
    const zone = openTimeZone('America/New_York');
    const format = new Intl.DateTimeFormat('en-CA', {
      timeZone: 'America/New_York',
      dateStyle: 'short',
    });
    for (let ms = Date.UTC(1920, 0, 1, 4, 30); ms < Date.UTC(2020, 0, 1); ms += 613 * 3_600_000) {
      expect(formatDay(zone.localTime(ms).day)).toBe(format.format(ms));
    }
  });
});

describe('a time without an offset', () => {
  it.each([
    ['a day', '2020-03-29', '2020-03-29'],
    ['an hour that the clocks left out', '2020-03-29T02:30:00', '2020-03-29 02:30:00'],
    ['a time after a space', '2020-03-29 23:59', '2020-03-29 23:59:00'],
    ['fractions of a second', '2020-03-29T23:59:58.999', '2020-03-29 23:59:58'],
    ['a leap second', '2016-12-31T23:59:60', '2016-12-31 23:59:59'],
  ])('as %s is the hospital’s own', (_, text, expected) => {
    expect(localTime(text, 'Europe/Berlin')).toBe(expected);
  });
});

describe('a text that is no time', () => {
  it.each([
    ['a month', '2020-03'],
    ['30 February', '2020-02-30'],
    ['a 13th month', '2020-13-01'],
    ['24 o’clock', '2020-01-01T24:00:00'],
    ['an offset of a day', '2020-01-01T10:00:00+24:00'],
    ['words after it', '2020-01-01T10:00:00Z Otto'],
    ['a year before all patients', '1700-01-01'],
    ['nothing', ''],
  ])('as %s is refused by the name of its field', (_, text) => {
    expect(() => readTime(text, 'field', openTimeZone('Europe/Berlin'))).toThrow(
      new RowRefusal('BAD_DATE', 'field'),
    );
  });
});

describe('a time zone', () => {
  it('that the database does not know is none', () => {
    expect(() => openTimeZone('Europe/Nowhere')).toThrow(RangeError);
  });
});
