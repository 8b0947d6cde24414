// Cuts a stream of bytes into lines of bounded length, with the line number each began on. Bytes, not text: a broken character
// or an endless line spoils its own line only.

export interface Line {
  /** From 1: the line it begins on. */
  readonly row: number;
  /** Without its line end; null when it was longer than the limit. */
  readonly bytes: Buffer | null;
}

export interface LineSplitterOptions {
  readonly maxBytes: number;
  /** A line end between two double quotes belongs to the line (RFC 4180). */
  readonly quotes: boolean;
}

const newline = 0x0a;
const quote = 0x22;

export class LineSplitter {
  readonly #maxBytes: number;
  readonly #quotes: boolean;
  /** Bytes not looked at yet. */
  readonly #ahead: Buffer[] = [];
  #held: Buffer[] = [];
  #heldBytes = 0;
  #isInQuotes = false;
  #isSkipping = false;
  #row = 1;
  #linesInRecord = 1;

  constructor(options: LineSplitterOptions) {
    this.#maxBytes = options.maxBytes;
    this.#quotes = options.quotes;
  }

  /** The number of the line that comes next, when nothing of it is held; else undefined. */
  get rowBegun(): number | undefined {
    const isBetween = this.#held.length === 0 && this.#ahead.length === 0 && this.#linesInRecord === 1;
    return isBetween && !this.#isSkipping ? this.#row : undefined;
  }

  /** Counts lines that were read without it. Only between lines. */
  skipLines(count: number): void {
    this.#row += count;
  }

  /** Lines that these bytes complete. */
  *write(bytes: Uint8Array): Generator<Line> {
    this.#ahead.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    yield* this.#cut();
  }

  /** What is left, when the bytes do not end with a line end. */
  *end(): Generator<Line> {
    yield* this.#cut();
    while (this.#heldBytes > 0 || this.#isSkipping) {
      yield this.#take();
      yield* this.#cut();
    }
  }

  /**
   * Takes the first line of a record of several lines for the whole of it and reads the others again: a quote that never
   * closes must not swallow the rows after it. Call before the next line is asked for. Each byte is read again at most once
   * for each line with an odd number of quotes before it and none between, so the work stays linear.
   */
  unread({ row, bytes }: Line): void {
    const end = bytes?.indexOf(newline) ?? -1;
    if (bytes === null || end === -1) return;
    this.#ahead.unshift(Buffer.concat([bytes.subarray(end + 1), lineEnd]));
    this.#row = row + 1;
  }

  *#cut(): Generator<Line> {
    for (let chunk = this.#ahead.shift(); chunk !== undefined; chunk = this.#ahead.shift()) {
      const end = chunk.indexOf(newline);
      this.#hold(end === -1 ? chunk : chunk.subarray(0, end));
      if (end !== -1) {
        if (end + 1 < chunk.length) this.#ahead.unshift(chunk.subarray(end + 1));
        if (!this.#isInQuotes || this.#isSkipping) {
          yield this.#take();
          continue;
        }
        this.#linesInRecord += 1;
        this.#hold(lineEnd);
      }
      if (this.#linesInRecord > 1 && this.#heldBytes > this.#maxBytes) yield this.#takeFirstLine();
    }
  }

  #hold(part: Buffer): void {
    if (this.#isSkipping || part.length === 0) return;
    if (this.#quotes && countQuotes(part) % 2 === 1) this.#isInQuotes = !this.#isInQuotes;
    this.#heldBytes += part.length;
    this.#held.push(part);
    // An endless line must not fill the memory: from here on it is only skipped.
    if (this.#heldBytes > this.#maxBytes && this.#linesInRecord === 1) {
      this.#isSkipping = true;
      this.#held = [];
    }
  }

  #take(): Line {
    const joined = this.#held.length === 1 ? this.#held[0] : Buffer.concat(this.#held);
    const line = { row: this.#row, bytes: this.#isSkipping ? null : trimReturn(joined ?? Buffer.alloc(0)) };
    this.#row += this.#linesInRecord;
    this.#reset();
    return line;
  }

  #takeFirstLine(): Line {
    const joined = Buffer.concat(this.#held);
    const end = joined.indexOf(newline);
    this.#ahead.unshift(joined.subarray(end + 1));
    const line = { row: this.#row, bytes: trimReturn(joined.subarray(0, end)) };
    this.#row += 1;
    this.#reset();
    return line;
  }

  #reset(): void {
    this.#linesInRecord = 1;
    this.#held = [];
    this.#heldBytes = 0;
    this.#isInQuotes = false;
    this.#isSkipping = false;
  }
}

const lineEnd = Buffer.from([newline]);

function countQuotes(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(quote); at !== -1; at = bytes.indexOf(quote, at + 1)) count += 1;
  return count;
}

function trimReturn(bytes: Buffer): Buffer {
  return bytes.at(-1) === 0x0d ? bytes.subarray(0, -1) : bytes;
}
