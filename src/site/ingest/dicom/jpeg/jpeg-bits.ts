// Entropy-coded JPEG data as bits and Huffman symbols (T.81 annex F.2.2). Reading past the data is a broken stream, never zeros.
import { brokenStream } from './jpeg-header.ts';

export interface HuffmanTable {
  /** By the next eight bits: length of the code times 256 plus its symbol; 0 where the code is longer. */
  readonly short: Uint16Array;
  /** By length: the code above the last one of that length; -1 where there is none. */
  readonly codeEnd: Int32Array;
  /** By length: what to add to a code for the index of its symbol. */
  readonly symbolBase: Int32Array;
  readonly symbols: Uint8Array;
}

/** A table from the 16 counts of codes by length and the symbols in order (T.81 annex C). */
export function createHuffmanTable(counts: Uint8Array, symbols: Uint8Array): HuffmanTable {
  const short = new Uint16Array(256);
  const codeEnd = new Int32Array(17).fill(-1);
  const symbolBase = new Int32Array(17);
  let code = 0;
  let index = 0;
  for (let length = 1; length <= 16; length += 1) {
    const count = counts[length - 1] ?? 0;
    symbolBase[length] = index - code;
    for (let next = 0; next < count; next += 1, code += 1, index += 1) {
      if (length <= 8)
        short.fill(length * 256 + (symbols[index] ?? 0), code << (8 - length), (code + 1) << (8 - length));
    }
    if (code > 1 << length) throw brokenStream();
    if (count > 0) codeEnd[length] = code;
    code <<= 1;
  }
  return { short, codeEnd, symbolBase, symbols };
}

export class JpegBits {
  /** Of the next byte; after a scan, of the marker that ends it. */
  position: number;
  readonly #bytes: Uint8Array;
  #bits = 0;
  #bitCount = 0;

  constructor(bytes: Uint8Array, position: number) {
    this.#bytes = bytes;
    this.position = position;
  }

  /** The next Huffman-coded symbol. */
  symbol(table: HuffmanTable): number {
    this.#fill();
    const next =
      this.#bitCount >= 8 ? this.#bits >>> (this.#bitCount - 8) : this.#bits << (8 - this.#bitCount);
    const found = table.short[next & 0xff] ?? 0;
    if (found === 0) return this.#longSymbol(table);
    this.#drop(found >> 8);
    return found & 0xff;
  }

  /** The next `count` bits, 16 at most. */
  receive(count: number): number {
    if (count === 0) return 0;
    this.#fill();
    this.#drop(count);
    return (this.#bits >>> this.#bitCount) & ((1 << count) - 1);
  }

  /** The next `count` bits as the signed number of that magnitude category (T.81 F.2.2.1). */
  receiveSigned(count: number): number {
    if (count === 0) return 0;
    const value = this.receive(count);
    return value < 1 << (count - 1) ? value - (1 << count) + 1 : value;
  }

  /** Passes over the restart marker that must stand here. */
  restart(): void {
    this.#bits = 0;
    this.#bitCount = 0;
    while (this.#bytes[this.position] === 0xff && this.#bytes[this.position + 1] === 0xff) this.position += 1;
    const marker = this.#bytes[this.position + 1] ?? 0;
    if (this.#bytes[this.position] !== 0xff || marker < 0xd0 || marker > 0xd7) throw brokenStream();
    this.position += 2;
  }

  #longSymbol({ codeEnd, symbolBase, symbols }: HuffmanTable): number {
    for (let length = 9; length <= Math.min(16, this.#bitCount); length += 1) {
      const code = (this.#bits >>> (this.#bitCount - length)) & ((1 << length) - 1);
      if (code < (codeEnd[length] ?? -1)) {
        this.#drop(length);
        return symbols[code + (symbolBase[length] ?? 0)] ?? 0;
      }
    }
    throw brokenStream();
  }

  #drop(count: number): void {
    if (count > this.#bitCount) throw brokenStream();
    this.#bitCount -= count;
  }

  /** Up to 24 bits; stops at a marker. */
  #fill(): void {
    while (this.#bitCount <= 16) {
      const byte = this.#bytes[this.position];
      if (byte === undefined) return;
      if (byte === 0xff) {
        if (this.#bytes[this.position + 1] !== 0) return;
        this.position += 1;
      }
      this.position += 1;
      this.#bits = ((this.#bits << 8) | byte) & 0xffffff;
      this.#bitCount += 8;
    }
  }
}
