// What a site may release in the statistics round of the sample plan (chol and exang), from made-up rows.
import type { ReleasedStatistics } from '#federation/records/site-statistics.ts';
import { sumExactly } from '#federation/statistics/exact-sums.ts';
import { requireStatisticsLayout } from '#federation/statistics/statistics-layout.ts';
import { encodeStatistics } from '#federation/statistics/statistics-tensors.ts';
import type { TensorMap } from '#federation/tensors/tensor.ts';
import { samplePlan } from './sample-plan.ts';

export interface SampleRelease {
  /** Added to every cholesterol, so that sites differ. */
  readonly shift?: number;
  /** Whether sums and counts of ones stay at the site: the normalisation is then of the others alone. */
  readonly isWithheld?: boolean;
}

/** Half of the patients have angina. */
export function sampleStatistics(
  exampleCount: number,
  { shift = 0, isWithheld = false }: SampleRelease = {},
): ReleasedStatistics {
  const values = Array.from({ length: exampleCount }, (_, row) => 150 + ((row * 37) % 125) + shift);
  const { sum, sumOfSquares } = sumExactly(values);
  return {
    exampleCount,
    labelCount: null,
    features: [
      {
        kind: 'measured',
        name: 'chol',
        missingCount: 0,
        sums: isWithheld ? null : { sum: [...sum], sumOfSquares: [...sumOfSquares] },
        cells: [],
      },
      {
        kind: 'counted',
        name: 'exang',
        missingCount: 0,
        oneCount: isWithheld ? null : Math.floor(exampleCount / 2),
      },
    ],
  };
}

/** The payload of an update that says so. */
export function sampleStatisticsTensors(exampleCount: number, release: SampleRelease = {}): TensorMap {
  return encodeStatistics(requireStatisticsLayout(samplePlan), sampleStatistics(exampleCount, release));
}
