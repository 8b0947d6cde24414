// What people see of a selection: counts by reason and data quality by feature, small cells withheld (C12, U8).
import type { FeatureSpecification } from '#federation/records/research-study-plan.ts';
import { measureColumn } from '#site/statistics/index.ts';
import { type ExclusionReason, exclusionReasons, type Selection } from './selection.ts';
import type { SubjectTable } from './subject-table.ts';
import { suppressCells, suppressCount } from './suppression.ts';

/** null: withheld, because it or a neighbour is smaller than the suppression limit. */
export type SuppressedCount = number | null;

export interface SelectionReport {
  readonly subjectCount: number;
  readonly trainingCount: SuppressedCount;
  readonly holdoutCount: SuppressedCount;
  /** Reasons that apply to somebody, or are withheld. */
  readonly excluded: { readonly reason: ExclusionReason; readonly count: SuppressedCount }[];
}

export interface FeatureQuality {
  readonly name: string;
  readonly presentCount: SuppressedCount;
  readonly missingCount: SuppressedCount;
  readonly flaggedCount: SuppressedCount;
  readonly isConstant: boolean;
}

/** Reasons for which a subject is out although it has consent and a part: the quality table covers these too. */
const incomplete: readonly ExclusionReason[] = ['missing-feature', 'missing-label'];

export function createSelectionReport(selection: Selection): SelectionReport {
  const counts = (reasons: readonly ExclusionReason[]) =>
    reasons.map((reason) => selection.excluded.get(reason) ?? 0);
  const outside = exclusionReasons.filter((reason) => !incomplete.includes(reason));
  // Two groups with a sum each: present + missing of any feature tells how many are in the first.
  const [trainingCount = null, holdoutCount = null, ...inside] = suppressCells([
    selection.trainingCount,
    selection.holdoutCount,
    ...counts(incomplete),
  ]);
  const shown = new Map<ExclusionReason, SuppressedCount>();
  for (const [index, count] of inside.entries()) {
    const reason = incomplete[index];
    if (reason !== undefined) shown.set(reason, count);
  }
  for (const [index, count] of suppressCells(counts(outside)).entries()) {
    const reason = outside[index];
    if (reason !== undefined) shown.set(reason, count);
  }
  const excluded = exclusionReasons
    .map((reason) => ({ reason, count: shown.get(reason) ?? null }))
    .filter(({ count }) => count !== 0);
  return { subjectCount: selection.subjectCount, trainingCount, holdoutCount, excluded };
}

/** Quality of each feature over the subjects with consent and a part, complete or not. */
export function describeFeatures(
  features: readonly FeatureSpecification[],
  table: SubjectTable,
  rows: readonly number[],
): FeatureQuality[] {
  return features.map((feature, column) => {
    const values = Float64Array.from(rows, (row) => table.features[column]?.[row] ?? Number.NaN);
    const quality = measureColumn(values, feature.kind === 'quantity' ? feature.flagValue : null);
    const [presentCount = null, missingCount = null] = suppressCells([
      quality.presentCount,
      quality.missingCount,
    ]);
    const flaggedCount = suppressCount(quality.flaggedCount);
    return { name: feature.name, presentCount, missingCount, flaggedCount, isConstant: quality.isConstant };
  });
}
