// Mean and standard deviation of each feature over all sites, from counts, sums and sums of squares alone.
import { featureCount } from '#federation/aggregation/payload-manifest.ts';
import { countOf, inSiteOrder, type SiteUpdate } from '#federation/aggregation/site-update.ts';
import { requireTensor } from '#federation/tensors/manifest.ts';
import type { TensorMap } from '#federation/tensors/tensor.ts';
import { badTensors } from '#federation/tensors/tensor-error.ts';

/** Bound on one site's sum of squares. With it the sums of all sites stay finite, whoever sends first. */
const MAX_SUM_OF_SQUARES = 1e200;

/**
 * `normalisation/mean` and `normalisation/scale`, both [features] in float64. The scale is the unbiased standard deviation
 * (n - 1), and 0 where a column is constant up to rounding: such a column normalises to 0.
 * @throws TensorError BAD_TENSORS when a site's numbers cannot come from any data.
 */
export function pooledNormalisation(base: TensorMap, updates: readonly SiteUpdate[]): TensorMap {
  const features = featureCount(base);
  const sums = new Float64Array(features);
  const squares = new Float64Array(features);
  let count = 0;
  for (const update of inSiteOrder(updates)) {
    count += siteCount(update);
    add(sums, update.payload, 'statistics/sum');
    add(squares, update.payload, 'statistics/sumOfSquares');
  }
  const mean = sums.map((sum) => sum / count);
  const scale = squares.map((square, index) => deviation(square, sums[index] ?? 0, count));
  return new Map([
    ['normalisation/mean', { shape: [features], data: mean }],
    ['normalisation/scale', { shape: [features], data: scale }],
  ]);
}

function siteCount({ siteId, exampleCount, payload }: SiteUpdate): number {
  const count = countOf(payload, 'statistics/count');
  // Otherwise a site could weigh its sums by a count that it did not sign for.
  if (count !== exampleCount)
    throw badTensors('count differs from the statement', { siteId, expected: exampleCount, found: count });
  const sum = requireTensor(payload, 'statistics/sum').data;
  const squares = requireTensor(payload, 'statistics/sumOfSquares').data;
  for (let index = 0; index < sum.length; index += 1) {
    // Two sites whose sums overflow only together would keep the round open, and the one that came second would be blamed for it.
    if ((squares[index] ?? 0) > MAX_SUM_OF_SQUARES)
      throw badTensors('sums too large', { siteId, feature: index });
    // Cauchy-Schwarz: no data have (Σx)² > n·Σx². Such numbers would give a made-up scale.
    const excess = (sum[index] ?? 0) ** 2 / count - (squares[index] ?? 0);
    if (excess > roundingOf(squares[index] ?? 0, count))
      throw badTensors('sums of no data', { siteId, feature: index });
  }
  return count;
}

function add(target: Float64Array, payload: TensorMap, name: string): void {
  const { data } = requireTensor(payload, name);
  for (let index = 0; index < target.length; index += 1)
    target[index] = (target[index] ?? 0) + (data[index] ?? 0);
}

function deviation(square: number, sum: number, count: number): number {
  const spread = square - (sum / count) * sum;
  if (count < 2 || spread <= roundingOf(square, count)) return 0;
  return Math.sqrt(spread / (count - 1));
}

/** Bound on the rounding error of a sum of `count` squares: a constant column must not get a scale made of it. */
function roundingOf(square: number, count: number): number {
  return (count + 2) * Number.EPSILON * Math.abs(square);
}
