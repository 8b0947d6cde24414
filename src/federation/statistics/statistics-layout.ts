// How the columns of a plan are counted: which are of 0 and 1, which of those are the codes of one coded value, and which bins the
// measured ones have.
import { BugError } from '#base/coded-error.ts';
import type { FeatureSpecification } from '#federation/records/data-elements.ts';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import { histogramBins, sketchBins, type ValueBins } from '#federation/statistics/value-bins.ts';

export interface StatisticsLayout {
  readonly minimumCell: number;
  readonly maximumCells: number;
  /** In the order of the plan. */
  readonly columns: readonly ColumnLayout[];
  /** Columns of 0 and 1, by coded value: at most one of a group is 1 in a row. */
  readonly groups: readonly (readonly number[])[];
}

export interface ColumnLayout {
  readonly name: string;
  /** What it is read from. */
  readonly source: string;
  /** Undefined for a column of 0 and 1. */
  readonly bins: ValueBins | undefined;
}

export type StatisticsPlan = Pick<ResearchStudyPlan, 'dataElements' | 'statistics'>;

/** Undefined where the plan asks for no statistics. */
export function statisticsLayout({ dataElements, statistics }: StatisticsPlan): StatisticsLayout | undefined {
  if (statistics === undefined) return undefined;
  const { minimumCell, maximumCells, histograms } = statistics;
  const edgesOf = new Map(histograms.map(({ feature, edges }) => [feature, edges]));
  const columns = dataElements.features.map((feature): ColumnLayout => {
    const edges = edgesOf.get(feature.name);
    const bins = edges === undefined ? sketchBins : histogramBins(edges);
    return { name: feature.name, source: sourceOf(feature), bins: isBinary(feature) ? undefined : bins };
  });
  const binary = [...dataElements.features.entries()].filter(([, feature]) => isBinary(feature));
  const groups = Map.groupBy(
    binary,
    ([column, feature]) => codedValueOf(feature, dataElements) ?? `${column}`,
  );
  return {
    minimumCell,
    maximumCells,
    columns,
    groups: [...groups.values()].map((group) => group.map(([column]) => column)),
  };
}

/** Of a plan whose statistics round is under way: none is published or accepted without saying how small a count may be. */
export function requireStatisticsLayout(plan: StatisticsPlan): StatisticsLayout {
  const layout = statisticsLayout(plan);
  if (layout === undefined) throw new BugError('a statistics round of a plan that asks for none');
  return layout;
}

/** Whether a column holds 0 and 1 alone. */
export function isBinary(feature: FeatureSpecification): boolean {
  if (feature.kind === 'occurrence') return feature.aggregation !== 'count';
  return feature.kind !== 'quantity' && feature.kind !== 'age';
}

/** Indicators of one code in one window are codes of the same fact; undefined for other features. */
export function codedValueOf(
  feature: FeatureSpecification,
  { windowDays }: Pick<ResearchStudyPlan['dataElements'], 'windowDays'>,
): string | undefined {
  if (feature.kind !== 'indicator') return undefined;
  const { before, after } = feature.windowDays ?? windowDays;
  return JSON.stringify([feature.code.system, feature.code.code, before, after]);
}

/** What a feature is read from. Age and sex are the patient's, whatever code a plan gives them. */
export function sourceOf(feature: Pick<FeatureSpecification, 'kind' | 'code'>): string {
  const { kind, code } = feature;
  return kind === 'age' || kind === 'sex' ? kind : JSON.stringify([code.system, code.code]);
}
