// Cuts a file's bytes into blocks of whole rows, without looking into them: behind a line end that stands in no quoted cell.

const newline = 0x0a;
const quote = 0x22;

export interface BlockSplitterOptions {
  /** A block is cut as soon as it has so many bytes. */
  readonly blockBytes: number;
  /** A row that is longer cannot be cut behind. */
  readonly maxRowBytes: number;
  /** Of a table's cells: a line end in a quoted cell belongs to the row (RFC 4180). Null where rows are lines. */
  readonly delimiter: string | null;
  /** Memory of at least so many bytes: it leaves with a block and may come back. */
  readonly allocate: (byteCount: number) => Uint8Array;
}

export class BlockSplitter {
  readonly #options: BlockSplitterOptions;
  readonly #delimiter: number | undefined;
  #memory: Uint8Array = new Uint8Array();
  #length = 0;
  /** Behind the last line end that a block may end with. */
  #cut = 0;
  #isInQuotes = false;
  /** The last byte that was looked at closed a quoted cell: a quote behind it is a part of the cell. */
  #hasJustClosed = false;

  constructor(options: BlockSplitterOptions) {
    this.#options = options;
    this.#delimiter = options.delimiter?.charCodeAt(0);
  }

  /** Whether no cut was found for so long that the rest must be read as one. */
  get isStuck(): boolean {
    return this.#length - this.#cut > this.#options.maxRowBytes;
  }

  /** Adds a copy of these bytes; the block that they complete, or null. */
  write(bytes: Uint8Array): Uint8Array | null {
    const begin = this.#length;
    this.#reserve(begin + bytes.length);
    this.#memory.set(bytes, begin);
    this.#length += bytes.length;
    const cut =
      this.#options.delimiter !== null ? this.#lastCutOutsideQuotes(bytes, begin) : lastLineEnd(bytes);
    if (cut > 0) this.#cut = begin + cut;
    return this.#cut >= this.#options.blockBytes ? this.#takeBlock() : null;
  }

  /** What is left. */
  rest(): Uint8Array {
    const rest = this.#memory.subarray(0, this.#length);
    this.#memory = new Uint8Array();
    this.#length = 0;
    this.#cut = 0;
    this.#isInQuotes = false;
    this.#hasJustClosed = false;
    return rest;
  }

  #takeBlock(): Uint8Array {
    const block = this.#memory.subarray(0, this.#cut);
    const left = this.#memory.subarray(this.#cut, this.#length);
    this.#memory = this.#options.allocate(left.length);
    this.#memory.set(left);
    this.#length = left.length;
    this.#cut = 0;
    return block;
  }

  #reserve(byteCount: number): void {
    if (byteCount <= this.#memory.length) return;
    const grown = this.#options.allocate(this.#memory.length === 0 ? byteCount : byteCount * 2);
    grown.set(this.#memory.subarray(0, this.#length));
    this.#memory = grown;
  }

  /** One more than the place of the last line end outside quoted cells. @param begin of these bytes in the memory */
  #lastCutOutsideQuotes(bytes: Uint8Array, begin: number): number {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let last = 0;
    let from = 0;
    for (;;) {
      const next = chunk.indexOf(quote, from);
      const end = next === -1 ? chunk.length : next;
      if (!this.#isInQuotes) {
        const lineEnd = chunk.subarray(from, end).lastIndexOf(newline);
        if (lineEnd !== -1) last = from + lineEnd + 1;
      }
      if (end > from) this.#hasJustClosed = false;
      if (next === -1) return last;
      const isOpening = this.#hasJustClosed || this.#isCellBegin(begin + next);
      this.#hasJustClosed = this.#isInQuotes;
      this.#isInQuotes = !this.#isInQuotes && isOpening;
      from = next + 1;
    }
  }

  /** A quote elsewhere spoils its own row; taken for an opening one it would turn the rest of the file inside out. */
  #isCellBegin(at: number): boolean {
    const before = at === 0 ? newline : this.#memory[at - 1];
    return before === newline || before === this.#delimiter;
  }
}

function lastLineEnd(bytes: Uint8Array): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).lastIndexOf(newline) + 1;
}
