// DICOM dates moved by whole days (security.md D4): DA and DT with parts, lists and ranges. Times of day stay as they are.

const dayMs = 86_400_000;
/** DA, and the form of ACR-NEMA with points that old files have. */
const datePattern = /^(\d{4})(\.?)(\d{2})\2(\d{2})$/;
const dateTimePattern = /^(\d{4})(\d{2})?(\d{2})?((?:\d{2}){0,3}(?:\.\d{1,6})?)([+-](?:0\d|1[0-4])\d{2})?$/;
const timePattern =
  /^(\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?|\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?(-(\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?)?)?$/;
/** A hyphen that divides a range, not one that begins a time zone of a DT. */
const rangeHyphen = /-(?!\d{4}$|\d{4}-)/;

/**
 * The value moved by `offsetDays`; undefined where the text is no value of its VR, which might then hold anything.
 * @param vr DA, DT or TM
 */
export function shiftDateText(text: string, vr: string, offsetDays: number): string | undefined {
  const moved: string[] = [];
  for (const part of text.split('\\')) {
    const value = part.trim();
    const shifted = vr === 'TM' ? checkTime(value) : shiftRange(value, vr, offsetDays);
    if (shifted === undefined) return undefined;
    moved.push(shifted);
  }
  return moved.join('\\');
}

/** Day number (days since 1970-01-01) of the date that a DA or DT begins with; undefined where it names no whole day. */
export function dayOf(text: string): number | undefined {
  const parts = datePattern.exec(text) ?? /^(\d{4})()(\d{2})(\d{2})/.exec(text);
  return parts === null ? undefined : dayNumber(Number(parts[1]), Number(parts[3]), Number(parts[4]));
}

function checkTime(value: string): string | undefined {
  return timePattern.test(value) ? value : undefined;
}

function shiftRange(value: string, vr: string, offsetDays: number): string | undefined {
  if (value === '') return '';
  const shiftOne = vr === 'DA' ? shiftDate : shiftDateTime;
  const single = shiftOne(value, offsetDays);
  if (single !== undefined) return single;
  const ends = value.split(vr === 'DA' ? '-' : rangeHyphen);
  if (ends.length !== 2) return undefined;
  const moved = ends.map((end) => (end === '' ? '' : shiftOne(end, offsetDays)));
  return moved.includes(undefined) ? undefined : moved.join('-');
}

function shiftDate(value: string, offsetDays: number): string | undefined {
  const parts = datePattern.exec(value);
  if (parts === null) return undefined;
  const day = dayNumber(Number(parts[1]), Number(parts[3]), Number(parts[4]));
  return day === undefined ? undefined : compactDate(day + offsetDays);
}

/** A date-time that names no day moves as its first day does, and names as much as before. */
function shiftDateTime(value: string, offsetDays: number): string | undefined {
  const parts = dateTimePattern.exec(value);
  if (parts === null) return undefined;
  const [, year, month, dayOfMonth, time = '', zone = ''] = parts;
  if (dayOfMonth === undefined && time !== '') return undefined;
  const day = dayNumber(Number(year), Number(month ?? 1), Number(dayOfMonth ?? 1));
  if (day === undefined) return undefined;
  const length = dayOfMonth !== undefined ? 8 : month !== undefined ? 6 : 4;
  return compactDate(day + offsetDays).slice(0, length) + time + zone;
}

function dayNumber(year: number, month: number, dayOfMonth: number): number | undefined {
  if (year < 1800 || year > 2200) return undefined;
  const time = new Date(Date.UTC(year, month - 1, dayOfMonth));
  // Date.UTC takes 30 February as 1 or 2 March.
  return time.getUTCMonth() === month - 1 && time.getUTCDate() === dayOfMonth
    ? time.getTime() / dayMs
    : undefined;
}

function compactDate(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10).replaceAll('-', '');
}
