// What a plan says about differential privacy: how its sites train with DP-SGD, and how much of it each patient bears in all.
import { z } from 'zod';
import { positiveNumber } from '#federation/records/fields.ts';

/** What a plan takes where its author has no reason for another: epsilon of the whole study. */
export const DEFAULT_EPSILON_BUDGET = 8;
/** Above this epsilon people are warned, where the plan says nothing else. */
export const WARN_ABOVE_EPSILON = 3;

/** A tenth of what delta has to be below. @param patientCount patients of the smallest site */
export function defaultDelta(patientCount: number): number {
  return 1 / (10 * patientCount);
}

export const privacySpecification = z
  .strictObject({
    mechanism: z.literal('dp-sgd'),
    /** All rows and images of a patient are one unit. */
    unit: z.literal('patient'),
    adjacency: z.literal('add-or-remove-one-patient'),
    /** C, the largest L2 norm of one patient's gradient over all tensors. */
    clippingNorm: positiveNumber.max(1_000_000),
    /** σ: standard deviation of the noise on the sum of clipped gradients, in clipping norms. */
    noiseMultiplier: z.number().min(0.01).max(1_000_000),
    /** q: probability with which each patient is drawn into a step's lot. */
    samplingRate: positiveNumber.max(1),
    /** Below one in the number of patients, which each site checks with its own cohort. */
    delta: positiveNumber.lt(1),
    /** Epsilon of all rounds together at which a site stops training. */
    epsilonBudget: positiveNumber.max(1_000),
    accountant: z.enum(['rdp', 'pld']),
    /** Absent: 3. */
    warnAboveEpsilon: positiveNumber.optional(),
  })
  .refine(({ epsilonBudget, warnAboveEpsilon }) => (warnAboveEpsilon ?? 0) <= epsilonBudget, {
    path: ['warnAboveEpsilon'],
  });
export type PrivacySpecification = z.infer<typeof privacySpecification>;
