// Cells of OMOP CDM rows: ids, concepts by the concept table, and source codes where a concept is not mapped.
import type { PatientKey } from '#site/deidentify/index.ts';
import { type CodedValue, RowRefusal } from '../clinical-record.ts';
import type { TimeZone } from '../time-zone.ts';
import type { TableRow } from './csv-table.ts';
import { readCode, readTime, type StatedTime } from './field-value.ts';
import type { OmopConcepts } from './omop-concepts.ts';

const personAuthority = 'urn:consilium:omop:person_id';
/** Codes that the hospital's conversion to OMOP could not map (concept 0), as its source has them. */
const sourceSystem = 'urn:consilium:omop:source';

/** What the rows of a table are read with. */
export interface OmopContext {
  readonly concepts: OmopConcepts;
  readonly zone: TimeZone;
}

export function personKey(row: TableRow): PatientKey {
  return { authority: personAuthority, identifier: String(requiredId(row, 'person_id')) };
}

export function isMapped(row: TableRow, column: string): boolean {
  const id = row.cell(column);
  return id !== '' && id !== '0';
}

/** @throws RowRefusal MISSING_FIELD, BAD_NUMBER, BAD_CODE, UNKNOWN_CONCEPT. */
export function readConcept(row: TableRow, column: string, concepts: OmopConcepts): CodedValue {
  const found = concepts.find(requiredId(row, column));
  if (found === undefined) throw new RowRefusal('UNKNOWN_CONCEPT', column);
  readCode(found.code, column);
  return found;
}

/**
 * The concept of `<name>_concept_id`, or for concept 0 the source's own code in `<name>_source_value`. A source value that does
 * not look like a code is free text and not kept. @throws RowRefusal.
 */
export function readConceptOrSource(row: TableRow, name: string, concepts: OmopConcepts): CodedValue {
  const column = `${name}_concept_id`;
  if (row.cell(column) !== '0') return readConcept(row, column, concepts);
  const code = row.cell(`${name}_source_value`);
  // Letters and digits without a space, and one digit at least: `250.00`, `J45.9`, not a word or a name.
  if (!/^(?=.*\d)[A-Za-z0-9][A-Za-z0-9.:_-]{0,31}$/.test(code))
    throw new RowRefusal('UNKNOWN_CONCEPT', column);
  return { system: sourceSystem, code };
}

/** The day of `<name>_date`, and the second of `<name>_datetime` where that is more than the day's midnight. */
export function readOmopTime(row: TableRow, name: string, zone: TimeZone): StatedTime {
  const dateColumn = `${name}_date`;
  const { day } = readTime(required(row, dateColumn), dateColumn, zone);
  const column = `${name}_datetime`;
  const at = row.cell(column);
  // Midnight is what conversions write where they know no time.
  if (at.length <= 10 || at.endsWith(' 00:00:00') || at.endsWith('T00:00:00')) return { day, second: null };
  const { second } = readTime(at, column, zone);
  return { day, second };
}

/** The day of a column that may be empty. */
export function readOptionalDay(row: TableRow, column: string, zone: TimeZone): number | null {
  const text = row.cell(column);
  return text === '' ? null : readTime(text, column, zone).day;
}

/** @throws RowRefusal MISSING_FIELD. */
export function required(row: TableRow, column: string): string {
  const text = row.cell(column);
  if (text === '') throw new RowRefusal('MISSING_FIELD', column);
  return text;
}

/** @throws RowRefusal MISSING_FIELD, BAD_NUMBER. */
export function requiredId(row: TableRow, column: string): number {
  return readId(required(row, column), column);
}

/** A whole number from 0, as ids and years are. @throws RowRefusal BAD_NUMBER. */
export function readId(text: string, field: string): number {
  const id = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(id)) throw new RowRefusal('BAD_NUMBER', field);
  return id;
}
