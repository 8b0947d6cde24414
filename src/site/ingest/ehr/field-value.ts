// Cells and elements as values: strict spellings only, so that nothing is guessed.
import { parseDay } from '#site/deidentify/index.ts';
import { type ConsentStatus, consentStatuses, RowRefusal } from '../clinical-record.ts';
import type { TimeZone } from '../time-zone.ts';
import { normaliseUnit } from '../unit.ts';

const numberPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const longestNumber = 64;

/** Whether the text is written as a decimal number. */
export function isNumber(text: string): boolean {
  return text.length <= longestNumber && numberPattern.test(text);
}

/** A finite decimal number. @throws RowRefusal BAD_NUMBER. */
export function readNumber(text: string, field: string): number {
  const number = isNumber(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(number)) throw new RowRefusal('BAD_NUMBER', field);
  return number;
}

/** `T10:00`, ` 10:00:00.5`, `T10:00:00+01:00`: nothing may follow it. */
const timePattern =
  /^[T ]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d|60)(?:\.\d{1,9})?)?(Z|[+-](?:0\d|1[0-4]):[0-5]\d)?$/;
const dayMs = 86_400_000;

/** A day, and the second of it where the text states a time of day. */
export interface StatedTime {
  readonly day: number;
  readonly second: number | null;
}

/**
 * `YYYY-MM-DD`, alone or before a time of day. A time with an offset becomes day and second in the site's zone; one without is
 * the hospital's own clock already. @throws RowRefusal BAD_DATE.
 */
export function readTime(text: string, field: string, zone: TimeZone): StatedTime {
  const day = parseDay(text.length === 10 ? text : text.slice(0, 10));
  if (day === undefined) throw new RowRefusal('BAD_DATE', field);
  if (text.length === 10) return { day, second: null };
  const found = timePattern.exec(text.slice(10));
  if (found === null) throw new RowRefusal('BAD_DATE', field);
  // A leap second has no place in a day of 86,400 seconds.
  const second = Number(found[1]) * 3600 + Number(found[2]) * 60 + Math.min(Number(found[3] ?? 0), 59);
  const offset = found[4];
  if (offset === undefined) return { day, second };
  return zone.localTime(day * dayMs + second * 1000 - offsetMs(offset));
}

function offsetMs(offset: string): number {
  if (offset === 'Z') return 0;
  const ms = (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4, 6))) * 60_000;
  return offset.startsWith('-') ? -ms : ms;
}

/** The day of a time, in the site's zone. @throws RowRefusal BAD_DATE. */
export function readDay(text: string, field: string, zone: TimeZone): number {
  return readTime(text, field, zone).day;
}

/** A birth date as it may be stored: a day, a month or a year. @throws RowRefusal BAD_DATE. */
export function readBirthDate(text: string, field: string): string {
  const isDate =
    text.length === 10 ? parseDay(text) !== undefined : /^\d{4}(?:-(?:0[1-9]|1[0-2]))?$/.test(text);
  if (!isDate) throw new RowRefusal('BAD_DATE', field);
  return text;
}

/** A UCUM unit in its one spelling. @throws RowRefusal MISSING_UNIT, UNKNOWN_UNIT. */
export function readUnit(text: string | undefined, field: string): string {
  if (text === undefined || text === '') throw new RowRefusal('MISSING_UNIT', field);
  const unit = normaliseUnit(text);
  if (unit === undefined) throw new RowRefusal('UNKNOWN_UNIT', field);
  return unit;
}

/** A code: up to 64 printable characters without spaces, so that no free text is stored as one. @throws RowRefusal BAD_CODE. */
export function readCode(text: string, field: string): string {
  if (!/^[!-~]{1,64}$/.test(text)) throw new RowRefusal('BAD_CODE', field);
  return text;
}

/** The URI of a code system. @throws RowRefusal BAD_CODE. */
export function readSystem(text: string, field: string): string {
  if (!/^[a-z][a-z0-9+.-]*:[!-~]{1,180}$/i.test(text)) throw new RowRefusal('BAD_CODE', field);
  return text;
}

/** Text for people and identifiers: no control characters. @throws RowRefusal BAD_CHARACTER, MISSING_FIELD. */
export function readText(text: string, field: string, maxLength = 300): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
  if (/[\u0000-\u001f\u007f]/.test(text)) throw new RowRefusal('BAD_CHARACTER', field);
  if (text.trim() === '') throw new RowRefusal('MISSING_FIELD', field);
  if (text.length > maxLength) throw new RowRefusal('BAD_VALUE', field);
  return text.trim();
}

/** @throws RowRefusal BAD_VALUE. */
export function readConsentStatus(text: string, field: string): ConsentStatus {
  const status = consentStatuses.find((known) => known === text);
  if (status === undefined) throw new RowRefusal('BAD_VALUE', field);
  return status;
}

/** The name of a research study as plans have it. @throws RowRefusal BAD_VALUE. */
export function readResearchStudyId(text: string, field: string): string {
  if (!/^[a-z0-9][a-z0-9_-]{0,62}[a-z0-9]$/.test(text)) throw new RowRefusal('BAD_VALUE', field);
  return text;
}
