// What a column mapping makes of the first rows of a file, without storing anything.
import { formatDay } from '#site/deidentify/index.ts';
import type { ReadRow, SourceFact } from '../clinical-record.ts';
import { IngestError } from '../ingest-error.ts';
import type { TimeZone } from '../time-zone.ts';
import { readHeader } from './column-sample.ts';
import { parseMapping } from './csv-mapping.ts';
import { createCsvReader, findTable, missingColumn } from './csv-reader.ts';

const shownRows = 20;

export interface PreviewRow {
  readonly row: number;
  readonly day: string | null;
  readonly facts: readonly { readonly code: string; readonly value: string; readonly unit: string | null }[];
  readonly refusal: { readonly code: string; readonly field: string | null } | null;
}

/** The same shape as `mappingPreview` of the site contract. */
export interface MappingPreview {
  readonly rows: readonly PreviewRow[];
  readonly accepted: number;
  readonly rejected: number;
}

export interface PreviewRequest {
  readonly head: Uint8Array;
  /** Else its last line may be cut. */
  readonly isWhole: boolean;
  /** JSON text. */
  readonly mapping: string;
  readonly zone: TimeZone;
}

/** @throws IngestError NOT_A_TABLE, BAD_MAPPING. */
export function previewMapping({ head, isWhole, mapping, zone }: PreviewRequest): MappingPreview {
  const parsed = parseMapping(mapping);
  if (parsed === undefined)
    throw new IngestError('BAD_MAPPING', 'the column mapping is not a valid mapping document');
  const header = readHeader(head);
  const table = findTable(parsed, header);
  if (table === undefined) {
    const refusal = { code: 'MISSING_COLUMN', field: missingColumn(parsed, header) };
    return { rows: [{ row: 1, day: null, facts: [], refusal }], accepted: 0, rejected: 0 };
  }
  const reader = createCsvReader(table, header, zone);
  const rows: PreviewRow[] = [];
  let accepted = 0;
  let rejected = 0;
  const take = (read: ReadRow): void => {
    if (read.kind === 'refused' || (read.kind === 'record' && read.record.refusal !== undefined))
      rejected += 1;
    else accepted += 1;
    if (rows.length < shownRows) rows.push(...previewRow(read));
  };
  for (const read of reader.write(head)) take(read);
  if (isWhole) for (const read of reader.end()) take(read);
  return { rows, accepted, rejected };
}

function previewRow(read: ReadRow): PreviewRow[] {
  switch (read.kind) {
    case 'record': {
      const [first] = read.record.facts;
      const day = first === undefined ? null : formatDay(first.day);
      const { facts, refusal = null } = read.record;
      return [{ row: read.row, day, facts: facts.map(previewFact), refusal }];
    }
    case 'refused':
      return [{ row: read.row, day: null, facts: [], refusal: { code: read.code, field: read.field } }];
    case 'not-needed':
    case 'reference':
      return [{ row: read.row, day: null, facts: [], refusal: null }];
    default:
      return [];
  }
}

function previewFact({ code, value }: SourceFact): PreviewRow['facts'][number] {
  if (value === null) return { code: code.code, value: '', unit: null };
  return 'coded' in value
    ? { code: code.code, value: value.coded.code, unit: null }
    : { code: code.code, value: String(value.number), unit: value.unit };
}
