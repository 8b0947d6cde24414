// Adds up what became of a file's rows. Copied before each transaction: one that is rolled back counted nothing.
import type { RowRefusalCode } from './ingest-error.ts';
import type { RowCounts, RowRefusalEntry } from './ingest-outcome.ts';

const keptRefusals = 1_000;
/** Of consents without a patient, each of which may be a refusal that nobody else keeps. */
const keptConsents = 10_000;

interface RefusedRowEntry extends RowRefusalEntry {
  readonly code: RowRefusalCode;
}

export class RowTally {
  readonly #counts = { accepted: 0, duplicate: 0, rejected: 0, notNeeded: 0 };
  /** Rows that add no record by their nature (concepts, observation periods): known only with the whole file. */
  #referenceCount = 0;
  #refusals: RowRefusalEntry[] = [];
  #consents: RowRefusalEntry[] = [];
  #refusedBy = new Map<RowRefusalCode, number>();

  copy(): RowTally {
    const copy = new RowTally();
    Object.assign(copy.#counts, this.#counts);
    copy.#referenceCount = this.#referenceCount;
    copy.#refusals = [...this.#refusals];
    copy.#consents = [...this.#consents];
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
    const isConsent = refusal.code === 'CONSENT_WITHOUT_PATIENT';
    const [kept, limit] = isConsent ? [this.#consents, keptConsents] : [this.#refusals, keptRefusals];
    if (kept.length < limit) kept.push(refusal);
  }

  /** @param isKnown the same bytes were taken before */
  counts(isKnown: boolean): RowCounts {
    const counts = { ...this.#counts };
    counts[isKnown ? 'duplicate' : 'accepted'] += this.#referenceCount;
    return counts;
  }

  /** The first refused rows; before all others those that somebody has to look at. */
  get refusals(): readonly RowRefusalEntry[] {
    return [...this.#consents, ...this.#refusals];
  }

  /** How many rows were refused by each code. */
  get refusedBy(): ReadonlyMap<RowRefusalCode, number> {
    return this.#refusedBy;
  }
}
