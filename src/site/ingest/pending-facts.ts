// Facts that the index of named records does not have yet, by the key of their record: a hash table in typed arrays.

const firstRoom = 4_096;
/** In the place of the concept of one that was removed. */
const removed = 0;
const none = -1;

/** Where a fact lies in the store. */
export interface FactPlace {
  readonly conceptId: number;
  readonly factId: number;
}

export class PendingFacts {
  #count = 0;
  #keys = new Float64Array(firstRoom);
  #conceptIds = new Int32Array(firstRoom);
  #factIds = new Float64Array(firstRoom);
  /** The one before with the same remainder of its key. */
  #before = new Int32Array(firstRoom);
  /** By the remainder of the key: the last one. */
  #last = new Int32Array(firstRoom).fill(none);

  /** With those that were removed. */
  get count(): number {
    return this.#count;
  }

  /** Of the first one, null where there is none. */
  get firstFactId(): number | null {
    return this.#count === 0 ? null : (this.#factIds[0] ?? 0);
  }

  /** @param factId higher than of those before */
  add(key: number, conceptId: number, factId: number): void {
    if (this.#count === this.#keys.length) this.#grow();
    const index = this.#count;
    this.#keys[index] = key;
    this.#conceptIds[index] = conceptId;
    this.#factIds[index] = factId;
    this.#count += 1;
    this.#link(index);
  }

  has(key: number): boolean {
    return this.#find(key, this.#last[this.#bucketOf(key)] ?? none) !== none;
  }

  placesOf(key: number): FactPlace[] {
    const places: FactPlace[] = [];
    for (let at = this.#find(key, this.#last[this.#bucketOf(key)] ?? none); at !== none; ) {
      places.push({ conceptId: this.#conceptIds[at] ?? 0, factId: this.#factIds[at] ?? 0 });
      at = this.#find(key, this.#before[at] ?? none);
    }
    return places;
  }

  remove(key: number, factId: number): void {
    let at = this.#find(key, this.#last[this.#bucketOf(key)] ?? none);
    while (at !== none && this.#factIds[at] !== factId) at = this.#find(key, this.#before[at] ?? none);
    if (at !== none) this.#conceptIds[at] = removed;
  }

  /**
   * Numbers of the first `count`, by the uppermost bits of their keys: neighbours in the index lie together, which is all that its pages
   * ask for, and takes one pass where sorting takes many.
   */
  inKeyOrder(count: number): Uint32Array {
    const runs = 4_096;
    const runBits = 2 ** 48 / runs;
    const ends = new Uint32Array(runs + 1);
    const runOf = (index: number): number => Math.floor(Math.abs((this.#keys[index] ?? 0) + 1) / runBits);
    for (let index = 0; index < count; index += 1) ends[runOf(index) + 1] = (ends[runOf(index) + 1] ?? 0) + 1;
    for (let run = 0; run < runs; run += 1) ends[run + 1] = (ends[run + 1] ?? 0) + (ends[run] ?? 0);
    const order = new Uint32Array(count);
    for (let index = 0; index < count; index += 1) {
      const run = runOf(index);
      order[ends[run] ?? 0] = index;
      ends[run] = (ends[run] ?? 0) + 1;
    }
    return order;
  }

  /** Key and place of a number of `inKeyOrder`; undefined for one that was removed. */
  at(index: number): readonly [key: number, conceptId: number, factId: number] | undefined {
    const conceptId = this.#conceptIds[index] ?? removed;
    if (conceptId === removed) return undefined;
    return [this.#keys[index] ?? 0, conceptId, this.#factIds[index] ?? 0];
  }

  /** What is left without the first `count`. */
  after(count: number): PendingFacts {
    const left = new PendingFacts();
    for (let index = count; index < this.#count; index += 1) {
      const entry = this.at(index);
      if (entry !== undefined) left.add(...entry);
    }
    return left;
  }

  /** From a number on, the first with this key. */
  #find(key: number, from: number): number {
    let at = from;
    while (at !== none && (this.#keys[at] !== key || this.#conceptIds[at] === removed))
      at = this.#before[at] ?? none;
    return at;
  }

  #bucketOf(key: number): number {
    return Math.abs(key) % this.#last.length;
  }

  #link(index: number): void {
    const bucket = this.#bucketOf(this.#keys[index] ?? 0);
    this.#before[index] = this.#last[bucket] ?? none;
    this.#last[bucket] = index;
  }

  #grow(): void {
    const room = this.#keys.length * 2;
    this.#keys = copyTo(new Float64Array(room), this.#keys);
    this.#conceptIds = copyTo(new Int32Array(room), this.#conceptIds);
    this.#factIds = copyTo(new Float64Array(room), this.#factIds);
    this.#before = new Int32Array(room);
    this.#last = new Int32Array(room).fill(none);
    for (let index = 0; index < this.#count; index += 1) this.#link(index);
  }
}

function copyTo<T extends Float64Array | Int32Array>(target: T, source: T): T {
  target.set(source);
  return target;
}
