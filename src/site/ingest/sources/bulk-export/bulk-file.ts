// One NDJSON file of an export, as one unbroken stream: a connection that breaks, or an answer that ends in the middle of a line, is
// taken up where it ended.

import type { BulkConnection } from './bulk-connection.ts';
import { BulkExportError } from './bulk-error.ts';

export interface BulkFile {
  readonly url: string;
  /** Resources in it, where the manifest states that. */
  readonly count: number | null;
  readonly withToken: boolean;
  readonly maxBytes: number;
}

const attempts = 4;
const newline = 0x0a;

/** @throws BulkExportError BULK_TRUNCATED when it does not come whole, BULK_ANSWER_TOO_LARGE, BULK_EXPIRED and others. */
export async function* readBulkFile(connection: BulkConnection, file: BulkFile): AsyncGenerator<Uint8Array> {
  const progress = new FileProgress(file);
  for (let attempt = 1; ; attempt += 1) {
    const before = progress.byteCount;
    try {
      for await (const part of fetchFrom(connection, file, progress.byteCount)) {
        progress.add(part);
        yield part;
      }
    } catch (error) {
      // What has an answer is no break: the caller decides.
      if (error instanceof BulkExportError) throw error;
    }
    if (progress.isWhole()) return;
    if (progress.byteCount > before) attempt = 1;
    if (attempt >= attempts)
      throw new BulkExportError('BULK_TRUNCATED', 'A file of the export does not come whole.');
    await connection.pauseAfter(attempt);
  }
}

/** The bytes behind `offset`: by range where the server knows ranges, else the whole file without its beginning. */
async function* fetchFrom(
  connection: BulkConnection,
  file: BulkFile,
  offset: number,
): AsyncGenerator<Uint8Array> {
  const { status, headers, body } = await connection.retry(() =>
    connection.send(file.url, {
      headers: { accept: 'application/fhir+ndjson', ...(offset === 0 ? {} : { range: `bytes=${offset}-` }) },
      withToken: file.withToken,
      taken: offset === 0 ? [200] : [200, 206, 416],
    }),
  );
  const isRange = status === 206 && String(headers['content-range'] ?? '').startsWith(`bytes ${offset}-`);
  if (status === 416 || (status === 206 && !isRange)) {
    // There is nothing behind it.
    await body.dump();
    return;
  }
  let skip = isRange ? 0 : offset;
  for await (const part of body as AsyncIterable<Uint8Array>) {
    const taken = part.subarray(Math.min(skip, part.length));
    skip -= part.length - taken.length;
    if (taken.length > 0) yield taken;
  }
}

class FileProgress {
  byteCount = 0;
  readonly #file: BulkFile;
  #lineCount = 0;
  #lastByte = newline;
  /** The last byte that is no line end and no space. */
  #lastText = 0;

  constructor(file: BulkFile) {
    this.#file = file;
  }

  add(part: Uint8Array): void {
    this.byteCount += part.length;
    if (this.byteCount > this.#file.maxBytes)
      throw new BulkExportError('BULK_ANSWER_TOO_LARGE', 'A file of the export is larger than it may be.');
    for (const byte of part) {
      const isText = byte !== newline && byte !== 0x0d && byte !== 0x20;
      // Empty lines are no resources.
      if (isText && this.#lastByte === newline) this.#lineCount += 1;
      if (isText) this.#lastText = byte;
      if (isText || byte === newline) this.#lastByte = byte;
    }
  }

  /** Ends with a whole line, and has as many as were stated. */
  isWhole(): boolean {
    const { count } = this.#file;
    const endsWhole = this.byteCount === 0 || this.#lastByte === newline || this.#lastText === 0x7d;
    return endsWhole && (count === null || this.#lineCount >= count);
  }
}
