// Cuts a file's bytes into blocks of whole rows, without looking into them: behind a line end that no double quotes stand around.

const newline = 0x0a;
const quote = 0x22;

export interface BlockSplitterOptions {
  /** Blocks are as large as this at most, but for what a row is longer. */
  readonly blockBytes: number;
  /** A row that is longer cannot be cut behind. */
  readonly maxRowBytes: number;
  /** A line end between two double quotes belongs to the row (RFC 4180). */
  readonly quotes: boolean;
}

export class BlockSplitter {
  readonly #options: BlockSplitterOptions;
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Whether what is held has an odd number of quotes. */
  #isInQuotes = false;

  constructor(options: BlockSplitterOptions) {
    this.#options = options;
  }

  /** Whether no cut was found for so long that the rest must be read as one. */
  get isStuck(): boolean {
    return this.#heldBytes > this.#options.maxRowBytes + this.#options.blockBytes;
  }

  /** Adds bytes, whose memory must stay as it is; the block that they complete, its memory its own, or null. */
  write(bytes: Uint8Array): Uint8Array | null {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const cut = this.#options.quotes ? this.#lastCutOutsideQuotes(chunk) : chunk.lastIndexOf(newline) + 1;
    if (cut === 0 || this.#heldBytes + cut < this.#options.blockBytes) {
      this.#hold(chunk);
      return null;
    }
    const block = new Uint8Array(this.#heldBytes + cut);
    let at = 0;
    for (const part of this.#held) {
      block.set(part, at);
      at += part.length;
    }
    block.set(chunk.subarray(0, cut), at);
    this.#held = [];
    this.#heldBytes = 0;
    this.#isInQuotes = false;
    this.#hold(chunk.subarray(cut));
    return block;
  }

  /** What is held. */
  rest(): Uint8Array {
    const rest = new Uint8Array(Buffer.concat(this.#held));
    this.#held = [];
    this.#heldBytes = 0;
    this.#isInQuotes = false;
    return rest;
  }

  #hold(chunk: Buffer): void {
    if (chunk.length === 0) return;
    if (this.#options.quotes && countQuotes(chunk) % 2 === 1) this.#isInQuotes = !this.#isInQuotes;
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
  }

  /** One more than the place of the last line end that an even number of quotes stands before. */
  #lastCutOutsideQuotes(chunk: Buffer): number {
    let isInQuotes = this.#isInQuotes;
    let last = 0;
    let from = 0;
    for (;;) {
      const next = chunk.indexOf(quote, from);
      const end = next === -1 ? chunk.length : next;
      if (!isInQuotes) {
        const lineEnd = chunk.subarray(from, end).lastIndexOf(newline);
        if (lineEnd !== -1) last = from + lineEnd + 1;
      }
      if (next === -1) return last;
      isInQuotes = !isInQuotes;
      from = next + 1;
    }
  }
}

function countQuotes(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(quote); at !== -1; at = bytes.indexOf(quote, at + 1)) count += 1;
  return count;
}
