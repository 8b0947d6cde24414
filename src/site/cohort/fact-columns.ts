// Facts of one code in columns that grow, in the order of the store: of a thread to another they go by shifting memory.

const smallestCapacity = 1_024;

export interface FactColumnData {
  readonly count: number;
  /** As the facts came, before any merge. */
  readonly subjectNos: Int32Array<ArrayBuffer>;
  /** Shifted by the date offset of that subject. */
  readonly days: Int32Array<ArrayBuffer>;
  /** NaN where the fact has no number. */
  readonly numbers: Float64Array<ArrayBuffer>;
  /** Of its unit or its coded value; 0 where it has neither. */
  readonly wordIds: Int32Array<ArrayBuffer>;
}

/** One serves for code after code: memory that comes and goes in millions of facts would not all be given back. */
export class FactColumns implements FactColumnData {
  /** Places from here on hold nothing yet. */
  count = 0;
  subjectNos: Int32Array<ArrayBuffer>;
  days: Int32Array<ArrayBuffer>;
  numbers: Float64Array<ArrayBuffer>;
  wordIds: Int32Array<ArrayBuffer>;

  constructor() {
    this.subjectNos = new Int32Array(smallestCapacity);
    this.days = new Int32Array(smallestCapacity);
    this.numbers = new Float64Array(smallestCapacity);
    this.wordIds = new Int32Array(smallestCapacity);
  }

  /** A copy of what is in them: in the memory of columns that are not needed any more where they are large enough, else in its own. */
  copy(unneeded: FactColumnData | undefined): FactColumnData {
    const { count } = this;
    if (unneeded === undefined || unneeded.subjectNos.length < count)
      return {
        count,
        subjectNos: this.subjectNos.slice(0, count),
        days: this.days.slice(0, count),
        numbers: this.numbers.slice(0, count),
        wordIds: this.wordIds.slice(0, count),
      };
    const { subjectNos, days, numbers, wordIds } = unneeded;
    subjectNos.set(this.subjectNos.subarray(0, count));
    days.set(this.days.subarray(0, count));
    numbers.set(this.numbers.subarray(0, count));
    wordIds.set(this.wordIds.subarray(0, count));
    return { count, subjectNos, days, numbers, wordIds };
  }

  /** Makes room for so many more. */
  reserve(more: number): void {
    const needed = this.count + more;
    if (needed <= this.subjectNos.length) return;
    const capacity = Math.max(needed, Math.ceil(1.5 * this.count));
    this.subjectNos = grown(this.subjectNos, new Int32Array(capacity));
    this.days = grown(this.days, new Int32Array(capacity));
    this.numbers = grown(this.numbers, new Float64Array(capacity));
    this.wordIds = grown(this.wordIds, new Int32Array(capacity));
  }
}

function grown<Column extends Int32Array<ArrayBuffer> | Float64Array<ArrayBuffer>>(
  column: Column,
  larger: Column,
): Column {
  larger.set(column);
  return larger;
}
