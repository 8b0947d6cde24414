// Adds up what became of a file's rows. Copied before each transaction: one that is rolled back counted nothing.
import type { RowRefusalCode } from './ingest-error.ts';
import type { RowCounts, RowRefusalEntry } from './ingest-outcome.ts';

const keptRefusals = 1_000;

interface RefusedRowEntry extends RowRefusalEntry {
  readonly code: RowRefusalCode;
}

export class RowTally {
  readonly #counts = { accepted: 0, duplicate: 0, rejected: 0, notNeeded: 0 };
  /** Rows that add no record by their nature (concepts, observation periods): known only with the whole file. */
  #referenceCount = 0;
  #refusals: RowRefusalEntry[] = [];
  #refusedBy = new Map<RowRefusalCode, number>();

  copy(): RowTally {
    const copy = new RowTally();
    Object.assign(copy.#counts, this.#counts);
    copy.#referenceCount = this.#referenceCount;
    copy.#refusals = [...this.#refusals];
    copy.#refusedBy = new Map(this.#refusedBy);
    return copy;
  }

  count(name: keyof RowCounts): void {
    this.#counts[name] += 1;
  }

  countReference(): void {
    this.#referenceCount += 1;
  }

  refuse(refusal: RefusedRowEntry): void {
    this.count('rejected');
    this.#refusedBy.set(refusal.code, (this.#refusedBy.get(refusal.code) ?? 0) + 1);
    if (this.#refusals.length < keptRefusals) this.#refusals.push(refusal);
  }

  /** @param isKnown the same bytes were taken before */
  counts(isKnown: boolean): RowCounts {
    const counts = { ...this.#counts };
    counts[isKnown ? 'duplicate' : 'accepted'] += this.#referenceCount;
    return counts;
  }

  /** The first refused rows. */
  get refusals(): readonly RowRefusalEntry[] {
    return this.#refusals;
  }

  /** How many rows were refused by each code. */
  get refusedBy(): ReadonlyMap<RowRefusalCode, number> {
    return this.#refusedBy;
  }
}
