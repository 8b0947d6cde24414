// What a plan's statistics must keep to, so that no two of its numbers are of the same cells cut in two ways. Held by the consortium
// before it publishes, and by every site before it takes part: a site's small counts are not left to the consortium's care.
import type { DataElements, DayWindow, FeatureSpecification } from '#federation/records/data-elements.ts';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import type { StatisticsSpecification } from '#federation/records/statistics-plan.ts';
import {
  codedValueOf,
  isBinary,
  requireStatisticsLayout,
  sourceOf,
} from '#federation/statistics/statistics-layout.ts';
import { statisticsManifest } from '#federation/statistics/statistics-tensors.ts';

/** Of the safetensors around them. */
const MOST_HEADER_BYTES = 2048;

/** A field, what was expected of it and what was found. */
export interface Contradiction {
  readonly field: string;
  readonly expected: unknown;
  readonly found: unknown;
}

/** Cells of all features and sites together: the signed model that lists them stays far below the largest record. */
const MOST_PUBLISHED_CELLS = 200_000;

/** The first contradiction of a plan's statistics; undefined where there is none. */
export function findStatisticsContradiction(plan: ResearchStudyPlan): Contradiction | undefined {
  const { statistics } = plan;
  if (statistics === undefined) return missingContradiction(plan);
  return (
    roundContradiction(plan) ??
    sizeContradiction(plan, statistics) ??
    statistics.histograms
      .map((_, index) => histogramContradiction(plan, statistics, index))
      .find((found) => found !== undefined) ??
    binaryContradiction(plan) ??
    codedContradiction(plan) ??
    sharedContradiction(plan)
  );
}

/** A round of sums alone would send the count of a yes or no as its sum, however small. */
function missingContradiction({ normalisation, rounds }: ResearchStudyPlan): Contradiction | undefined {
  if (normalisation.scope !== 'federated' && !rounds.includes('statistics')) return undefined;
  return { field: 'statistics', expected: 'the smallest count of the statistics round', found: null };
}

function roundContradiction({ rounds }: ResearchStudyPlan): Contradiction | undefined {
  if (rounds[0] === 'statistics' && rounds.lastIndexOf('statistics') === 0) return undefined;
  return { field: 'rounds', expected: 'one statistics round, the first', found: rounds[0] };
}

function sizeContradiction(
  plan: ResearchStudyPlan,
  { minimumCell, maximumCells }: StatisticsSpecification,
): Contradiction | undefined {
  const { dataElements, participants, minimumCohort, limits } = plan;
  const cells = dataElements.features.length * maximumCells * participants.length;
  if (cells > MOST_PUBLISHED_CELLS)
    return { field: 'statistics.maximumCells', expected: MOST_PUBLISHED_CELLS, found: cells };
  const bytes = payloadBytes(plan);
  if (bytes > limits.maxUpdateBytes)
    return { field: 'limits.maxUpdateBytes', expected: bytes, found: limits.maxUpdateBytes };
  // A site with fewer would send nothing but withheld counts.
  if (minimumCohort.training < 2 * minimumCell)
    return { field: 'minimumCohort.training', expected: 2 * minimumCell, found: minimumCohort.training };
  return undefined;
}

/** Of the update of any site: they all have one shape. */
function payloadBytes(plan: ResearchStudyPlan): number {
  const values = statisticsManifest(requireStatisticsLayout(plan)).reduce(
    (total, { shape }) => total + shape.reduce((product, extent) => product * extent, 1),
    0,
  );
  return values * Float64Array.BYTES_PER_ELEMENT + MOST_HEADER_BYTES;
}

function histogramContradiction(
  { dataElements: { features } }: ResearchStudyPlan,
  { histograms }: StatisticsSpecification,
  index: number,
): Contradiction | undefined {
  const field = `statistics.histograms.${index}`;
  const { feature: name, edges } = histograms[index] ?? { feature: '', edges: [] };
  const feature = features.find((one) => one.name === name);
  if (feature === undefined || isBinary(feature))
    return { field, expected: 'a measured feature', found: name };
  if (histograms.findIndex((one) => one.feature === name) !== index)
    return { field, expected: 'one histogram for a feature', found: name };
  if (edges.some((edge, at) => at > 0 && edge <= (edges[at - 1] ?? 0)))
    return { field, expected: 'rising edges', found: edges };
  // Values of one code cut by two sets of bounds: the difference of two cells is a smaller one.
  if (features.filter((one) => sourceOf(one) === sourceOf(feature)).length > 1)
    return { field, expected: 'a code that one feature reads', found: name };
  return undefined;
}

/** Counts of ones say all about a column only where it holds 0 and 1. */
function binaryContradiction({ dataElements: { features } }: ResearchStudyPlan): Contradiction | undefined {
  for (const [index, feature] of features.entries()) {
    const filling = feature.kind === 'occurrence' ? null : feature.whenMissing;
    if (isBinary(feature) && filling !== null && filling !== 0 && filling !== 1)
      return { field: `dataElements.features.${index}.whenMissing`, expected: [null, 0, 1], found: filling };
  }
  return undefined;
}

/** Codes of one value are counted as one table: each once, and a missing value has none of them. */
function codedContradiction({ dataElements }: ResearchStudyPlan): Contradiction | undefined {
  const seen = new Set<string>();
  for (const [index, feature] of dataElements.features.entries()) {
    const field = `dataElements.features.${index}`;
    if (feature.kind !== 'indicator') continue;
    if (feature.whenMissing === 1) return { field: `${field}.whenMissing`, expected: [null, 0], found: 1 };
    const { system, code } = feature.equals;
    const key = JSON.stringify([codedValueOf(feature, dataElements), system, code]);
    if (seen.has(key)) return { field, expected: 'each code of a value once', found: feature.name };
    seen.add(key);
  }
  return undefined;
}

/**
 * Facts that are counted are read by one feature alone, or by the label: of two counts of nested windows, or of a code and of all codes of
 * a value, the difference is a count that nothing withholds. Codes of one value in one window are one table.
 */
function sharedContradiction({ dataElements }: ResearchStudyPlan): Contradiction | undefined {
  const reads = [
    ...dataElements.features.map((feature) => readOf(feature, dataElements)),
    labelRead(dataElements),
  ];
  for (const [index, read] of reads.entries()) {
    const isShared = reads.some(
      (other, at) =>
        at < index &&
        (read.isCounted || other.isCounted) &&
        other.source === read.source &&
        (read.table === undefined || other.table !== read.table) &&
        isOverlapping(other.windowDays, read.windowDays),
    );
    const field =
      index < dataElements.features.length ? `dataElements.features.${index}` : 'dataElements.label';
    if (isShared) return { field, expected: 'facts that nothing else counts', found: read.name };
  }
  return undefined;
}

interface FactRead {
  readonly name: string;
  readonly source: string;
  /** Whether a number of it says of how many subjects something is true. */
  readonly isCounted: boolean;
  /** Of codes that are counted as one table. */
  readonly table: string | undefined;
  /** undefined: of all days. */
  readonly windowDays: DayWindow | undefined;
}

function readOf(feature: FeatureSpecification, elements: DataElements): FactRead {
  const hasWindow = feature.kind !== 'age' && feature.kind !== 'sex';
  return {
    name: feature.name,
    source: sourceOf(feature),
    isCounted: isBinary(feature) || feature.kind === 'occurrence',
    table: codedValueOf(feature, elements),
    windowDays: hasWindow ? (feature.windowDays ?? elements.windowDays) : undefined,
  };
}

function labelRead({ label, windowDays: planWindow }: DataElements): FactRead {
  const { name } = label;
  const counted = { name, isCounted: true, table: undefined };
  if (label.kind === 'segmentation') return { ...counted, source: label.kind, windowDays: undefined };
  const { code, windowDays } = label;
  return {
    ...counted,
    source: JSON.stringify([code.system, code.code]),
    windowDays: windowDays ?? planWindow,
  };
}

function isOverlapping(left: DayWindow | undefined, right: DayWindow | undefined): boolean {
  if (left === undefined || right === undefined) return true;
  return -left.before <= right.after && -right.before <= left.after;
}
