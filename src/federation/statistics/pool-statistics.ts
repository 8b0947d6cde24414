// What all sites' released statistics say together. Pure: whoever has the signed global model of the round can make it again.
import { releasedSums } from '#federation/aggregation/released-normalisation.ts';
import type { SiteStatistics } from '#federation/records/site-statistics.ts';
import { commonCells } from '#federation/statistics/cells.ts';
import { poolSums } from '#federation/statistics/exact-sums.ts';
import { type Quantile, quantileOf } from '#federation/statistics/quantiles.ts';
import type { StatisticsLayout } from '#federation/statistics/statistics-layout.ts';
import { lowerOf, type ValueBins } from '#federation/statistics/value-bins.ts';

/** A count over the sites that released theirs. */
export interface PooledCount {
  /** null where no site did. */
  readonly oneCount: number | null;
  /** Subjects of those sites. */
  readonly exampleCount: number;
  readonly withheldBy: readonly string[];
}

export interface PooledFeature {
  readonly name: string;
  readonly missingCount: number;
  /** Over the sites that released the sums; null where none did. */
  readonly mean: number | null;
  /** Unbiased. */
  readonly variance: number | null;
  readonly momentsWithheldBy: readonly string[];
  /** Of a feature of 0 and 1. */
  readonly counted: PooledCount | null;
  /** Of a measured feature. */
  readonly measured: PooledMeasured | null;
}

export interface PooledMeasured {
  readonly cellsWithheldBy: readonly string[];
  readonly quantiles: readonly (Quantile & { readonly share: number })[];
  /** Cells that every site's cells add up to; values above `lower` and up to `upper`, null: open. */
  readonly cells: readonly {
    readonly lower: number | null;
    readonly upper: number | null;
    readonly count: number;
  }[];
}

export interface PooledStatistics {
  readonly exampleCount: number;
  readonly label: PooledCount;
  /** In the order of the plan. */
  readonly features: readonly PooledFeature[];
}

export const QUANTILE_SHARES = [0.05, 0.25, 0.5, 0.75, 0.95] as const;

export function poolStatistics(layout: StatisticsLayout, sites: readonly SiteStatistics[]): PooledStatistics {
  return {
    exampleCount: totalOf(sites, ({ exampleCount }) => exampleCount),
    label: poolCounts(sites, ({ labelCount }) => labelCount),
    features: layout.columns.map(({ name, bins }, column) => {
      const moments = poolSums(releasedSums(sites, column));
      return {
        name,
        missingCount: totalOf(sites, ({ features }) => features[column]?.missingCount ?? 0),
        mean: moments?.mean ?? null,
        variance: moments?.variance ?? null,
        momentsWithheldBy: idsOf(sites.filter((site) => releasedSums([site], column).length === 0)),
        counted: bins === undefined ? poolCounts(sites, (site) => oneCountOf(site, column)) : null,
        measured: bins === undefined ? null : poolMeasured(sites, column, bins),
      };
    }),
  };
}

/** Released ones of a feature of 0 and 1. */
export function oneCountOf({ features }: SiteStatistics, column: number): number | null {
  const feature = features[column];
  return feature?.kind === 'counted' ? feature.oneCount : null;
}

/** Released cells of a measured feature; none where they are withheld. */
export function cellsOf({ features }: SiteStatistics, column: number) {
  const feature = features[column];
  return feature?.kind === 'measured' ? feature.cells : [];
}

export function poolCounts(
  sites: readonly SiteStatistics[],
  countOf: (site: SiteStatistics) => number | null,
): PooledCount {
  const released = sites.filter((site) => countOf(site) !== null);
  return {
    oneCount: released.length === 0 ? null : totalOf(released, (site) => countOf(site) ?? 0),
    exampleCount: totalOf(released, ({ exampleCount }) => exampleCount),
    withheldBy: idsOf(sites.filter((site) => countOf(site) === null)),
  };
}

function poolMeasured(sites: readonly SiteStatistics[], column: number, bins: ValueBins): PooledMeasured {
  const cells = sites.map((site) => cellsOf(site, column));
  const finiteOrNull = (bound: number) => (Number.isFinite(bound) ? bound : null);
  return {
    cellsWithheldBy: idsOf(sites.filter((site) => cellsOf(site, column).length === 0)),
    quantiles: QUANTILE_SHARES.map((share) => ({ share, ...quantileOf(cells, bins, share) })),
    cells: commonCells(cells, bins).map(({ from, to, count }) => ({
      lower: finiteOrNull(lowerOf(bins, from)),
      upper: finiteOrNull(bins.upperOf(to)),
      count,
    })),
  };
}

function totalOf(sites: readonly SiteStatistics[], countOf: (site: SiteStatistics) => number): number {
  return sites.reduce((total, site) => total + countOf(site), 0);
}

function idsOf(sites: readonly SiteStatistics[]): string[] {
  return sites.map(({ siteId }) => siteId);
}
