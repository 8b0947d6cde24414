import { describe, expect, it } from 'vitest';
import { formatDay } from '#site/deidentify/index.ts';
import { openTimeZone } from '../time-zone.ts';
import { readDaySpan, readPeriodEnd, readPeriodStart } from './fhir-date-span.ts';

const utc = openTimeZone('UTC');
const berlin = openTimeZone('Europe/Berlin');

describe('a date of a consent', () => {
  it.each([
    ['2024', '2024-01-01', '2024-12-31'],
    ['2024-02', '2024-02-01', '2024-02-29'],
    ['2023-02', '2023-02-01', '2023-02-28'],
    ['2024-12', '2024-12-01', '2024-12-31'],
    ['2200', '2200-01-01', '2200-12-31'],
    ['2024-05-06', '2024-05-06', '2024-05-06'],
    ['2024-05-06T23:30:00Z', '2024-05-07', '2024-05-07'],
  ])('%s means the days from %s to %s', (text, first, last) => {
    const span = readDaySpan(text, 'dateTime', berlin);
    expect([formatDay(span.first), formatDay(span.last)]).toEqual([first, last]);
  });

  it.each(['', '20', '24-05', '2024-13', '2024-00', '2024-5', '2024-05-', '9999', 'May 2024'])(
    '"%s" is none',
    (text) => {
      for (const read of [readDaySpan, readPeriodStart, readPeriodEnd]) {
        expect(() => read(text, 'dateTime', utc)).toThrow(expect.objectContaining({ code: 'BAD_DATE' }));
      }
    },
  );

  it.each([
    ['2024-05', '2024-05-01', '2024-05-31', utc],
    ['2024-05-06', '2024-05-06', '2024-05-06', utc],
    ['2024-05-06T00:00:00Z', '2024-05-06', '2024-05-06', utc],
    ['2024-05-06T06:00:00Z', '2024-05-06', '2024-05-07', utc],
    ['2024-05-06T06:00:00', '2024-05-06', '2024-05-07', berlin],
    ['2024-05-06T23:30:00-05:00', '2024-05-06', '2024-05-08', utc],
    ['2024-05-06T23:30:00Z', '2024-05-06', '2024-05-08', berlin],
  ] as const)('%s as a begin is possible from %s and certain from %s', (text, possible, certain, zone) => {
    const edge = readPeriodStart(text, 'start', zone);
    expect([formatDay(edge.possible), formatDay(edge.certain)]).toEqual([possible, certain]);
  });

  it.each([
    ['2024-05', '2024-05-31', '2024-05-01', utc],
    ['2024-05-06', '2024-05-06', '2024-05-06', utc],
    ['2024-05-06T23:59:59Z', '2024-05-06', '2024-05-06', utc],
    ['2024-05-06T06:00:00Z', '2024-05-06', '2024-05-05', utc],
    ['2024-05-06T00:30:00+02:00', '2024-05-06', '2024-05-04', utc],
    ['2024-05-06T23:59:59Z', '2024-05-07', '2024-05-06', berlin],
  ] as const)('%s as an end is possible to %s and certain to %s', (text, possible, certain, zone) => {
    const edge = readPeriodEnd(text, 'end', zone);
    expect([formatDay(edge.possible), formatDay(edge.certain)]).toEqual([possible, certain]);
  });
});
