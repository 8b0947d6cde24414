// Reads the text VRs that have a form (PS3.5 6.2): person names in their three groups, dates, times. What has not the form is null.
import { parseDay } from '#site/deidentify/index.ts';

export interface NameGroup {
  readonly family: string;
  readonly given: string;
  readonly middle: string;
  readonly prefix: string;
  readonly suffix: string;
}

export interface PersonName {
  readonly alphabetic: NameGroup;
  readonly ideographic: NameGroup | null;
  readonly phonetic: NameGroup | null;
}

/** A PN value: groups parted by =, components by ^. What is beyond three groups or five components is no name's part. */
export function parsePersonName(text: string): PersonName {
  const [alphabetic = '', ideographic, phonetic] = text.split('=');
  const group = (written: string | undefined): NameGroup | null => {
    if (written === undefined || written === '') return null;
    const [family = '', given = '', middle = '', prefix = '', suffix = ''] = written
      .split('^')
      .map((component) => component.trim());
    return { family, given, middle, prefix, suffix };
  };
  const empty: NameGroup = { family: '', given: '', middle: '', prefix: '', suffix: '' };
  return {
    alphabetic: group(alphabetic) ?? empty,
    ideographic: group(ideographic),
    phonetic: group(phonetic),
  };
}

/** The day of a DA value, YYYYMMDD, or YYYY.MM.DD as before 1993; null where it is none of the calendar. */
export function parseDicomDate(text: string): number | null {
  const [, year, month, day] = /^(\d{4})\.?(\d{2})\.?(\d{2})$/.exec(text.trim()) ?? [];
  return year === undefined ? null : (parseDay(`${year}-${month}-${day}`) ?? null);
}

/** The second of the day of a TM value, HH[MM[SS[.F...]]], or HH:MM:SS as before 1993; null where it is none. A leap second is 59. */
export function parseDicomTime(text: string): number | null {
  const [whole, hours, minutes = '00', seconds = '00'] =
    /^(\d{2})(?::?(\d{2})(?::?(\d{2})(?:\.\d{1,6})?)?)?$/.exec(text.trim()) ?? [];
  if (whole === undefined || Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 60) return null;
  return Number(hours) * 3600 + Number(minutes) * 60 + Math.min(Number(seconds), 59);
}

export interface DicomInstant {
  readonly day: number;
  readonly second: number | null;
  /** Minutes that the stated zone is ahead of UTC; null where none is stated. */
  readonly offsetMinutes: number | null;
}

/** A DT value, YYYYMMDD[HH[MM[SS[.F...]]]][&ZZXX]; null where it is none, or states less than a day. */
export function parseDicomDateTime(text: string): DicomInstant | null {
  const [, date, time, sign, zoneHours, zoneMinutes] =
    /^(\d{8})(\d{2}(?:\d{2}(?:\d{2}(?:\.\d{1,6})?)?)?)?(?:([+-])(\d{2})(\d{2}))?$/.exec(text.trim()) ?? [];
  if (date === undefined) return null;
  const day = parseDicomDate(date);
  const second = time === undefined ? null : parseDicomTime(time);
  if (day === null || (time !== undefined && second === null)) return null;
  const minutes = Number(zoneHours) * 60 + Number(zoneMinutes);
  if (sign !== undefined && (minutes > 14 * 60 || Number(zoneMinutes) > 59)) return null;
  return { day, second, offsetMinutes: sign === undefined ? null : sign === '-' ? -minutes : minutes };
}
