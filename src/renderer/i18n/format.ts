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
}

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
  };
}

export function useFormat(): Format {
  const { i18n } = useTranslation();
  return useMemo(() => createFormat(i18n.language), [i18n.language]);
}
