// Count, sum and sum of squares without rounding: the same values in any order, at any number of sites, give the same bits, so
// that the federation's mean and variance are exactly those of all rows in one place. Values are summed as the decimal numbers that
// they were written as: what a double lacks of its decimal would otherwise leave with the sum, and tell more than the sum.
import { decimalOf, MAX_DECIMALS } from '#federation/statistics/decimal.ts';
import { nearestRatio, toSteps } from '#federation/statistics/exact-number.ts';

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
  /** `SUM_PARTS` doubles, each the nearest to what is left of the sum. */
  readonly sum: readonly number[];
  readonly sumOfSquares: readonly number[];
}

/** A sum is a whole number of steps of 1 / (`STEPS_IN_ONE` · 10^`MAX_DECIMALS`), and that of squares with twice the decimals. */
const STEPS_IN_ONE = toSteps(1);
const SUM_UNIT = 10n ** BigInt(MAX_DECIMALS);
const SQUARE_UNIT = SUM_UNIT * SUM_UNIT;

/**
 * Sums of these values. Of decimals they are nearer than any difference that a mean or variance could show, and exact again in
 * `poolSums`. Of other values they are exact as long as the bits of a sum, from the
 * first to the last that is not 0, are no more than four doubles hold (212): so are values between 1e-9 and 1e15 with 16 digits.
 * @param values of a magnitude of at most `MAX_SUMMED`
 */
export function sumExactly(values: Iterable<number>): ExactSums {
  // By decimals; the last is of values that no decimal writes.
  const sums = Array.from({ length: MAX_DECIMALS + 2 }, () => new FloatSum());
  const squares = sums.map(() => new FloatSum());
  let count = 0;
  for (const value of values) {
    const summed = Math.abs(value) < MIN_SUMMED ? 0 : value;
    const { mantissa, decimals } = decimalOf(summed) ?? { mantissa: summed, decimals: MAX_DECIMALS + 1 };
    sums[decimals]?.add(mantissa);
    const square = mantissa * mantissa;
    squares[decimals]?.add(square);
    squares[decimals]?.add(squareError(mantissa, square));
    count += 1;
  }
  return {
    count,
    sum: toParts(joinDecimals(sums, 1n), SUM_UNIT),
    sumOfSquares: toParts(joinDecimals(squares, 2n), SQUARE_UNIT),
  };
}

/** @param power 1n for sums of values, 2n for those of squares */
function joinDecimals(sums: readonly FloatSum[], power: bigint): bigint {
  const unit = SUM_UNIT ** power;
  return sums.reduce((total, sum, decimals) => {
    const divisor = decimals > MAX_DECIMALS ? 1n : 10n ** (BigInt(decimals) * power);
    return total + (sum.steps() * unit) / divisor;
  }, 0n);
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
  const total = (sums: readonly bigint[]) => sums.reduce((before, sum) => before + sum, 0n);
  const sum = total(sites.map((site) => fromParts(site.sum, SUM_UNIT)));
  const squares = total(sites.map((site) => fromParts(site.sumOfSquares, SQUARE_UNIT)));
  const rows = BigInt(count);
  const one = STEPS_IN_ONE;
  // n·Σx² - (Σx)², over n(n - 1): Σx² is in steps, (Σx)² in steps of steps.
  const spread = rows * squares * one - sum * sum;
  return {
    count,
    mean: nearestRatio(sum, rows * one * SUM_UNIT),
    variance: count < 2 ? 0 : nearestRatio(spread, rows * (rows - 1n) * one * one * SQUARE_UNIT),
  };
}

/** Whether data can have these sums: (Σx)² ≤ n·Σx² (Cauchy-Schwarz). */
export function areSumsOfData({ count, sum, sumOfSquares }: ExactSums): boolean {
  const total = fromParts(sum, SUM_UNIT);
  const squares = fromParts(sumOfSquares, SQUARE_UNIT);
  return squares >= 0n && total * total <= BigInt(count) * squares * STEPS_IN_ONE;
}

/** Whether each part is the nearest to what is left: other parts of the same sum could carry what nobody reads. */
export function areNearestParts(parts: readonly number[]): boolean {
  return isSame(toParts(totalSteps(parts), 1n), parts);
}

/** The decimal number that has these parts; where there is none, what they add up to. */
function fromParts(parts: readonly number[], unit: bigint): bigint {
  const total = totalSteps(parts) * unit;
  // Of one part: a double, and its own decimal if it is one.
  if (parts[1] === 0) return total;
  const whole = ((total + (total < 0n ? -STEPS_IN_ONE : STEPS_IN_ONE) / 2n) / STEPS_IN_ONE) * STEPS_IN_ONE;
  return isSame(toParts(whole, unit), parts) ? whole : total;
}

function isSame(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((part, index) => part === right[index]);
}

function totalSteps(parts: readonly number[]): bigint {
  return parts.reduce((total, part) => total + toSteps(part), 0n);
}

function toParts(sum: bigint, unit: bigint): number[] {
  const parts: number[] = [];
  let left = sum;
  while (parts.length < SUM_PARTS) {
    const part = nearestRatio(left, STEPS_IN_ONE * unit);
    parts.push(part);
    left -= toSteps(part) * unit;
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
    return totalSteps(this.#parts);
  }
}

/** `value`² - `square`, exactly (Dekker 1971). */
function squareError(value: number, square: number): number {
  const spread = value * 134_217_729;
  const high = spread - (spread - value);
  const low = value - high;
  return low * low - (square - high * high - 2 * high * low);
}
