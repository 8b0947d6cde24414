// FHIR Bulk Data NDJSON: one resource a line, of one type or mixed; a line that is broken is refused and the next one read.
import { fromUtf8 } from '#base/bytes.ts';
import { type ReadRow, type RecordReader, RowRefusal, readRow } from '../clinical-record.ts';
import { readResource } from './fhir-record.ts';
import { scanJson } from './json-scan.ts';
import { type Line, LineSplitter } from './line-splitter.ts';

const maxLineBytes = 16_777_216;
const noPatients = new Map<string, never>();

export class NdjsonReader implements RecordReader {
  readonly #lines = new LineSplitter({ maxBytes: maxLineBytes, quotes: false });

  *write(bytes: Uint8Array): Generator<ReadRow> {
    for (const line of this.#lines.write(bytes)) yield* readLine(line);
  }

  *end(): Generator<ReadRow> {
    for (const line of this.#lines.end()) yield* readLine(line);
  }
}

function* readLine(line: Line): Generator<ReadRow> {
  if (line.bytes?.length === 0) return;
  yield readRow(line.row, () =>
    readResource(parseLine(line.bytes), { fallbackId: null, patients: noPatients }),
  );
}

/** @throws RowRefusal ROW_TOO_LONG, NOT_UTF8, TOO_DEEP, MALFORMED_JSON. */
function parseLine(bytes: Uint8Array | null): unknown {
  if (bytes === null) throw new RowRefusal('ROW_TOO_LONG', null);
  let text: string;
  try {
    text = fromUtf8(bytes).replace(/^\ufeff/, '');
  } catch {
    throw new RowRefusal('NOT_UTF8', null);
  }
  if (scanJson(text).shape === 'too-deep') throw new RowRefusal('TOO_DEEP', null);
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text; only the fact is kept.
    throw new RowRefusal('MALFORMED_JSON', null);
  }
}
