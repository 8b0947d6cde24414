// The log as a table for people (RFC 4180; 21 CFR 11.10(b), a copy that can be read). No cell starts a formula when a spreadsheet opens it.
import type { ExportedEntry } from './exported-entry.ts';

const columns = [
  'seq',
  'time',
  'actor',
  'role',
  'action',
  'outcome',
  'reason',
  'object',
  'researchStudyId',
  'round',
  'detail',
  'onBehalfOf',
  'session',
  'boot',
  'softwareVersion',
  'leafHash',
] as const;

/** First row, with its line end. */
export const csvHeader = `${columns.join(',')}\r\n`;

/** One row, with its line end. */
export function csvRow({ leaf, leafHash, detail }: ExportedEntry): string {
  const values: Readonly<Record<(typeof columns)[number], string | number | null>> = {
    ...leaf,
    detail,
    leafHash,
  };
  return `${columns.map((column) => csvCell(values[column])).join(',')}\r\n`;
}

/** What spreadsheets read as a formula, also behind blanks and in full-width form (OWASP, CSV injection). */
const formulaStart = /^[\s\u00a0]*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/;

/** A text that would start a formula gets an apostrophe in front, which takes it for text. */
export function csvCell(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = formulaStart.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
