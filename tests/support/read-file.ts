// One EHR file as the rows that its reader gives: bytes in, rows out, no store.

import { formatDay } from '#site/deidentify/index.ts';
import type { ReadRow } from '#site/ingest/clinical-record.ts';
import { parseMapping } from '#site/ingest/ehr/csv-mapping.ts';
import { FhirMedications } from '#site/ingest/ehr/fhir-medications.ts';
import { OmopConcepts } from '#site/ingest/ehr/omop-concepts.ts';
import { openReader, type ReaderContext, recogniseFormat } from '#site/ingest/file-format.ts';
import { openTimeZone } from '#site/ingest/time-zone.ts';

/** What the files of one import share. @param mapping JSON text of a CSV mapping */
export function readingContext(mapping: string | null = null, timeZone = 'UTC'): ReaderContext {
  return {
    zone: openTimeZone(timeZone),
    mapping: mapping === null ? null : (parseMapping(mapping) ?? null),
    onMapping: () => {},
    concepts: new OmopConcepts(),
    medications: new FhirMedications(),
  };
}

/** @param pieceBytes how many bytes the reader is given at a time */
export function readFile(
  content: string | Uint8Array,
  context: ReaderContext = readingContext(),
  pieceBytes = Number.POSITIVE_INFINITY,
): ReadRow[] {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const reader = openReader(recogniseFormat(bytes), context);
  if ('code' in reader) return [{ kind: 'file-refused', ...reader }];
  const rows: ReadRow[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes)
    rows.push(...reader.write(bytes.subarray(at, at + pieceBytes)));
  return [...rows, ...reader.end()];
}

/** A row in one line: facts as `kind code value day second end`, or what else became of it. */
export function tellRow(row: ReadRow | undefined): string {
  switch (row?.kind) {
    case 'file-refused':
    case 'refused':
      return [row.code, row.field ?? ''].join(' ').trim();
    case 'deletion':
      return `deletion ${row.sourceId.join(' ')}`;
    case 'merge':
      return `merge ${row.retired.identifier} into ${row.survivor.identifier}`;
    case 'record': {
      const { facts, patient, refusal } = row.record;
      if (refusal !== undefined) return [refusal.code, refusal.field ?? ''].join(' ').trim();
      if (facts.length === 0) return patient === null ? 'no fact' : 'patient';
      return facts.map(tellFact).join(', ');
    }
    default:
      return row?.kind ?? 'nothing';
  }
}

function tellFact({ kind, code, value, day, second, endDay }: TellableFact): string {
  const said = value === null ? '-' : 'coded' in value ? value.coded.code : `${value.number} ${value.unit}`;
  const end = endDay === null ? '-' : formatDay(endDay);
  return [kind, code.code, said, formatDay(day), second ?? '-', end].join(' ');
}

type TellableFact = Extract<ReadRow, { kind: 'record' }>['record']['facts'][number];
