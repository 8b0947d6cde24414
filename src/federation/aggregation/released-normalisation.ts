// Mean and standard deviation of each feature over the sites that released its sums, exactly those of their rows in one place.
import { inSiteOrder, type SiteUpdate } from '#federation/aggregation/site-update.ts';
import type { FeatureStatistics, SiteStatistics } from '#federation/records/site-statistics.ts';
import { type ExactSums, poolSums, SUM_PARTS } from '#federation/statistics/exact-sums.ts';
import type { StatisticsLayout } from '#federation/statistics/statistics-layout.ts';
import { decodeStatistics } from '#federation/statistics/statistics-tensors.ts';
import type { TensorMap } from '#federation/tensors/tensor.ts';
import { badTensors } from '#federation/tensors/tensor-error.ts';

/** A deviation of less than this part of the mean is rounding: of a unit that one site divides by, and another multiplies by its inverse. */
const ROUNDING = 2 ** -40;

/** What each site released, by site id. @throws TensorError BAD_TENSORS. */
export function collectStatistics(
  layout: StatisticsLayout,
  updates: readonly SiteUpdate[],
): SiteStatistics[] {
  return inSiteOrder(updates).map(({ siteId, exampleCount, payload }) => {
    const released = decodeStatistics(layout, payload);
    // Otherwise a site could weigh its sums by a count that it did not sign for.
    if (released.exampleCount !== exampleCount) {
      const { exampleCount: found } = released;
      throw badTensors('count differs from the statement', { siteId, expected: exampleCount, found });
    }
    return { siteId, ...released };
  });
}

/**
 * `normalisation/mean` and `normalisation/scale`, both [features] in float64; the scale is the unbiased standard deviation. Both
 * are 0 where no site released the sums, and the scale where a column is constant up to rounding: such a column normalises to 0.
 */
export function releasedNormalisation(sites: readonly SiteStatistics[], width: number): TensorMap {
  const moments = Array.from({ length: width }, (_, column) => poolSums(releasedSums(sites, column)));
  const mean = Float64Array.from(moments, (pooled) => pooled?.mean ?? 0);
  const scale = Float64Array.from(moments, (pooled) => {
    const deviation = Math.sqrt(pooled?.variance ?? 0);
    return deviation <= ROUNDING * Math.abs(pooled?.mean ?? 0) ? 0 : deviation;
  });
  return new Map([
    ['normalisation/mean', { shape: [width], data: mean }],
    ['normalisation/scale', { shape: [width], data: scale }],
  ]);
}

/** The sums of a column at every site that released them. */
export function releasedSums(sites: readonly SiteStatistics[], column: number): ExactSums[] {
  return sites.flatMap(({ exampleCount: count, features }) => {
    const feature = features[column];
    const sums = feature === undefined ? undefined : sumsOf(feature);
    return sums === undefined ? [] : [{ count, ...sums }];
  });
}

/** Of zeros and ones, sum and sum of squares are the number of ones. */
function sumsOf(feature: FeatureStatistics): Omit<ExactSums, 'count'> | undefined {
  if (feature.kind === 'measured') return feature.sums ?? undefined;
  if (feature.oneCount === null) return undefined;
  const ones = [feature.oneCount, ...Array<number>(SUM_PARTS - 1).fill(0)];
  return { sum: ones, sumOfSquares: ones };
}
