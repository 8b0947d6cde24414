// Which record keys may be in the store, in few bits each: a Bloom filter (Bloom, CACM 13(7), 1970). A look-up of a key that is not
// there, as every record of a first import is one, would read and decrypt a page of a large index for nothing.

/** Of each key: with 10 bits for each, one in a hundred of those that are not there is looked up for nothing. */
const probes = 7;
const bitsOfKey = 10;

/** Keys are digests: uniform, 48 bits. */
export class PresenceFilter {
  /** Keys that it has room for. With more it asks for more look-ups, and is right all the same. */
  readonly capacity: number;
  readonly #words: Uint32Array;
  readonly #shift: number;

  /** @param sizeLog2 of its size in bits, 5 to 32 */
  constructor(sizeLog2: number) {
    this.#words = new Uint32Array(2 ** (sizeLog2 - 5));
    this.#shift = 32 - sizeLog2;
    this.capacity = Math.floor(2 ** sizeLog2 / bitsOfKey);
  }

  add(key: number): void {
    let bit = firstBit(key);
    const step = stepOf(key);
    for (let probe = 0; probe < probes; probe += 1) {
      const at = bit >>> this.#shift;
      this.#words[at >>> 5] = (this.#words[at >>> 5] ?? 0) | (1 << (at & 31));
      bit = (bit + step) | 0;
    }
  }

  /** False only for a key that was never added. */
  mayHave(key: number): boolean {
    let bit = firstBit(key);
    const step = stepOf(key);
    for (let probe = 0; probe < probes; probe += 1) {
      const at = bit >>> this.#shift;
      if (((this.#words[at >>> 5] ?? 0) & (1 << (at & 31))) === 0) return false;
      bit = (bit + step) | 0;
    }
    return true;
  }
}

/** The lower half, spread over 32 bits. */
function firstBit(key: number): number {
  return Math.imul(Math.abs(key) % 0x1000000, 0x9e3779b1);
}

/** The upper half, odd, so that no two probes of a key meet. */
function stepOf(key: number): number {
  return Math.imul(Math.abs(key) / 0x1000000, 0x85ebca77) | 1;
}
