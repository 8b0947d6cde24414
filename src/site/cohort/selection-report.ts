// What people see of a selection: counts by reason and data quality by feature, small cells withheld (C12, U8).
import type { FeatureSpecification } from '#federation/records/data-elements.ts';
import { measureColumn } from '#site/statistics/index.ts';
import { type ExclusionReason, exclusionReasons, incompleteReasons, type Selection } from './selection.ts';
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
  /** Without any value of the feature. */
  readonly missingCount: SuppressedCount;
  /** With values, but none in a unit that converts to the plan's. */
  readonly unitNotConvertibleCount: SuppressedCount;
  readonly flaggedCount: SuppressedCount;
  readonly isConstant: boolean;
}

export function createSelectionReport(selection: Selection): SelectionReport {
  const counts = (reasons: readonly ExclusionReason[]) =>
    reasons.map((reason) => selection.excluded.get(reason) ?? 0);
  const outside = exclusionReasons.filter((reason) => !incompleteReasons.includes(reason));
  // Two groups with a sum each: present + missing of any feature tells how many are in the first.
  const [trainingCount = null, holdoutCount = null, ...inside] = suppressCells([
    selection.trainingCount,
    selection.holdoutCount,
    ...counts(incompleteReasons),
  ]);
  const shown = new Map<ExclusionReason, SuppressedCount>();
  for (const [index, count] of inside.entries()) {
    const reason = incompleteReasons[index];
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
  rows: Int32Array,
): FeatureQuality[] {
  return features.map((feature, column) => {
    const { values: all, unitRefusals } = table.features[column] ?? table.label;
    const values = new Float64Array(rows.length);
    for (let at = 0; at < rows.length; at += 1) values[at] = all[rows[at] ?? 0] ?? Number.NaN;
    const quality = measureColumn(values, feature.kind === 'quantity' ? feature.flagValue : null);
    const refused =
      unitRefusals.size === 0 ? 0 : rows.reduce((count, row) => count + Number(unitRefusals.has(row)), 0);
    const [presentCount = null, missingCount = null, unitNotConvertibleCount = null] = suppressCells([
      quality.presentCount,
      quality.missingCount - refused,
      refused,
    ]);
    const flaggedCount = suppressCount(quality.flaggedCount);
    return {
      name: feature.name,
      presentCount,
      missingCount,
      unitNotConvertibleCount,
      flaggedCount,
      isConstant: quality.isConstant,
    };
  });
}
