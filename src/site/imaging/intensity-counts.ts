// How often each intensity occurs, and the percentile of them, in one pass and bounded memory (docs/formats/imaging-input.md). Exact for up
// to 65,536 different intensities; beyond, those that share their highest bits are one. The order in which they come changes nothing.

/** Different intensities that are told apart. */
export const mostIntensities = 65_536;

export interface IntensityCounts {
  /** Low bits that the keys are without; 0: exact. */
  readonly shift: number;
  /** Rising; see `keyOf`. */
  readonly keys: Uint32Array;
  readonly counts: Float64Array;
}

const slotCount = 2 * mostIntensities;

/** Counts into memory that is reused: `clear` begins anew. */
export class IntensityCounter {
  readonly #keys = new Uint32Array(slotCount);
  /** 0: a free place. */
  readonly #counts = new Float64Array(slotCount);
  #distinct = 0;
  #shift = 0;

  clear(): void {
    this.#counts.fill(0);
    this.#distinct = 0;
    this.#shift = 0;
  }

  /** False where a value is no finite number; what was counted is of no use then. */
  add(values: Float32Array): boolean {
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    let last = 0;
    let run = 0;
    for (let at = 0; at < bits.length; at += 1) {
      const value = bits[at] ?? 0;
      // Images are black around what they show: neighbours are often equal.
      if (value === last) {
        run += 1;
        continue;
      }
      if ((value & exponentBits) === exponentBits) return false;
      if (run > 0) this.#count(keyOf(last) >>> this.#shift, run);
      last = value;
      run = 1;
    }
    if (run > 0) this.#count(keyOf(last) >>> this.#shift, run);
    return true;
  }

  merge({ shift, keys, counts }: IntensityCounts): void {
    while (this.#shift < shift) this.#coarsen();
    for (let at = 0; at < keys.length; at += 1)
      this.#count((keys[at] ?? 0) >>> (this.#shift - shift), counts[at] ?? 0);
  }

  counts(): IntensityCounts {
    const keys = new Uint32Array(this.#distinct);
    let to = 0;
    for (let slot = 0; slot < slotCount; slot += 1)
      if (this.#counts[slot] !== 0) {
        keys[to] = this.#keys[slot] ?? 0;
        to += 1;
      }
    keys.sort();
    const counts = Float64Array.from(keys, (key) => this.#counts[this.#slotOf(key)] ?? 0);
    return { shift: this.#shift, keys, counts };
  }

  #count(key: number, times: number): void {
    const slot = this.#slotOf(key);
    if (this.#counts[slot] === 0) {
      this.#keys[slot] = key;
      this.#distinct += 1;
    }
    this.#counts[slot] = (this.#counts[slot] ?? 0) + times;
    while (this.#distinct > mostIntensities) this.#coarsen();
  }

  #slotOf(key: number): number {
    let slot = (Math.imul(key, 0x9e3779b1) >>> 15) % slotCount;
    while (this.#counts[slot] !== 0 && this.#keys[slot] !== key) slot = (slot + 1) % slotCount;
    return slot;
  }

  #coarsen(): void {
    const { keys, counts } = this.counts();
    this.#counts.fill(0);
    this.#distinct = 0;
    this.#shift += 1;
    for (let at = 0; at < keys.length; at += 1) this.#count((keys[at] ?? 0) >>> 1, counts[at] ?? 0);
  }
}

const exponentBits = 0x7f80_0000;
const signBit = 0x8000_0000;

/** A key that rises with the number whose float32 bits are given; both zeros have one. */
function keyOf(bits: number): number {
  if (bits === 0 || bits === signBit) return signBit;
  return (bits & signBit) === 0 ? (bits | signBit) >>> 0 : ~bits >>> 0;
}

/** The float32 of a key whose missing low bits are zero. */
function intensityOf(key: number): number {
  const bits = (key & signBit) === 0 ? ~key >>> 0 : (key & ~signBit) >>> 0;
  return new Float32Array(Uint32Array.of(bits).buffer)[0] ?? Number.NaN;
}

/**
 * The nearest-rank percentile: the lowest intensity that at least so many percent of the pixels do not exceed.
 * @param percent above 0, 100 at most
 */
export function percentileOf({ shift, keys, counts }: IntensityCounts, percent: number): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const rank = Math.max(1, Math.ceil((percent * total) / 100));
  let reached = 0;
  for (const [at, key] of keys.entries()) {
    reached += counts[at] ?? 0;
    if (reached >= rank) return intensityOf((key << shift) >>> 0);
  }
  return Number.NaN;
}
