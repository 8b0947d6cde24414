// Timestamps of HL7 (v2 DTM/TS, v3 TS): YYYY[MM[DD[HH[MM[SS[.S+]]]]]][+ZZZZ], as a day and second of the site's zone.
import { parseDay } from '#site/deidentify/index.ts';
import { RowRefusal } from '../clinical-record.ts';
import type { TimeZone } from '../time-zone.ts';
import type { StatedTime } from './field-value.ts';

const pattern =
  /^(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:\.\d{1,9})?)?)?)?)?)?([+-]\d{2}[0-5]\d)?$/;
const dayMs = 86_400_000;
const longestTime = 32;

/**
 * Without an offset the time is the hospital's own; with one it is told in the site's zone. A day has no offset to apply.
 * @throws RowRefusal BAD_DATE: malformed, or a month or year from which no day can be told.
 */
export function readHl7Time(text: string, field: string, zone: TimeZone): StatedTime {
  const parts = text.length <= longestTime ? pattern.exec(text) : null;
  const day = parseDay(`${parts?.[1]}-${parts?.[2]}-${parts?.[3]}`);
  if (parts === null || day === undefined) throw new RowRefusal('BAD_DATE', field);
  const [hour, minute, second] = [parts[4], parts[5], parts[6]].map((part) => Number(part ?? 0));
  if (parts[4] === undefined || hour === undefined || minute === undefined || second === undefined)
    return { day, second: null };
  if (hour > 23 || minute > 59 || second > 60) throw new RowRefusal('BAD_DATE', field);
  // A leap second belongs to the minute it ends.
  const ofDay = hour * 3_600 + minute * 60 + Math.min(second, 59);
  const offset = parts[7];
  if (offset === undefined) return { day, second: ofDay };
  const offsetMinutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(3));
  if (offsetMinutes > 14 * 60) throw new RowRefusal('BAD_DATE', field);
  const utcMs = day * dayMs + ofDay * 1_000 - (offset.startsWith('-') ? -1 : 1) * offsetMinutes * 60_000;
  return zone.localTime(utcMs);
}

/** A birth date as it may be stored: a day, a month or a year; a time of birth is dropped. @throws RowRefusal BAD_DATE. */
export function readHl7BirthDate(text: string, field: string): string {
  const parts = text.length <= longestTime ? pattern.exec(text) : null;
  const written = parts?.slice(1, 4).filter((part) => part !== undefined) ?? [];
  const isDate =
    written.length === 3
      ? parseDay(written.join('-')) !== undefined
      : !(Number(written[1] ?? 1) > 12 || written[1] === '00');
  if (parts === null || !isDate) throw new RowRefusal('BAD_DATE', field);
  return written.join('-');
}
