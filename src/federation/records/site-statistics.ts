// What one site released in a statistics round: every number of it, as published in the signed global model.
import { z } from 'zod';
import { count, identifier } from '#federation/records/fields.ts';

const bin = z.int().min(-100_000).max(100_000);
/** Doubles whose sum is the exact one, largest first. */
const exactSum = z.array(z.number()).length(4);

export const featureStatistics = z.discriminatedUnion('kind', [
  /** A feature of 0 and 1. */
  z.strictObject({
    kind: z.literal('counted'),
    name: identifier,
    missingCount: count,
    /** How many have 1; null: withheld. */
    oneCount: count.nullable(),
  }),
  z.strictObject({
    kind: z.literal('measured'),
    name: identifier,
    /** Subjects without a value, in the cohort or left out of it, rounded down to a multiple of the smallest count. */
    missingCount: count,
    /** null: withheld, because with the cells they would tell how many have one value. */
    sums: z.strictObject({ sum: exactSum, sumOfSquares: exactSum }).nullable(),
    /** Subjects in the bins from `from` to `to`, rising; empty: withheld. */
    cells: z.array(z.strictObject({ from: bin, to: bin, count })),
  }),
]);
export type FeatureStatistics = z.infer<typeof featureStatistics>;

export const siteStatistics = z.strictObject({
  siteId: identifier,
  /** Subjects in the training part of the cohort; all other numbers but `missingCount` are of these. */
  exampleCount: count,
  /** How many have label 1; null: withheld. */
  labelCount: count.nullable(),
  /** In the order of the plan. */
  features: z.array(featureStatistics),
});
export type SiteStatistics = z.infer<typeof siteStatistics>;
/** Before a site signs for it. */
export type ReleasedStatistics = Omit<SiteStatistics, 'siteId'>;
