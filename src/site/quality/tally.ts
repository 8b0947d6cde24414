// Counts records together with the subjects they are of: what is shown is decided by the subjects, because one may have many records.
import { type SuppressedCount, suppressCells, suppressCount } from '#site/cohort/index.ts';

export class Tally {
  recordCount = 0;
  readonly #subjects = new Set<number>();

  add(subjectNo: number): void {
    this.recordCount += 1;
    this.#subjects.add(subjectNo);
  }

  get subjectCount(): number {
    return this.#subjects.size;
  }
}

export interface ShownTally {
  readonly subjectCount: SuppressedCount;
  readonly recordCount: SuppressedCount;
}

/** Withheld also where the others are few, out of any of these totals of subjects. */
export function showTally({ subjectCount, recordCount }: Tally, totals: readonly number[]): ShownTally {
  const isShown = totals.every((of) => showPart(subjectCount, of) !== null);
  return withRecords(isShown ? suppressCount(subjectCount) : null, recordCount);
}

/** Tallies of which a subject may be in several: each is withheld with any other that is small. */
export function showTallies(tallies: readonly Tally[], of: number): ShownTally[] {
  const parts = tallies.map(({ subjectCount }) => showPart(subjectCount, of));
  const cells = suppressCells(tallies.map(({ subjectCount }) => subjectCount));
  return tallies.map(({ recordCount }, at) => {
    const isShown = (parts[at] ?? null) !== null;
    return withRecords(isShown ? (cells[at] ?? null) : null, recordCount);
  });
}

export function showPart(count: number, of: number): SuppressedCount {
  return suppressCells([count, of - count])[0] ?? null;
}

function withRecords(subjectCount: SuppressedCount, recordCount: number): ShownTally {
  return { subjectCount, recordCount: subjectCount === null ? null : recordCount };
}
