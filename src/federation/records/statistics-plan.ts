// What a plan asks of its statistics round beside the sums for mean and deviation: cells of every feature, counts, and how small none may be.
// docs/formats/federated-statistics.md says what leaves.
import { z } from 'zod';
import { identifier } from '#federation/records/fields.ts';
import { SMALLEST_COHORT } from '#federation/records/smallest-cohort.ts';

/** Largest number of cells of one feature. */
export const MOST_CELLS = 256;

export const statisticsSpecification = z.strictObject({
  /** Fewest subjects behind a count; a cell of a measured feature holds twice as many at least. */
  minimumCell: z.int().min(SMALLEST_COHORT).max(1000),
  /** Most cells of a measured feature. The fewer, the more often its exact sums may leave beside them. */
  maximumCells: z.int().min(1).max(MOST_CELLS),
  /** Bins of measured features: up to the first edge, between each two, above the last. Others have those of the sketch. */
  histograms: z
    .array(
      z.strictObject({
        feature: identifier,
        /** Rising, in the unit of the feature. */
        edges: z
          .array(z.number())
          .min(1)
          .max(MOST_CELLS - 1),
      }),
    )
    .max(1000),
  /** Noise charged to a privacy budget: no release does that yet. */
  noise: z.null(),
});
export type StatisticsSpecification = z.infer<typeof statisticsSpecification>;
