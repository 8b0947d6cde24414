// How the values of one subject become one: the aggregations of a plan. Values come by day, on one day by content, so that sums have
// one order whatever the order of import was.
import type { ValueAggregation } from '#federation/records/data-elements.ts';

/** Values of one subject in the window; only the first `count` places hold. */
export interface SubjectValues {
  readonly days: Int32Array;
  readonly values: Float64Array;
  readonly count: number;
}

/** NaN where there is no value, or for a slope fewer than two days. */
export function aggregateValues(aggregation: ValueAggregation, subject: SubjectValues): number {
  const { values, count } = subject;
  if (count === 0) return Number.NaN;
  switch (aggregation) {
    case 'first':
      return values[0] ?? Number.NaN;
    case 'last':
      return values[count - 1] ?? Number.NaN;
    case 'min':
      return extreme(subject, Math.min);
    case 'max':
      return extreme(subject, Math.max);
    case 'mean':
      return meanOf(values, count);
    case 'slope':
      return slopeOf(subject);
  }
}

function extreme({ values, count }: SubjectValues, choose: (left: number, right: number) => number): number {
  let found = values[0] ?? Number.NaN;
  for (let at = 1; at < count; at += 1) found = choose(found, values[at] ?? found);
  return found;
}

function meanOf(values: ArrayLike<number>, count: number): number {
  let sum = 0;
  for (let at = 0; at < count; at += 1) sum += values[at] ?? 0;
  return sum / count;
}

/** Of the least-squares line through the values, per day. */
function slopeOf({ days, values, count }: SubjectValues): number {
  const [meanDay, meanValue] = [meanOf(days, count), meanOf(values, count)];
  let products = 0;
  let squares = 0;
  for (let at = 0; at < count; at += 1) {
    const distance = (days[at] ?? 0) - meanDay;
    products += distance * ((values[at] ?? 0) - meanValue);
    squares += distance * distance;
  }
  return squares === 0 ? Number.NaN : products / squares;
}
