// Adds up the outcomes of a batch. The totals are of all files; of many files only those that a person must look at are kept one by one.
import type { FileOutcome, OutcomeKind, RowCounts } from './ingest-outcome.ts';

export const keptFiles = 1_000;

export class OutcomeTally {
  readonly counts: Record<OutcomeKind, number> = { accepted: 0, duplicate: 0, quarantined: 0, rejected: 0 };
  readonly rowCounts: { -readonly [Name in keyof RowCounts]: number } = {
    accepted: 0,
    duplicate: 0,
    rejected: 0,
    notNeeded: 0,
  };
  #files: FileOutcome[] = [];
  /** Where among the kept files one that is wholly in may be given up for one that is not. */
  #nextGivenUp = 0;

  add(file: FileOutcome): void {
    this.counts[file.outcome] += 1;
    for (const name of ['accepted', 'duplicate', 'rejected', 'notNeeded'] as const)
      this.rowCounts[name] += file.rows[name];
    if (this.#files.length < keptFiles) this.#files.push(file);
    else if (!isWhole(file)) this.#keepInstead(file);
  }

  get fileCount(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }

  /** Every file where they are at most `keptFiles`, else first of all those that are not wholly in. */
  get files(): readonly FileOutcome[] {
    return this.#files;
  }

  #keepInstead(file: FileOutcome): void {
    while (this.#nextGivenUp < this.#files.length && !isWhole(this.#files[this.#nextGivenUp] as FileOutcome))
      this.#nextGivenUp += 1;
    if (this.#nextGivenUp < this.#files.length) this.#files[this.#nextGivenUp] = file;
  }
}

function isWhole({ outcome, code }: FileOutcome): boolean {
  return code === null && (outcome === 'accepted' || outcome === 'duplicate');
}
