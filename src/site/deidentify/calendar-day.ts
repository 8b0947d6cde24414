// Whole calendar days as numbers (days since 1970-01-01), and ages by the HIPAA rule: above 89 is 90 (security.md D2).

const dayMs = 86_400_000;
const datePattern = /^(\d{4})-(\d{2})-(\d{2})$/;

/** Ages above this are not told apart (45 CFR 164.514(b)(2)(i)(C)). */
export const highestExactAge = 89;

/** Day number of `YYYY-MM-DD`, or undefined when that is no day of the calendar. */
export function parseDay(text: string): number | undefined {
  const parts = datePattern.exec(text);
  if (parts === null) return undefined;
  const [year, month, dayOfMonth] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  if (year < 1800 || year > 2200) return undefined;
  const ms = Date.UTC(year, month - 1, dayOfMonth);
  // Date.UTC takes 30 February as 1 or 2 March.
  return new Date(ms).toISOString().startsWith(text) ? ms / dayMs : undefined;
}

/** `YYYY-MM-DD` of a day number. */
export function formatDay(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
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
