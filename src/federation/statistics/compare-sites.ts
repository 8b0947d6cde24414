// Holds each site's released statistics against those of the others: another unit, another coding, a feature that is not recorded.
// Rules of thumb that name what a person should look at; docs/formats/federated-statistics.md has them with their reasons.
import type { SiteStatistics } from '#federation/records/site-statistics.ts';
import { cellsOf, oneCountOf, poolCounts } from '#federation/statistics/pool-statistics.ts';
import { type Quantile, quantileOf } from '#federation/statistics/quantiles.ts';
import type { StatisticsLayout } from '#federation/statistics/statistics-layout.ts';
import type { ValueBins } from '#federation/statistics/value-bins.ts';

export type SiteDifference =
  | 'other-unit'
  | 'other-location'
  | 'code-never-used'
  | 'code-always-used'
  | 'other-missingness';

export interface ComparisonFinding {
  readonly siteId: string;
  readonly feature: string;
  readonly difference: SiteDifference;
  /** Of the site: median, share of ones, or missing values for each subject counted or missing. */
  readonly found: number;
  /** The same of the others together; of missing values the nearest of the others. */
  readonly others: number;
  /** Of another unit: what the factor between the two is known from; null otherwise. */
  readonly conversion: string | null;
}

/** Factors between units that one quantity is recorded in, either way round. */
const conversions: readonly (readonly [factor: number, name: string])[] = [
  [2.2046, 'kg and lb'],
  [2.54, 'in and cm'],
  [7.5006, 'kPa and mm[Hg]'],
  [10, 'g/L and g/dL, cm and mm'],
  [18.016, 'glucose in mmol/L and mg/dL'],
  [38.67, 'cholesterol in mmol/L and mg/dL'],
  [88.42, 'creatinine in mg/dL and umol/L'],
  [88.57, 'triglycerides in mmol/L and mg/dL'],
  [100, 'm and cm, fractions and percent'],
  [1000, 'g and mg, kg and g'],
];
/** A median and a spread of other patients differ a little besides. */
const MEDIAN_TOLERANCE = 1.25;
const SPREAD_TOLERANCE = 2;
/** So many were expected, and there is none: by chance in fewer than one of 20,000 such comparisons. */
const EXPECTED_COUNT = 10;
/** Further than this from every other site. */
const MISSING_SHARE_DISTANCE = 0.2;

/** In the order of sites, then of features; empty where there is one site. */
export function compareSites(
  { columns }: StatisticsLayout,
  sites: readonly SiteStatistics[],
): ComparisonFinding[] {
  if (sites.length < 2) return [];
  return sites.flatMap((site) => {
    const others = sites.filter((other) => other !== site);
    return columns.flatMap(({ name, bins }, column) => {
      const pair = { site, others, column };
      return [
        bins === undefined ? compareCodes(pair) : compareValues(pair, bins),
        compareMissing(pair),
      ].flatMap((found) => (found === undefined ? [] : [{ siteId: site.siteId, feature: name, ...found }]));
    });
  });
}

interface ComparedColumn {
  readonly site: SiteStatistics;
  readonly others: readonly SiteStatistics[];
  readonly column: number;
}

type Found = Omit<ComparisonFinding, 'siteId' | 'feature'>;

interface Spread {
  readonly median: Quantile;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
}

/**
 * The median is beyond 1.5 interquartile ranges of the others' quartiles (Tukey's fences), on whatever side of its bounds. It is
 * taken for another unit where median and spread differ by about one of the known factors.
 */
function compareValues({ site, others, column }: ComparedColumn, bins: ValueBins): Found | undefined {
  const own = spreadOf([site], column, bins);
  const rest = spreadOf(others, column, bins);
  const found = own?.median.estimate ?? null;
  const expected = rest?.median.estimate ?? null;
  if (own === undefined || rest === undefined || found === null || expected === null) return undefined;
  const range = rest.upperQuartile - rest.lowerQuartile;
  const isBelow = (own.median.upper ?? found) < rest.lowerQuartile - 1.5 * range;
  const isAbove = (own.median.lower ?? found) > rest.upperQuartile + 1.5 * range;
  if (!isBelow && !isAbove) return undefined;
  const conversion = conversionBetween(found / expected, (own.upperQuartile - own.lowerQuartile) / range);
  return {
    difference: conversion === null ? 'other-location' : 'other-unit',
    found,
    others: expected,
    conversion,
  };
}

function spreadOf(sites: readonly SiteStatistics[], column: number, bins: ValueBins): Spread | undefined {
  const cells = sites.map((site) => cellsOf(site, column));
  const quantile = (share: number) => quantileOf(cells, bins, share);
  const [lower, upper] = [quantile(0.25).estimate, quantile(0.75).estimate];
  if (lower === null || upper === null) return undefined;
  return { median: quantile(0.5), lowerQuartile: lower, upperQuartile: upper };
}

function conversionBetween(medianRatio: number, spreadRatio: number): string | null {
  const isAbout = (ratio: number, factor: number, tolerance: number) =>
    ratio <= factor * tolerance && ratio >= factor / tolerance;
  const matching = conversions
    .flatMap(([factor, name]) => [factor, 1 / factor].map((ratio) => ({ ratio, name })))
    .filter(
      ({ ratio }) =>
        isAbout(medianRatio, ratio, MEDIAN_TOLERANCE) && isAbout(spreadRatio, ratio, SPREAD_TOLERANCE),
    );
  const distance = ({ ratio }: { readonly ratio: number }) => Math.abs(Math.log(medianRatio / ratio));
  return matching.toSorted((left, right) => distance(left) - distance(right))[0]?.name ?? null;
}

/** A code that nobody has, or everybody, where by the others' share many should, or should not. */
function compareCodes({ site, others, column }: ComparedColumn): Found | undefined {
  const { exampleCount } = site;
  const ones = oneCountOf(site, column);
  const rest = poolCounts(others, (other) => oneCountOf(other, column));
  if (ones === null || rest.oneCount === null) return undefined;
  const share = rest.oneCount / rest.exampleCount;
  const figures = { found: ones / exampleCount, others: share, conversion: null };
  if (ones === 0 && share * exampleCount >= EXPECTED_COUNT)
    return { difference: 'code-never-used', ...figures };
  if (ones === exampleCount && (1 - share) * exampleCount >= EXPECTED_COUNT)
    return { difference: 'code-always-used', ...figures };
  return undefined;
}

function compareMissing({ site, others, column }: ComparedColumn): Found | undefined {
  const shareOf = ({ features, exampleCount }: SiteStatistics) => {
    const missing = features[column]?.missingCount ?? 0;
    return missing / (missing + exampleCount);
  };
  const found = shareOf(site);
  const shares = others.map(shareOf);
  const nearest = found > Math.max(...shares) ? Math.max(...shares) : Math.min(...shares);
  const isWithin = found <= Math.max(...shares) && found >= Math.min(...shares);
  if (isWithin || Math.abs(found - nearest) <= MISSING_SHARE_DISTANCE) return undefined;
  return { difference: 'other-missingness', found, others: nearest, conversion: null };
}
