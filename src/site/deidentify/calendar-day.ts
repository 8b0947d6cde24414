// Whole calendar days as numbers (days since 1970-01-01), and ages by the HIPAA rule: above 89 is 90 (security.md D2).

const dayMs = 86_400_000;

/** Ages above this are not told apart (45 CFR 164.514(b)(2)(i)(C)). */
export const highestExactAge = 89;

/** Day number of `YYYY-MM-DD`, or undefined when that is no day of the calendar. By arithmetic: an import asks millions of times. */
export function parseDay(text: string): number | undefined {
  if (text.length !== 10 || text.charCodeAt(4) !== hyphen || text.charCodeAt(7) !== hyphen) return undefined;
  const year = digits(text, 0) * 100 + digits(text, 2);
  const month = digits(text, 5);
  const dayOfMonth = digits(text, 8);
  // NaN, for what is no digit, fails every comparison.
  if (!(year >= 1800 && year <= 2200 && month >= 1 && month <= 12)) return undefined;
  if (!(dayOfMonth >= 1 && dayOfMonth <= daysInMonth(year, month))) return undefined;
  // Years begin in March: the day that some years have more is then the last one.
  const marchYear = month > 2 ? year : year - 1;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + dayOfMonth - 1;
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400);
  return marchYear * 365 + leapDays + dayOfYear - epochDay;
}

const hyphen = 0x2d;
/** 1970-01-01 counted from 1 March of year 0. */
const epochDay = 719_468;

/** Two digits as a number, NaN when they are none. */
function digits(text: string, at: number): number {
  const [tens, ones] = [text.charCodeAt(at) - 0x30, text.charCodeAt(at + 1) - 0x30];
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** `YYYY-MM-DD` of a day number. */
export function formatDay(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}

/** The birthday that many years after a day: 1 March for 29 February in a year that has none, as `ageInYears` counts. */
export function addYears(day: number, years: number): number {
  const date = new Date(day * dayMs);
  return Date.UTC(date.getUTCFullYear() + years, date.getUTCMonth(), date.getUTCDate()) / dayMs;
}

/** Completed years from one day to another: 90 for every age above 89, null before birth. */
export function ageInYears(birthDay: number, onDay: number): number | null {
  if (onDay < birthDay) return null;
  const birth = new Date(birthDay * dayMs);
  const on = new Date(onDay * dayMs);
  const hadBirthday =
    on.getUTCMonth() > birth.getUTCMonth() ||
    (on.getUTCMonth() === birth.getUTCMonth() && on.getUTCDate() >= birth.getUTCDate());
  const years = on.getUTCFullYear() - birth.getUTCFullYear() - (hadBirthday ? 0 : 1);
  return years > highestExactAge ? highestExactAge + 1 : years;
}
