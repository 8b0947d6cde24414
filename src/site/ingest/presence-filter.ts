// Which record keys may be in the store, in few bits each: a Bloom filter (Bloom, CACM 13(7), 1970) that grows by further, larger ones
// (Almeida et al., Information Processing Letters 101(6), 2007), so that no key has to be read again. A look-up of a key that is not
// there, as every record of a first import is one, would read and decrypt a page of a large index for nothing.

/** Of each key: with 10 bits for each, one in a hundred of those that are not there passes. */
const probes = 7;
const bitsOfKey = 10;
const firstSizeLog2 = 22;
/** The next one is four times as large. */
const growthLog2 = 2;
/** 32 MB. The last one is filled beyond its capacity: more and more pass, and none is denied that is there. */
const lastSizeLog2 = 28;

/** Keys are digests: uniform, 48 bits. */
export class PresenceFilter {
  /** The last one is filled. */
  readonly #layers: Layer[];

  /** @param sizeLog2 of its first size in bits, at least 5 */
  constructor(sizeLog2 = firstSizeLog2) {
    this.#layers = [new Layer(sizeLog2)];
  }

  add(key: number): void {
    if (this.mayHave(key)) return;
    let last = this.#layers.at(-1) as Layer;
    if (last.isFull && last.sizeLog2 < lastSizeLog2) {
      last = new Layer(Math.min(lastSizeLog2, last.sizeLog2 + growthLog2));
      this.#layers.push(last);
    }
    last.add(key);
  }

  /** False only for a key that was never added. */
  mayHave(key: number): boolean {
    return this.#layers.some((layer) => layer.mayHave(key));
  }
}

class Layer {
  readonly sizeLog2: number;
  readonly #words: Uint32Array;
  readonly #shift: number;
  readonly #capacity: number;
  #count = 0;

  constructor(sizeLog2: number) {
    this.sizeLog2 = sizeLog2;
    this.#words = new Uint32Array(2 ** (sizeLog2 - 5));
    this.#shift = 32 - sizeLog2;
    this.#capacity = Math.floor(2 ** sizeLog2 / bitsOfKey);
  }

  get isFull(): boolean {
    return this.#count >= this.#capacity;
  }

  add(key: number): void {
    this.#count += 1;
    let bit = firstBit(key);
    const step = stepOf(key);
    for (let probe = 0; probe < probes; probe += 1) {
      const at = bit >>> this.#shift;
      this.#words[at >>> 5] = (this.#words[at >>> 5] ?? 0) | (1 << (at & 31));
      bit = (bit + step) | 0;
    }
  }

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
