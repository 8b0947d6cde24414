// The statistics of an update as a steward reads them: every number that would leave, and the values that a cell's bins stand for.
import type { ReleasedStatistics } from '#federation/records/site-statistics.ts';
import { requireStatisticsLayout, type StatisticsPlan } from '#federation/statistics/statistics-layout.ts';
import { decodeStatistics } from '#federation/statistics/statistics-tensors.ts';
import { lowerOf, type ValueBins } from '#federation/statistics/value-bins.ts';
import type { TensorMap } from '#federation/tensors/tensor.ts';

type Released = ReleasedStatistics['features'][number];
type Measured = Extract<Released, { kind: 'measured' }>;

/** The same shape as `reportedStatistics` of the site contract. */
export interface ReportedStatistics extends Omit<ReleasedStatistics, 'features'> {
  readonly features: readonly (
    | Extract<Released, { kind: 'counted' }>
    | (Omit<Measured, 'cells'> & { readonly cells: readonly ReportedCell[] })
  )[];
}

type ReportedCell = Measured['cells'][number] & {
  /** Values are above this; null: however small. */
  readonly lower: number | null;
  /** Values are up to this; null: however large. */
  readonly upper: number | null;
};

/** Read back from the very tensors that would leave. */
export function reportStatistics(plan: StatisticsPlan, tensors: TensorMap): ReportedStatistics {
  const layout = requireStatisticsLayout(plan);
  const released = decodeStatistics(layout, tensors);
  const features = released.features.map((feature, column) => {
    const bins = layout.columns[column]?.bins;
    if (feature.kind === 'counted' || bins === undefined) return feature;
    return { ...feature, cells: feature.cells.map((cell) => ({ ...cell, ...boundsOf(cell, bins) })) };
  });
  return { ...released, features: features as ReportedStatistics['features'] };
}

function boundsOf({ from, to }: Measured['cells'][number], bins: ValueBins) {
  const finiteOrNull = (bound: number) => (Number.isFinite(bound) ? bound : null);
  return { lower: finiteOrNull(lowerOf(bins, from)), upper: finiteOrNull(bins.upperOf(to)) };
}
