// Cuts a file's bytes into blocks of whole rows, without looking into them: behind a line end that no double quotes stand around.

const newline = 0x0a;
const quote = 0x22;

export interface BlockSplitterOptions {
  /** A block is cut as soon as it has so many bytes. */
  readonly blockBytes: number;
  /** A row that is longer cannot be cut behind. */
  readonly maxRowBytes: number;
  /** A line end between two double quotes belongs to the row (RFC 4180). */
  readonly quotes: boolean;
  /** Memory of at least so many bytes: it leaves with a block and may come back. */
  readonly allocate: (byteCount: number) => Uint8Array;
}

export class BlockSplitter {
  readonly #options: BlockSplitterOptions;
  #memory: Uint8Array = new Uint8Array();
  #length = 0;
  /** Behind the last line end that a block may end with. */
  #cut = 0;
  #isInQuotes = false;

  constructor(options: BlockSplitterOptions) {
    this.#options = options;
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
    const cut = this.#options.quotes ? this.#lastCutOutsideQuotes(bytes) : lastLineEnd(bytes);
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

  /** One more than the place of the last line end that an even number of quotes of the file stands before. */
  #lastCutOutsideQuotes(bytes: Uint8Array): number {
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
      if (next === -1) return last;
      this.#isInQuotes = !this.#isInQuotes;
      from = next + 1;
    }
  }
}

function lastLineEnd(bytes: Uint8Array): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).lastIndexOf(newline) + 1;
}
