// Fixed bins that every site puts values into: those of DDSketch (Masson, Rim and Lee, PVLDB 12(12), 2019), whose bounds are
// powers of gamma, or those of the plan. Sketches over fixed bins merge by adding, in any order.

/** A bin's number rises with its values, which are in (lower, upper]. */
export interface ValueBins {
  binOf(value: number): number;
  /** Bins are numbered from `first` to `last`. */
  readonly first: number;
  readonly last: number;
  /** Largest value of a bin; Infinity for the last one. */
  upperOf(bin: number): number;
}

/**
 * Ratio of one bound to the next. The middle of a bin, 2·gamma^i / (gamma + 1), is then within (gamma - 1) / (gamma + 1),
 * which is 0.0099, of every value in it.
 */
export const GAMMA = 1.02;
/** Largest relative error of a value that is taken for the middle of its bin. */
export const RELATIVE_ERROR = (GAMMA - 1) / (GAMMA + 1);
/** Magnitudes up to this are in the bin of 0; the last bin of either sign holds all above `LARGEST_BOUND`. */
export const SMALLEST_BOUND = 1e-9;
export const LARGEST_BOUND = 1e15;

// Multiplied up from the smallest, not computed by a logarithm: engines may differ in the last bit of one.
const bounds = positiveBounds();

/** Negative numbers for negative values, 0 around zero. */
export const sketchBins: ValueBins = {
  first: -bounds.length,
  last: bounds.length,
  binOf: (value) => {
    if (value > -SMALLEST_BOUND && value <= SMALLEST_BOUND) return 0;
    // A negative bin mirrors a positive one but for the bounds themselves: (lower, upper] holds for both.
    return value > 0 ? firstAtLeast(bounds, value) : -firstAbove(bounds, -value);
  },
  upperOf: (bin) => {
    if (bin >= bounds.length) return Number.POSITIVE_INFINITY;
    return bin >= 0 ? (bounds[bin] ?? 0) : -(bounds[-bin - 1] ?? 0);
  },
};

/** Bins between the plan's edges: up to the first, between each two, above the last. */
export function histogramBins(edges: readonly number[]): ValueBins {
  const sorted = Float64Array.from(edges);
  return {
    first: 0,
    last: sorted.length,
    binOf: (value) => firstAtLeast(sorted, value),
    upperOf: (bin) => sorted[bin] ?? Number.POSITIVE_INFINITY,
  };
}

/** Values of the bin are above this; -Infinity for the first one. */
export function lowerOf(bins: ValueBins, bin: number): number {
  return bin <= bins.first ? Number.NEGATIVE_INFINITY : bins.upperOf(bin - 1);
}

function positiveBounds(): Float64Array {
  const found: number[] = [];
  for (let bound = SMALLEST_BOUND; bound < LARGEST_BOUND; bound *= GAMMA) found.push(bound);
  return Float64Array.from(found);
}

/** Index of the first bound that is not below the value; the number of bounds where there is none. */
function firstAtLeast(sorted: Float64Array, value: number): number {
  return search(sorted.length, (index) => (sorted[index] ?? 0) >= value);
}

function firstAbove(sorted: Float64Array, value: number): number {
  return search(sorted.length, (index) => (sorted[index] ?? 0) > value);
}

/** The first index for which this holds; it holds for all after it. */
function search(length: number, holds: (index: number) => boolean): number {
  let [from, to] = [0, length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (holds(middle)) to = middle;
    else from = middle + 1;
  }
  return from;
}
