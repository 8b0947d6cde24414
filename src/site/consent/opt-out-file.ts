// Reads an opt-out list: a CSV file of identifiers, hashed as they are read (security.md C6). No identifier is kept.
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { CsvError, parse } from 'csv-parse';
import { linkKeyOf, normaliseIdentifier } from '#site/deidentify/index.ts';
import { ConsentError } from './consent-error.ts';

/** A million entries are written in a second or two, in one transaction; more would keep the site waiting for too long. */
const largestList = 1_000_000;
const largestRowBytes = 100_000;

export interface OptOutFile {
  readonly path: string;
  /** Who gave the identifiers. */
  readonly authority: string;
  /** Header of the column that has them; null: the first column, and every line is an entry. */
  readonly column: string | null;
}

/**
 * The link keys of the identifiers, sorted, each once. Every row has to have one: a list that lost some on its way would let in
 * whoever is missing from it.
 * @throws ConsentError OPT_OUT_LIST_UNREADABLE, OPT_OUT_COLUMN_UNKNOWN, OPT_OUT_LIST_EMPTY, OPT_OUT_LIST_TOO_LARGE.
 */
export async function readOptOutFile(linkageKey: Uint8Array, file: OptOutFile): Promise<Buffer[]> {
  const { path, authority, column } = file;
  const parser = parse({ bom: true, skip_empty_lines: true, max_record_size: largestRowBytes });
  const keys: Buffer[] = [];
  let at = column === null ? 0 : -1;
  try {
    await pipeline(createReadStream(path), parser, async (rows: AsyncIterable<string[]>) => {
      for await (const row of rows) {
        if (at === -1) at = columnOf(row, column);
        else keys.push(keyOf(linkageKey, authority, row[at]));
        if (keys.length > largestList)
          throw refuse('OPT_OUT_LIST_TOO_LARGE', 'The list has too many rows.', largestList);
      }
    });
  } catch (cause) {
    if (cause instanceof ConsentError) throw cause;
    if (!(cause instanceof CsvError) && !isFileFault(cause)) throw cause;
    throw new ConsentError('OPT_OUT_LIST_UNREADABLE', 'The list could not be read as CSV to its end.', {
      cause,
    });
  }
  // Stops an export that broke off before its first row from lifting every opt-out.
  if (keys.length === 0) throw refuse('OPT_OUT_LIST_EMPTY', 'The list names nobody.', 1);
  return distinct(keys.sort(Buffer.compare));
}

function columnOf(header: readonly string[], column: string | null): number {
  const at = header.findIndex((name) => name.trim() === column);
  if (at === -1) throw new ConsentError('OPT_OUT_COLUMN_UNKNOWN', 'The list has no column of this name.');
  return at;
}

function keyOf(linkageKey: Uint8Array, authority: string, cell = ''): Buffer {
  const identifier = normaliseIdentifier(cell);
  if (identifier === '' || identifier.includes('\0'))
    throw new ConsentError('OPT_OUT_LIST_UNREADABLE', 'A row of the list has no identifier.');
  return Buffer.from(linkKeyOf(linkageKey, { authority, identifier }));
}

function distinct(sorted: readonly Buffer[]): Buffer[] {
  return sorted.filter((key, index) => index === 0 || !key.equals(sorted[index - 1] ?? key));
}

function refuse(code: 'OPT_OUT_LIST_TOO_LARGE' | 'OPT_OUT_LIST_EMPTY', message: string, expected: number) {
  return new ConsentError(code, message, { details: { expected } });
}

function isFileFault(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
