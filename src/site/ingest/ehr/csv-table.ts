// A CSV table (RFC 4180) row by row: the header decides the columns, a row that does not fit is refused and the next one read.
import { isAscii, isUtf8 } from 'node:buffer';
import { parse } from 'csv-parse/sync';
import { fromUtf8 } from '#base/bytes.ts';
import { type ReadRow, type RefusedRow, RowRefusal } from '../clinical-record.ts';
import type { RowRefusalCode } from '../ingest-error.ts';
import { type Line, LineSplitter } from './line-splitter.ts';

const maxRowBytes = 1_048_576;
export const maxColumns = 10_000;
const byteOrderMark = '\ufeff';
const delimiters = [',', '\t', ';'] as const;
export type Delimiter = (typeof delimiters)[number];

const replacementCharacter = '\ufffd';

interface RowCells {
  readonly cells: readonly string[];
  /** Whether one of them may hold a NUL. */
  readonly hasNul: boolean;
  /** Whether some are no UTF-8, with a replacement character in place of what is none; absent: all are. */
  readonly isBroken?: boolean;
}

/** The cells of one row by column name. */
export class TableRow {
  readonly row: number;
  readonly #columns: ReadonlyMap<string, number>;
  readonly #cells: readonly string[];
  readonly #hasNul: boolean;
  /** Whether some of it is no UTF-8: nothing of it may be taken but what a consent in it takes away. */
  readonly isBroken: boolean;

  constructor(row: number, columns: ReadonlyMap<string, number>, { cells, hasNul, isBroken }: RowCells) {
    this.row = row;
    this.#columns = columns;
    this.#cells = cells;
    this.#hasNul = hasNul;
    this.isBroken = isBroken ?? false;
  }

  /** The cell without surrounding spaces, '' when the table has no such column. @throws RowRefusal BAD_CHARACTER, NOT_UTF8. */
  cell(column: string): string {
    const at = this.#columns.get(column);
    const text = at === undefined ? '' : trimCell(this.#cells[at] ?? '');
    // A NUL ends a text for some programs and not for others.
    if (this.#hasNul && text.includes('\0')) throw new RowRefusal('BAD_CHARACTER', column);
    if (this.isBroken && text.includes(replacementCharacter)) throw new RowRefusal('NOT_UTF8', column);
    return text;
  }
}

/** Most cells have nothing to cut off. */
function trimCell(text: string): string {
  if (text === '') return text;
  const [first, last] = [text.charCodeAt(0), text.charCodeAt(text.length - 1)];
  return isPlain(first) && isPlain(last) ? text : text.trim();
}

function isPlain(code: number): boolean {
  return code > 0x20 && code < 0x7f;
}

export interface TableHeader {
  readonly delimiter: Delimiter;
  /** Column name -> position. */
  readonly columns: ReadonlyMap<string, number>;
}

/** The header in a file's first bytes, or why there is none. The delimiter is the one that gives most columns. */
export function parseHeader(line: string): TableHeader | 'MALFORMED_HEADER' | 'TOO_MANY_COLUMNS' {
  const text = line.startsWith(byteOrderMark) ? line.slice(1) : line;
  const delimiter = delimiters.reduce((best, next) =>
    text.split(next).length > text.split(best).length ? next : best,
  );
  if (text.split(delimiter).length > maxColumns) return 'TOO_MANY_COLUMNS';
  const names = splitCells(text, delimiter)?.map((name) => name.trim());
  if (names === undefined || names.some((name) => name === '')) return 'MALFORMED_HEADER';
  const columns = new Map(names.map((name, index) => [name, index]));
  return columns.size === names.length ? { delimiter, columns } : 'MALFORMED_HEADER';
}

/** Cells of one record, undefined when its quotes do not match. */
function splitCells(text: string, delimiter: Delimiter): string[] | undefined {
  if (!text.includes('"')) return text.split(delimiter);
  try {
    const records = parse(text, { delimiter, relax_column_count: true, skip_empty_lines: false });
    return records.length === 1 ? records[0] : undefined;
  } catch {
    // The parser's message quotes the cell; only the fact is kept.
    return undefined;
  }
}

const carriageReturn = 0x0d;

/** The whole lines of these bytes as text, when they are ASCII without quotes and NULs; else undefined. */
function plainLines(bytes: Uint8Array): string | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lines = buffer.subarray(0, buffer.lastIndexOf('\n') + 1);
  if (lines.length === 0 || !isAscii(lines) || lines.includes('"') || lines.includes(0)) return undefined;
  return lines.toString('latin1');
}

/** Reads the rows of a table whose header is known; `read` turns each into what it says. */
export class TableReader {
  readonly #header: TableHeader;
  readonly #read: (row: TableRow) => ReadRow;
  readonly #lines = new LineSplitter({ maxBytes: maxRowBytes, quotes: true });
  #isFirst = true;

  constructor(header: TableHeader, read: (row: TableRow) => ReadRow) {
    this.#header = header;
    this.#read = read;
  }

  *write(bytes: Uint8Array): Generator<ReadRow> {
    const row = this.#lines.rowBegun;
    const text = row === undefined ? undefined : plainLines(bytes);
    if (row === undefined || text === undefined) {
      for (const line of this.#lines.write(bytes)) yield* this.#line(line);
      return;
    }
    yield* this.#plainRows(text, row);
    // All is ASCII: characters are bytes.
    if (text.length < bytes.length)
      for (const line of this.#lines.write(bytes.subarray(text.length))) yield* this.#line(line);
  }

  /** Rows of whole lines in which nothing but delimiters and line ends has a meaning: nearly all of a large export. */
  *#plainRows(text: string, firstRow: number): Generator<ReadRow> {
    const { columns, delimiter } = this.#header;
    let row = firstRow;
    for (let at = 0; at < text.length; row += 1) {
      const lineEnd = text.indexOf('\n', at);
      const end = lineEnd > at && text.charCodeAt(lineEnd - 1) === carriageReturn ? lineEnd - 1 : lineEnd;
      const isHeader = this.#isFirst;
      this.#isFirst = false;
      if (end > at && !isHeader) {
        if (end - at > maxRowBytes) yield { kind: 'refused', row, code: 'ROW_TOO_LONG', field: null };
        else {
          const cells = text.slice(at, end).split(delimiter);
          if (cells.length === columns.size)
            yield this.#read(new TableRow(row, columns, { cells, hasNul: false }));
          else yield { kind: 'refused', row, code: 'COLUMN_COUNT', field: null };
        }
      }
      at = lineEnd + 1;
    }
    this.#lines.skipLines(row - firstRow);
  }

  *end(): Generator<ReadRow> {
    for (const line of this.#lines.end()) yield* this.#line(line);
  }

  *#line(line: Line): Generator<ReadRow> {
    const isHeader = this.#isFirst;
    this.#isFirst = false;
    if (isHeader || line.bytes?.length === 0) return;
    const cells = this.#cells(line);
    if ('kind' in cells) yield cells;
    else {
      const read = this.#read(new TableRow(line.row, this.#header.columns, cells));
      yield cells.isBroken === true ? refuseBroken(read, line.row) : read;
    }
  }

  #cells(line: Line): RowCells | RefusedRow {
    const refuse = (code: RowRefusalCode): RefusedRow => ({
      kind: 'refused',
      row: line.row,
      code,
      field: null,
    });
    if (line.bytes === null) return refuse('ROW_TOO_LONG');
    const isBroken = !isUtf8(line.bytes);
    const text = isBroken ? Buffer.from(line.bytes).toString('utf8') : fromUtf8(line.bytes);
    const cells = splitCells(text, this.#header.delimiter);
    if (cells === undefined) {
      this.#lines.unread(line);
      return refuse(isBroken ? 'NOT_UTF8' : 'MALFORMED_ROW');
    }
    if (cells.length !== this.#header.columns.size) return refuse(isBroken ? 'NOT_UTF8' : 'COLUMN_COUNT');
    return { cells, hasNul: line.bytes.includes(0), isBroken };
  }
}

/** A row that is no UTF-8, of which only what a consent in it takes away is kept: it may be a withdrawal. */
function refuseBroken(read: ReadRow, row: number): ReadRow {
  if (read.kind === 'refused' && read.code === 'CONSENT_WITHOUT_PATIENT') return read;
  const refusal = { code: 'NOT_UTF8', field: null } as const;
  const { consents = [], subject } = read.kind === 'record' ? read.record : {};
  const taking = consents.filter(({ decision, status }) => decision === 'deny' || status !== 'active');
  if (subject === undefined || taking.length === 0) return { kind: 'refused', row, ...refusal };
  const record = { subject, patient: null, sourceId: null, facts: [], consents: taking, refusal };
  return { kind: 'record', row, record };
}
