// Quantiles of all sites from the cells that they released, each with the bounds that it is certain to be in.
import type { Cell } from '#federation/statistics/cells.ts';
import { lowerOf, type ValueBins } from '#federation/statistics/value-bins.ts';

export interface Quantile {
  /** The middle of the bounds; the known bound where one is open. Null where no cell was released. */
  readonly estimate: number | null;
  /** The quantile is not below this; null: nothing is known. */
  readonly lower: number | null;
  /** The quantile is not above this; null: nothing is known. */
  readonly upper: number | null;
}

/**
 * The value of rank 1 + ⌊share·(n - 1)⌋, the lower quantile of the DDSketch paper. Every subject is between the bounds of its
 * cell, so the value of a rank is between the lower bound and the upper bound of that rank, whatever cells a site has. Where
 * they are those of one bin, the estimate is within `RELATIVE_ERROR` of the value.
 */
export function quantileOf(sites: readonly (readonly Cell[])[], bins: ValueBins, share: number): Quantile {
  const bounded = sites.flat().map(({ from, to, count }) => ({
    count,
    lower: lowerOf(bins, from),
    upper: bins.upperOf(to),
  }));
  const total = bounded.reduce((sum, { count }) => sum + count, 0);
  if (total === 0) return { estimate: null, lower: null, upper: null };
  const rank = 1 + Math.floor(share * (total - 1));
  const lower = boundOfRank(bounded, rank, 'lower');
  const upper = boundOfRank(bounded, rank, 'upper');
  return { estimate: middle(lower, upper), lower: finiteOrNull(lower), upper: finiteOrNull(upper) };
}

interface BoundedCell {
  readonly count: number;
  readonly lower: number;
  readonly upper: number;
}

function boundOfRank(cells: readonly BoundedCell[], rank: number, side: 'lower' | 'upper'): number {
  let before = 0;
  for (const cell of cells.toSorted((left, right) =>
    left[side] < right[side] ? -1 : left[side] > right[side] ? 1 : 0,
  )) {
    before += cell.count;
    if (before >= rank) return cell[side];
  }
  return Number.NaN;
}

/** Of bounds of one sign the value with the same relative distance to both, as in the paper. */
function middle(lower: number, upper: number): number | null {
  if (!Number.isFinite(lower)) return finiteOrNull(upper);
  if (!Number.isFinite(upper)) return lower;
  return lower * upper > 0 ? (2 * lower * upper) / (lower + upper) : (lower + upper) / 2;
}

function finiteOrNull(bound: number): number | null {
  return Number.isFinite(bound) ? bound : null;
}
