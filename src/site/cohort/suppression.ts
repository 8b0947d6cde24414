// The limit under which a site withholds counts wherever it shows them (C12).
import * as federation from '#federation/statistics/suppress-cells.ts';

/** Counts from 1 to one less than this are withheld. */
export const SUPPRESSION_LIMIT = 5;

/** The counts of a table whose total is known, with small ones and what would give them away replaced by null. */
export function suppressCells(counts: readonly number[]): (number | null)[] {
  return federation.suppressCells(counts, SUPPRESSION_LIMIT);
}

/** A single count outside of any table with totals. */
export function suppressCount(count: number): number | null {
  return federation.suppressCount(count, SUPPRESSION_LIMIT);
}
