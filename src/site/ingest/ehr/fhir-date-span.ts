// The days that a FHIR dateTime may mean (R4 2.24.0.1: a year, a month, a day or an instant), for what must not be read as more or as
// less than it says: the dates of a consent.
import { addYears, formatDay, parseDay } from '#site/deidentify/index.ts';
import { openTimeZone, type TimeZone } from '../time-zone.ts';
import { readTime, type StatedTime } from './field-value.ts';

/** Both included; equal for a whole day. */
export interface DaySpan {
  readonly first: number;
  readonly last: number;
}

/** One end of a period: the outermost day that it may mean, and the outermost that certainly lies within. */
export interface PeriodEdge {
  readonly possible: number;
  readonly certain: number;
}

const offsetPattern = /(?:Z|[+-]\d{2}:\d{2})$/;
const utc = openTimeZone('UTC');
/** From here on a time of day is the end of its day: 23:59. */
const endOfDaySecond = 86_340;

/** The days of a year or a month, or the one of a day or an instant in the site's zone. @throws RowRefusal BAD_DATE. */
export function readDaySpan(text: string, field: string, zone: TimeZone): DaySpan {
  const partial = readPartialDate(text);
  if (partial !== undefined) return partial;
  const { day } = readTime(text, field, zone);
  return { first: day, last: day };
}

/** A begin within a day leaves that day out for certain. @throws RowRefusal BAD_DATE. */
export function readPeriodStart(text: string, field: string, zone: TimeZone): PeriodEdge {
  const partial = readPartialDate(text);
  if (partial !== undefined) return { possible: partial.first, certain: partial.last };
  const times = readOnClocks(text, field, zone);
  return {
    possible: Math.min(...times.map(({ day }) => day)),
    certain: Math.max(...times.map(({ day, second }) => ((second ?? 0) > 0 ? day + 1 : day))),
  };
}

/** An end within a day leaves that day out for certain. @throws RowRefusal BAD_DATE. */
export function readPeriodEnd(text: string, field: string, zone: TimeZone): PeriodEdge {
  const partial = readPartialDate(text);
  if (partial !== undefined) return { possible: partial.last, certain: partial.first };
  const times = readOnClocks(text, field, zone);
  return {
    possible: Math.max(...times.map(({ day }) => day)),
    certain: Math.min(
      ...times.map(({ day, second }) => (second === null || second >= endOfDaySecond ? day : day - 1)),
    ),
  };
}

/** Undefined for what is no year and no month. */
function readPartialDate(text: string): DaySpan | undefined {
  const [, year, month] = /^(\d{4})(?:-(\d{2}))?$/.exec(text) ?? [];
  const first = parseDay(`${year}-${month ?? '01'}-01`);
  if (first === undefined) return undefined;
  if (month === undefined) return { first, last: addYears(first, 1) - 1 };
  // In the next month, however long this one is.
  const later = first + 31;
  return { first, last: later - Number(formatDay(later).slice(8)) };
}

/** An instant on the clocks that a reader may have meant: as written, the site's and UTC. */
function readOnClocks(text: string, field: string, zone: TimeZone): StatedTime[] {
  const local = readTime(text, field, zone);
  if (local.second === null || !offsetPattern.test(text)) return [local];
  return [readTime(text.replace(offsetPattern, ''), field, zone), local, readTime(text, field, utc)];
}
