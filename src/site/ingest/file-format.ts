// Tells a file's format from its first bytes. Names say nothing: exports are renamed on their way.
import { fromUtf8 } from '#base/bytes.ts';
import type { RecordReader } from './clinical-record.ts';
import { CcdaReader } from './ehr/ccda-reader.ts';
import { type CsvMapping, mappingMark } from './ehr/csv-mapping.ts';
import { CsvMappingReader } from './ehr/csv-mapping-reader.ts';
import { createCsvReader, findTable, missingColumn } from './ehr/csv-reader.ts';
import { parseHeader, type TableHeader } from './ehr/csv-table.ts';
import { BundleReader } from './ehr/fhir-bundle-reader.ts';
import type { FhirMedications } from './ehr/fhir-medications.ts';
import { NdjsonReader } from './ehr/fhir-ndjson-reader.ts';
import { Hl7v2Reader } from './ehr/hl7v2-reader.ts';
import { scanJson } from './ehr/json-scan.ts';
import type { OmopConcepts } from './ehr/omop-concepts.ts';
import { createOmopReader } from './ehr/omop-reader.ts';
import {
  lowerCaseColumns,
  missingOmopColumn,
  needsConcepts,
  type OmopTable,
  omopTables,
  recogniseOmopTable,
} from './ehr/omop-tables.ts';
import { syntheaMapping } from './ehr/synthea-mapping.ts';
import { type XmlRoot, xmlRootOf } from './ehr/xml-text.ts';
import type { FileRefusalCode } from './ingest-error.ts';
import type { TimeZone } from './time-zone.ts';

/** How much of a file is looked at; a CSV header must fit in. */
export const headBytes = 262_144;

export type FormatName =
  | 'ccda'
  | 'csv'
  | 'fhir-bundle'
  | 'fhir-ndjson'
  | 'hl7v2'
  | 'omop-csv'
  | 'csv-mapping';

export type FileFormat =
  | { readonly kind: 'ccda' }
  | { readonly kind: 'csv'; readonly header: TableHeader }
  | { readonly kind: 'omop-csv'; readonly table: OmopTable | 'not-needed'; readonly header: TableHeader }
  | { readonly kind: 'fhir-bundle' }
  | { readonly kind: 'hl7v2' }
  | { readonly kind: 'fhir-ndjson'; readonly resourceType: string | null }
  | { readonly kind: 'csv-mapping' }
  | { readonly kind: 'refused'; readonly code: FileRefusalCode };

/** @param head the first `headBytes` of the file, or all of it */
export function recogniseFormat(head: Uint8Array): FileFormat {
  const isWhole = head.length < headBytes;
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  if (bytes.length === 0) return { kind: 'refused', code: 'EMPTY_FILE' };
  const xml = xmlRootOf(bytes);
  if (xml !== undefined) return recogniseXml(xml);
  if (hl7v2Start.test(bytes.subarray(0, 64).toString('latin1'))) return { kind: 'hl7v2' };
  const newline = bytes.indexOf(0x0a);
  const firstBytes = newline === -1 ? bytes : bytes.subarray(0, newline);
  // Executables, archives and UTF-16 have NUL bytes in their first line.
  if (firstBytes.includes(0)) return { kind: 'refused', code: 'NOT_RECOGNISED' };
  const firstLine = decode(firstBytes)?.replace(/^\ufeff/, '');
  if (firstLine === undefined) return { kind: 'refused', code: 'NOT_UTF8' };
  const text = decode(bytes) ?? firstLine;
  if (text.trim() === '' || text.trim() === '\ufeff')
    return { kind: 'refused', code: isWhole ? 'EMPTY_FILE' : 'NOT_RECOGNISED' };
  if (/^[\ufeff\s]*[{[]/.test(text)) return recogniseJson(text, firstLine);
  if (newline === -1 && !isWhole) return { kind: 'refused', code: 'TOO_MANY_COLUMNS' };
  return recogniseTable(firstLine.replace(/\r$/, ''));
}

/** A message or a batch of them, perhaps in an MLLP frame or behind a byte order mark. */
const hl7v2Start = /^(?:\u00ef\u00bb\u00bf)?\s*(?:MSH|FHS|BHS)[!-/:-@[-`{-~]/;

/** Parts of a CDA document that are met alone: examples, and what an interface cut out. */
const cdaParts = new Set([
  'section',
  'component',
  'structuredBody',
  'entry',
  'act',
  'observation',
  'organizer',
]);

function recogniseXml({ hasDoctype, name }: XmlRoot): FileFormat {
  if (hasDoctype) return { kind: 'refused', code: 'XML_DTD_REFUSED' };
  const local = name?.replace(/^.*:/, '') ?? '';
  if (local === 'ClinicalDocument') return { kind: 'ccda' };
  return { kind: 'refused', code: cdaParts.has(local) ? 'CDA_FRAGMENT' : 'NOT_RECOGNISED' };
}

function recogniseJson(text: string, firstLine: string): FileFormat {
  if (text.slice(0, 2_000).includes(`"${mappingMark}"`)) return { kind: 'csv-mapping' };
  const first = scanJson(firstLine);
  const isOneLine = first.shape === 'whole';
  const { resourceType } = isOneLine ? first : scanJson(text);
  // Only in NDJSON does a later line begin an object at its margin.
  const isLines = /\n\{[ \t]*"/.test(text);
  if (resourceType === 'Bundle' && !(isOneLine && isLines)) return { kind: 'fhir-bundle' };
  if (isOneLine || isLines || !text.includes('\n')) {
    return resourceType === null && !isLines
      ? { kind: 'refused', code: 'NOT_RECOGNISED' }
      : { kind: 'fhir-ndjson', resourceType };
  }
  return resourceType === null ? { kind: 'refused', code: 'NOT_RECOGNISED' } : { kind: 'fhir-bundle' };
}

function recogniseTable(firstLine: string): FileFormat {
  const header = parseHeader(firstLine);
  if (header === 'TOO_MANY_COLUMNS') return { kind: 'refused', code: header };
  // One column and no delimiter: any text file looks like that.
  if (header === 'MALFORMED_HEADER' || header.columns.size < 2) {
    return { kind: 'refused', code: /[,;\t]/.test(firstLine) ? 'MALFORMED_HEADER' : 'NOT_RECOGNISED' };
  }
  const table = recogniseOmopTable(header);
  return table === undefined ? { kind: 'csv', header } : { kind: 'omop-csv', table, header };
}

/** UTF-8 text; a character cut off at the end of the head does not count. */
function decode(bytes: Uint8Array): string | undefined {
  for (let cut = 0; cut < 4 && cut <= bytes.length; cut += 1) {
    try {
      return fromUtf8(bytes.subarray(0, bytes.length - cut));
    } catch {
      // One byte less: the head may end inside a character.
    }
  }
  return undefined;
}

/** What must be read first comes first: mappings, the concept table, patients, then what refers to them. */
export function importRank(format: FileFormat): number {
  if (format.kind === 'csv-mapping') return 0;
  if (format.kind === 'omop-csv')
    return format.table === 'not-needed' ? 19 : 1 + omopTables.indexOf(format.table);
  if (format.kind === 'csv') return statesPatients(format.header) ? 3 : 16;
  if (format.kind !== 'fhir-ndjson') return 16;
  return format.resourceType === 'Patient' ? 2 : format.resourceType === 'Medication' ? 3 : 16;
}

/** Synthea's table of patients. Tables of a mapping of one's own state the patient in each row. */
function statesPatients(header: TableHeader): boolean {
  const table = findTable(syntheaMapping(), header);
  return table !== undefined && 'patient' in table && table.patient.birthDate !== null;
}

export interface ReaderContext {
  /** The hospital's: instants become its days. */
  readonly zone: TimeZone;
  /** For CSV files. */
  readonly mapping: CsvMapping | null;
  readonly onMapping: (mapping: CsvMapping) => void;
  readonly concepts: OmopConcepts;
  readonly medications: FhirMedications;
}

/** The reader for a file, or why it is refused as a whole. */
export function openReader(
  format: FileFormat,
  { zone, mapping, onMapping, concepts, medications }: ReaderContext,
): RecordReader | { readonly code: FileRefusalCode; readonly field: string | null } {
  switch (format.kind) {
    case 'refused':
      return { code: format.code, field: null };
    case 'csv-mapping':
      return new CsvMappingReader(onMapping);
    case 'ccda':
      return new CcdaReader(zone);
    case 'hl7v2':
      return new Hl7v2Reader(zone);
    case 'fhir-bundle':
      return new BundleReader(zone);
    case 'fhir-ndjson':
      return new NdjsonReader(zone, medications);
    case 'csv': {
      const table =
        findTable(mapping ?? syntheaMapping(), format.header) ?? findTable(syntheaMapping(), format.header);
      if (table !== undefined) return createCsvReader(table, format.header, zone);
      const missing = mapping === null ? null : missingColumn(mapping, format.header);
      return missing === null
        ? { code: 'MAPPING_REQUIRED', field: null }
        : { code: 'MISSING_COLUMN', field: missing };
    }
    case 'omop-csv': {
      // A hospital's own table may look like one of OMOP's: the mapping that fits it decides.
      const table = mapping === null ? undefined : findTable(mapping, format.header);
      if (table !== undefined) return createCsvReader(table, format.header, zone);
      const header = lowerCaseColumns(format.header);
      if (format.table !== 'not-needed') {
        const missing = missingOmopColumn(format.table, header);
        if (missing !== undefined) return { code: 'MISSING_COLUMN', field: missing };
        if (needsConcepts(format.table) && !concepts.isLoaded)
          return { code: 'CONCEPTS_REQUIRED', field: null };
      }
      return createOmopReader(format.table, header, { concepts, zone });
    }
  }
}
