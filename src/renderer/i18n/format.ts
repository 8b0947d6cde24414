// Numbers, dates and sizes in the reader's language, by Intl. Anything that is no date is shown as it came.
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';

const minuteMs = 60_000;

export interface Format {
  /** A count or a measured number, at most `digits` (default 0 for whole numbers, else 4 significant). */
  number(value: number, digits?: number): string;
  percent(fraction: number): string;
  /** ISO time -> date and time to the minute. */
  dateTime(iso: string): string;
  /** ISO time -> date and time to the second, as the audit log needs it. */
  exactTime(iso: string): string;
  /** ISO date or time -> date. */
  date(iso: string): string;
  /** "in 3 days", "2 hours ago". */
  relative(iso: string, nowMs: number): string;
  list(items: readonly string[]): string;
  /** A size in the unit that suits it, 1000 bytes to the kilobyte: "137 kB", "2.5 GB". */
  bytes(count: number): string;
  /** Time still to wait or spent, as roughly as a person says it: "20 seconds", "3 minutes", "2 hours 5 minutes". */
  duration(milliseconds: number): string;
}

const byteUnits = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

/** @param language BCP 47 tag */
export function createFormat(language: string): Format {
  const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
  const measured = new Intl.NumberFormat(language, { maximumSignificantDigits: 4 });
  const percent = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 });
  const minute = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' });
  const second = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' });
  const day = new Intl.DateTimeFormat(language, { dateStyle: 'medium' });
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  const list = new Intl.ListFormat(language, { type: 'conjunction' });
  const unitOf = (unit: string, unitDisplay: 'short' | 'long', digits = 0): Intl.NumberFormat =>
    new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay, maximumFractionDigits: digits });
  const [seconds, minutes, hours] = ['second', 'minute', 'hour'].map((unit) => unitOf(unit, 'long'));
  const withDate = (iso: string, formatter: Intl.DateTimeFormat): string => {
    const time = Date.parse(iso);
    return Number.isNaN(time) ? iso : formatter.format(time);
  };
  return {
    number: (value, digits) => {
      if (!Number.isFinite(value)) return String(value);
      if (digits !== undefined) {
        return new Intl.NumberFormat(language, {
          minimumFractionDigits: digits,
          maximumFractionDigits: digits,
        }).format(value);
      }
      return Number.isInteger(value) ? whole.format(value) : measured.format(value);
    },
    percent: (fraction) => percent.format(fraction),
    dateTime: (iso) => withDate(iso, minute),
    exactTime: (iso) => withDate(iso, second),
    date: (iso) => withDate(/^\d{4}-\d\d-\d\d$/.test(iso) ? `${iso}T12:00:00` : iso, day),
    relative: (iso, nowMs) => {
      const time = Date.parse(iso);
      if (Number.isNaN(time)) return iso;
      const minutes = (time - nowMs) / minuteMs;
      if (Math.abs(minutes) < 60) return relative.format(Math.round(minutes), 'minute');
      if (Math.abs(minutes) < 48 * 60) return relative.format(Math.round(minutes / 60), 'hour');
      return relative.format(Math.round(minutes / (24 * 60)), 'day');
    },
    list: (items) => list.format(items),
    bytes: (count) => {
      const step = count < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(count) / 3));
      const value = count / 1000 ** step;
      // The short form of a byte has no plural in English: "54 byte".
      return unitOf(
        byteUnits[step] ?? 'byte',
        step === 0 ? 'long' : 'short',
        step < 2 || value >= 100 ? 0 : 1,
      ).format(value);
    },
    duration: (milliseconds) => {
      const all = Math.max(1, Math.round(milliseconds / 1000));
      if (all < 90) return seconds?.format(all < 20 ? all : Math.round(all / 5) * 5) ?? '';
      const whole = Math.round(all / 60);
      if (whole < 90) return minutes?.format(whole) ?? '';
      const rest = whole % 60;
      return [hours?.format(Math.floor(whole / 60)), ...(rest === 0 ? [] : [minutes?.format(rest)])].join(
        ' ',
      );
    },
  };
}

export function useFormat(): Format {
  const { i18n } = useTranslation();
  return useMemo(() => createFormat(i18n.language), [i18n.language]);
}
