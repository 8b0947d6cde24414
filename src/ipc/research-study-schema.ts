// What travels over the site contract about a research study's plan, and who would be in its cohort.
import { z } from 'zod';
import { count } from './count.ts';

export const researchStudy = z.strictObject({
  researchStudyId: z.string(),
  version: z.int(),
  title: z.string(),
  summary: z.string(),
  purposes: z.array(z.string()).readonly(),
  participants: z.array(z.strictObject({ siteId: z.string(), name: z.string() })).readonly(),
  features: z
    .array(z.strictObject({ name: z.string(), code: z.string(), unit: z.string().nullable() }))
    .readonly(),
  label: z.string(),
  rounds: z.array(z.string()).readonly(),
  minimumCohort: z.strictObject({ training: count, evaluation: count, reason: z.string() }),
  /** Whether patients who died are in, too. */
  includesDeceased: z.boolean(),
  /** Whole years: until then a guardian's consent counts. */
  ageOfMajority: count,
  /** Whether only consents count that somebody verified with the patient. */
  requiresVerification: z.boolean(),
  /** What becomes of the model where a patient withdraws whose data it learned from. */
  remedy: z.enum(['keep-model', 'leave-study', 'rebuild-model', 'retire-model']),
  planDigest: z.string(),
});
export type ResearchStudy = z.infer<typeof researchStudy>;
/** A count of subjects, or null where it is withheld: from 1 to 4, or one from which such a count could be computed. */
const suppressedCount = count.nullable();
export const selectionReport = z.strictObject({
  subjectCount: count,
  trainingCount: suppressedCount,
  holdoutCount: suppressedCount,
  excluded: z.array(z.strictObject({ reason: z.string(), count: suppressedCount })).readonly(),
});
export const featureQuality = z.strictObject({
  name: z.string(),
  presentCount: suppressedCount,
  missingCount: suppressedCount,
  /** With values, but none in a unit that converts to the plan's; not among `missingCount`. */
  unitNotConvertibleCount: suppressedCount,
  flaggedCount: suppressedCount,
  isConstant: z.boolean(),
});
export const cohortPreview = z.strictObject({
  researchStudyId: z.string(),
  meetsMinimum: z.boolean(),
  selection: selectionReport,
  features: z.array(featureQuality).readonly(),
});
export type CohortPreview = z.infer<typeof cohortPreview>;
