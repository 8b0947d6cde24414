// multipart/related as it streams by (RFC 2046 section 5.1, RFC 2387): parts in order, each body in chunks, nothing kept. A stream that
// ends before its closing delimiter is an error: half an object must not look like a whole one.
import { DicomwebError } from './dicomweb-error.ts';

export interface Part {
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
  /** To be read to its end before the next part is asked for. */
  readonly body: AsyncIterable<Buffer>;
}

const maxHeaderBytes = 16_384;
const maxPreambleBytes = 65_536;
const endOfHeaders = Buffer.from('\r\n\r\n');

/** The boundary of a multipart content type. @throws DicomwebError DICOMWEB_BAD_ANSWER. */
export function boundaryOf(contentType: string): string {
  const boundary = /;\s*boundary=(?:"([^"]{1,200})"|([^;\s]{1,200}))/i.exec(contentType);
  const text = boundary?.[1] ?? boundary?.[2];
  if (text === undefined) throw badAnswer();
  return text;
}

/** @throws DicomwebError DICOMWEB_BAD_ANSWER. */
export async function* readParts(source: AsyncIterable<Uint8Array>, boundary: string): AsyncGenerator<Part> {
  const stream = new DelimitedStream(source, Buffer.from(`\r\n--${boundary}`));
  // The first delimiter may stand at the very beginning, without the line end before it.
  let preambleBytes = 0;
  try {
    for await (const chunk of stream.untilDelimiter()) {
      preambleBytes += chunk.length;
      if (preambleBytes > maxPreambleBytes) throw badAnswer();
    }
    while (!(await stream.isLast())) {
      const headers = parseHeaders(await stream.headerBlock());
      const body = stream.untilDelimiter();
      yield { headers, body };
      // What the caller did not read.
      for await (const _ of body);
    }
  } finally {
    // Lets go of the connection, wherever the reading ended.
    await stream.close();
  }
}

function parseHeaders(block: string): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of block.split('\r\n')) {
    const at = line.indexOf(':');
    if (at > 0) headers.set(line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim());
  }
  return headers;
}

class DelimitedStream {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #delimiter: Buffer;
  #buffer = Buffer.from('\r\n');

  constructor(source: AsyncIterable<Uint8Array>, delimiter: Buffer) {
    this.#source = source[Symbol.asyncIterator]();
    this.#delimiter = delimiter;
  }

  /** Bytes up to the next delimiter, which is taken away. */
  async *untilDelimiter(): AsyncGenerator<Buffer> {
    for (;;) {
      const at = this.#buffer.indexOf(this.#delimiter);
      if (at !== -1) {
        const rest = this.#buffer.subarray(0, at);
        this.#buffer = this.#buffer.subarray(at + this.#delimiter.length);
        if (rest.length > 0) yield rest;
        return;
      }
      // The delimiter may have begun at the end of what is here.
      const safe = this.#buffer.length - this.#delimiter.length + 1;
      if (safe > 0) {
        const chunk = this.#buffer.subarray(0, safe);
        this.#buffer = this.#buffer.subarray(safe);
        yield chunk;
      }
      await this.#more();
    }
  }

  /** Whether the delimiter that was taken away is the closing one. */
  async isLast(): Promise<boolean> {
    while (this.#buffer.length < 2) await this.#more();
    if (this.#buffer.toString('latin1', 0, 2) === '--') return true;
    return false;
  }

  /** The header lines of a part, after the rest of the delimiter's line. */
  async headerBlock(): Promise<string> {
    for (;;) {
      const lineEnd = this.#buffer.indexOf('\r\n');
      // A part without headers: an empty line follows at once.
      if (lineEnd !== -1 && this.#buffer.length >= lineEnd + 4) {
        const hasNone = this.#buffer.toString('latin1', lineEnd + 2, lineEnd + 4) === '\r\n';
        const end = hasNone ? lineEnd : this.#buffer.indexOf(endOfHeaders, lineEnd + 2);
        if (end !== -1) {
          const block = this.#buffer.toString('latin1', lineEnd + 2, Math.max(lineEnd + 2, end));
          // The line end before the body stays where the body is empty, so that its delimiter is found.
          this.#buffer = this.#buffer.subarray(end + 4);
          return block;
        }
      }
      if (this.#buffer.length > maxHeaderBytes) throw badAnswer();
      await this.#more();
    }
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async #more(): Promise<void> {
    const { done, value } = await this.#source.next();
    if (done === true) throw badAnswer();
    this.#buffer = this.#buffer.length === 0 ? Buffer.from(value) : Buffer.concat([this.#buffer, value]);
  }
}

function badAnswer(): DicomwebError {
  return new DicomwebError(
    'DICOMWEB_BAD_ANSWER',
    'The answer of the server is not well-formed, or broke off.',
  );
}
