// The signed plan of a research study: its rules as data. What a plan asks for and this release lacks is refused by name.
import { z } from 'zod';
import { dataElements } from '#federation/records/data-elements.ts';
import {
  digestHex,
  identifier,
  isoTimestamp,
  plainText,
  positiveNumber,
} from '#federation/records/fields.ts';
import { imagingInput } from '#federation/records/imaging-input.ts';
import { modelSpecification } from '#federation/records/model-specification.ts';
import { privacySpecification } from '#federation/records/privacy-plan.ts';
import { defineRecord } from '#federation/records/record.ts';
import { SMALLEST_COHORT } from '#federation/records/smallest-cohort.ts';
import { statisticsSpecification } from '#federation/records/statistics-plan.ts';
import { trainingSettings } from '#federation/records/training-settings.ts';
import { withdrawalRemedy } from '#federation/records/withdrawal-remedy.ts';

export type { ModelSpecification } from '#federation/records/model-specification.ts';
export type { TrainingSettings } from '#federation/records/training-settings.ts';

export const researchStudyPlan = z.strictObject({
  researchStudyId: identifier,
  version: z.int().min(1),
  title: plainText(200),
  /** Plain words for the steward and the signatory. */
  summary: plainText(4000),
  legalBasis: plainText(500),
  agreementDigest: digestHex.nullable(),
  ethicsNumber: plainText(100).nullable(),
  /** HL7 v3 PurposeOfUse codes. */
  purposes: z.array(z.enum(['HRESCH', 'CLINTRL'])).min(1),
  /** What consents have to say beside the purposes; absent: nothing else. */
  consent: z
    .strictObject({
      /** Whole years, 18 where absent: what a guardian permitted holds until this birthday. Laws lie between 15 and 21. */
      ageOfMajority: z.int().min(15).max(21).optional(),
      /** Whether a consent permits only once somebody verified it with the patient; absent: it permits without. */
      requiresVerification: z.boolean().optional(),
    })
    .optional(),
  participants: z
    .array(z.strictObject({ siteId: identifier, name: plainText(200) }))
    .min(1)
    .max(100),
  dataElements,
  /** null: the study reads no images. */
  imaging: imagingInput.nullable(),
  minimumCohort: z.strictObject({
    /** Fewest subjects in the training part; below it nothing trains and nothing leaves. */
    training: z.int().min(SMALLEST_COHORT),
    /** Fewest subjects in the holdout part for an evaluation to leave. */
    evaluation: z.int().min(SMALLEST_COHORT),
    reason: plainText(1000),
  }),
  /** Whose mean and standard deviation normalise the features. `federated`: those of all sites, from a statistics round. */
  normalisation: z.strictObject({ scope: z.enum(['site', 'federated']) }),
  /** What the statistics round counts, and how small no count may be; absent: there is no such round. */
  statistics: statisticsSpecification.optional(),
  model: modelSpecification,
  training: trainingSettings,
  /** Rounds in order: a statistics round first where normalisation is federated, then training, then evaluation. */
  rounds: z
    .array(z.enum(['statistics', 'training', 'evaluation']))
    .min(1)
    .max(10_000),
  aggregation: z.strictObject({ strategy: z.literal('fedavg'), weighting: z.literal('example-count') }),
  limits: z.strictObject({
    maxUpdateBytes: z
      .int()
      .min(1)
      .max(2 ** 30),
    /** Largest L2 norm of a training update's delta over all tensors. */
    maxUpdateNorm: positiveNumber.max(1_000_000),
    maxClockSkewMs: z.int().min(1),
  }),
  /** null: gradients are taken as they are, and the report to the steward says so. */
  privacy: privacySpecification.nullable(),
  secureAggregation: z.null(),
  /** Opt-out lists without which, or with one older than this, no cohort is frozen; each by who gave its identifiers. */
  optOutLists: z
    .array(z.strictObject({ authority: plainText(200), maxAgeDays: z.int().min(1).max(3_650) }))
    .max(100),
  /** What becomes of the model when a patient withdraws whose data an update that left was made with. */
  withdrawal: z.strictObject({ remedy: withdrawalRemedy }),
  approval: z.strictObject({ requiredStewards: z.literal(1) }),
  retentionDays: z.int().min(1),
  publishedAt: isoTimestamp,
});
export type ResearchStudyPlan = z.infer<typeof researchStudyPlan>;

export const planRecord = defineRecord({
  name: 'plan',
  predicateType: 'https://consilium.example/plan/v1',
  role: 'plan',
  predicate: researchStudyPlan,
});
