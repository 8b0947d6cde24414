// FHIR Bulk Data NDJSON: one resource a line, of one type or mixed, or a bundle of deletions (Bulk Data 2.0 `deleted`); a line
// that is broken is refused and the next one read.
import { fromUtf8 } from '#base/bytes.ts';
import { type ReadRow, type RecordReader, RowRefusal } from '../clinical-record.ts';
import type { TimeZone } from '../time-zone.ts';
import { type ResourceContext, resourceTypeOf } from './fhir-context.ts';
import { entriesOf, readEntries, readMedication } from './fhir-entries.ts';
import type { FhirMedications } from './fhir-medications.ts';
import { readResource } from './fhir-record.ts';
import { isTooDeep, mayBeTooDeep } from './json-scan.ts';
import { type Line, LineSplitter } from './line-splitter.ts';

const maxLineBytes = 16_777_216;

export class NdjsonReader implements RecordReader {
  readonly #lines = new LineSplitter({ maxBytes: maxLineBytes, quotes: false });
  readonly #context: ResourceContext;

  /** @param medications of the batch; this file's are added */
  constructor(zone: TimeZone, medications: FhirMedications) {
    this.#context = { zone, fallbackId: null, patients: new Map(), medications };
  }

  *write(bytes: Uint8Array): Generator<ReadRow> {
    for (const line of this.#lines.write(bytes)) yield* this.#line(line);
  }

  *end(): Generator<ReadRow> {
    for (const line of this.#lines.end()) yield* this.#line(line);
  }

  *#line({ row, bytes }: Line): Generator<ReadRow> {
    if (bytes?.length === 0) return;
    let resource: unknown;
    try {
      resource = parseLine(bytes);
    } catch (error) {
      if (!(error instanceof RowRefusal)) throw error;
      yield { kind: 'refused', row, code: error.code, field: error.field };
      return;
    }
    const type = resourceTypeOf(resource);
    if (type === 'Bundle') {
      yield* this.#bundle(row, resource);
      return;
    }
    if (type === 'Medication') readMedication(resource, null, this.#context.medications);
    yield readResource(row, resource, this.#context);
  }

  /** A line that is a bundle has a row for each entry, all of the line's number. */
  *#bundle(row: number, bundle: unknown): Generator<ReadRow> {
    const entries = entriesOf(bundle);
    if (typeof entries !== 'string') yield* readEntries(entries, this.#context.zone, () => row);
    else if (entries === 'EMPTY_FILE') yield { kind: 'not-needed', row };
    else yield { kind: 'refused', row, code: 'UNSUPPORTED_RESOURCE', field: 'type' };
  }
}

/** @throws RowRefusal ROW_TOO_LONG, NOT_UTF8, TOO_DEEP, MALFORMED_JSON. */
function parseLine(bytes: Buffer | null): unknown {
  if (bytes === null) throw new RowRefusal('ROW_TOO_LONG', null);
  let text: string;
  try {
    text = fromUtf8(bytes);
  } catch {
    throw new RowRefusal('NOT_UTF8', null);
  }
  if (mayBeTooDeep(text) && isTooDeep(bytes)) throw new RowRefusal('TOO_DEEP', null);
  try {
    return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch {
    // The parser's message quotes the text; only the fact is kept.
    throw new RowRefusal('MALFORMED_JSON', null);
  }
}
