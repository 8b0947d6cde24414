// What is remembered of each row of a CSV file, by the digest of its record's name: some 20 bytes a row, in flat arrays, so that a
// table of millions of rows does not fill the memory.

const firstSlots = 1_024;
/** Beyond it looking for a free slot becomes slow. */
const fullest = 0.6;

/** 64-bit keys to whole numbers from 1 to 2^32 - 1. */
export class RowDigests {
  #size = 0;
  #slots = firstSlots;
  /** Two words a slot. */
  #keys = new Uint32Array(firstSlots * 2);
  /** 0: the slot is free. */
  #values = new Uint32Array(firstSlots);

  /** @param digest of 8 bytes at least. 0 where nothing is remembered. */
  get(digest: Buffer): number {
    return this.#values[this.#find(digest.readUInt32LE(0), digest.readUInt32LE(4))] ?? 0;
  }

  set(digest: Buffer, value: number): void {
    if (this.#size >= this.#slots * fullest) this.#grow();
    this.#put(digest.readUInt32LE(0), digest.readUInt32LE(4), value);
  }

  #put(low: number, high: number, value: number): void {
    const slot = this.#find(low, high);
    if (this.#values[slot] === 0) this.#size += 1;
    this.#keys[slot * 2] = low;
    this.#keys[slot * 2 + 1] = high;
    this.#values[slot] = value;
  }

  /** The key's slot, or the free one where it belongs. */
  #find(low: number, high: number): number {
    // The number of slots is a power of two.
    const mask = this.#slots - 1;
    let slot = low & mask;
    while (this.#values[slot] !== 0 && (this.#keys[slot * 2] !== low || this.#keys[slot * 2 + 1] !== high))
      slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const [keys, values] = [this.#keys, this.#values];
    this.#slots *= 2;
    this.#size = 0;
    this.#keys = new Uint32Array(this.#slots * 2);
    this.#values = new Uint32Array(this.#slots);
    for (const [slot, value] of values.entries())
      if (value !== 0) this.#put(keys[slot * 2] ?? 0, keys[slot * 2 + 1] ?? 0, value);
  }
}
