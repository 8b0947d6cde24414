// Count, sum and sum of squares without rounding: the same values in any order, at any number of sites, give the same bits, so
// that the federation's mean and variance are exactly those of all rows in one place.
import { fromSteps, nearestRatio, toSteps } from '#federation/statistics/exact-number.ts';

/** Doubles that one sum takes: each is the nearest to what the ones before it left. */
export const SUM_PARTS = 4;

/** Largest magnitude that is summed: sums and sums of squares of 10,000,000 rows are then below these. */
export const MAX_SUMMED = 1e15;
export const MAX_SUM = 1e22;
export const MAX_SUM_OF_SQUARES = 1e37;
/** Below this, a value counts as 0: the square of a smaller one would lose bits. */
const MIN_SUMMED = 1e-100;

export interface ExactSums {
  readonly count: number;
  /** `SUM_PARTS` doubles, largest first, whose sum is the exact one. */
  readonly sum: readonly number[];
  readonly sumOfSquares: readonly number[];
}

/**
 * Sums of these values. Exact as long as the bits of a sum, from the
 * first to the last that is not 0, are no more than four doubles hold (212): so are values between 1e-9 and 1e15 with 16 digits.
 * @param values of a magnitude of at most `MAX_SUMMED`
 */
export function sumExactly(values: Iterable<number>): ExactSums {
  const sums = new FloatSum();
  const squares = new FloatSum();
  let count = 0;
  for (const value of values) {
    const summed = Math.abs(value) < MIN_SUMMED ? 0 : value;
    sums.add(summed);
    const square = summed * summed;
    squares.add(square);
    squares.add(squareError(summed, square));
    count += 1;
  }
  return { count, sum: toParts(sums.steps()), sumOfSquares: toParts(squares.steps()) };
}

export interface PooledMoments {
  readonly count: number;
  readonly mean: number;
  /** Unbiased (n - 1); 0 for a single value. */
  readonly variance: number;
}

/** Mean and variance of all rows together, each rounded once; undefined where there is no row. */
export function poolSums(sites: readonly ExactSums[]): PooledMoments | undefined {
  const count = sites.reduce((total, site) => total + site.count, 0);
  if (count === 0) return undefined;
  const sum = totalSteps(sites.map((site) => site.sum));
  const squares = totalSteps(sites.map((site) => site.sumOfSquares));
  const rows = BigInt(count);
  const one = toSteps(1);
  // n·Σx² - (Σx)², over n(n - 1): Σx² is in steps, (Σx)² in steps of steps.
  const spread = rows * squares * one - sum * sum;
  return {
    count,
    mean: nearestRatio(sum, rows * one),
    variance: count < 2 ? 0 : nearestRatio(spread, rows * (rows - 1n) * one * one),
  };
}

/** Whether data can have these sums: (Σx)² ≤ n·Σx² (Cauchy-Schwarz). */
export function areSumsOfData({ count, sum, sumOfSquares }: ExactSums): boolean {
  const total = totalSteps([sum]);
  const squares = totalSteps([sumOfSquares]);
  return squares >= 0n && total * total <= BigInt(count) * squares * toSteps(1);
}

function totalSteps(sums: readonly (readonly number[])[]): bigint {
  return sums.flat().reduce((total, part) => total + toSteps(part), 0n);
}

function toParts(steps: bigint): number[] {
  const parts: number[] = [];
  let left = steps;
  while (parts.length < SUM_PARTS) {
    const part = fromSteps(left);
    parts.push(part);
    left -= toSteps(part);
  }
  return parts;
}

/** A sum as doubles that do not overlap (Shewchuk 1997, grow-expansion): nothing is rounded away. */
class FloatSum {
  #parts: number[] = [];

  add(value: number): void {
    const kept: number[] = [];
    let carried = value;
    for (const part of this.#parts) {
      const sum = carried + part;
      const virtual = sum - carried;
      const error = carried - (sum - virtual) + (part - virtual);
      if (error !== 0) kept.push(error);
      carried = sum;
    }
    kept.push(carried);
    this.#parts = kept;
  }

  steps(): bigint {
    return totalSteps([this.#parts]);
  }
}

/** `value`² - `square`, exactly (Dekker 1971). */
function squareError(value: number, square: number): number {
  const spread = value * 134_217_729;
  const high = spread - (spread - value);
  const low = value - high;
  return low * low - (square - high * high - 2 * high * low);
}
