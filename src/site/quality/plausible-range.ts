// The rules for values that cannot be, or hardly can be, right: simple enough to say in a sentence, and not moved by what they find.

/** Fewer values tell nothing about the others. */
const fewestValues = 20;
const mostDeviations = 10;
/** Where more are negative, the quantity has a sign. */
const mostNegative = 0.05;

export interface PlausibleRange {
  /** Both included. */
  readonly low: number;
  readonly high: number;
}

/** Median plus and minus ten times the median absolute deviation; undefined for few values, or where half of them are equal. */
export function plausibleRange(values: Float64Array): PlausibleRange | undefined {
  if (values.length < fewestValues) return undefined;
  const middle = medianOf(values);
  const deviation = medianOf(values.map((value) => Math.abs(value - middle)));
  if (deviation === 0) return undefined;
  return { low: middle - mostDeviations * deviation, high: middle + mostDeviations * deviation };
}

/** Whether values below zero are few enough to be wrong. */
export function isPositiveQuantity(values: Float64Array): boolean {
  if (values.length < fewestValues) return false;
  const negative = values.reduce((count, value) => count + Number(value < 0), 0);
  return negative <= mostNegative * values.length;
}

function medianOf(values: Float64Array): number {
  const sorted = values.slice().sort();
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2;
}

/** Three digits: a bound is no subject's value. */
export function formatBound(value: number): string {
  return String(Number(value.toPrecision(3)));
}
