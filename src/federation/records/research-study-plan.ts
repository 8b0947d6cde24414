// The signed plan of a research study: its rules as data. What a plan asks for and this release lacks is refused by name.
import { z } from 'zod';
import {
  digestHex,
  identifier,
  isoTimestamp,
  plainText,
  positiveNumber,
} from '#federation/records/fields.ts';
import { defineRecord } from '#federation/records/record.ts';

/** A code with its system, as in FHIR Coding. */
export const codeReference = z.strictObject({
  system: z.url().max(200),
  code: plainText(64),
  display: plainText(200),
});
export type CodeReference = z.infer<typeof codeReference>;

/** How one column of the feature matrix is read from a subject's facts. */
export const featureSpecification = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('quantity'),
    name: identifier,
    code: codeReference,
    /** UCUM unit that values are converted to. */
    unit: plainText(32),
    /** Values of this exact size are kept and counted as suspect in the data-quality report (Swiss cholesterol is 0). */
    flagValue: z.number().nullable(),
  }),
  z.strictObject({ kind: z.literal('boolean'), name: identifier, code: codeReference }),
  z.strictObject({
    kind: z.literal('indicator'),
    name: identifier,
    code: codeReference,
    equals: codeReference,
  }),
  /** Years at the index date. */
  z.strictObject({ kind: z.literal('age'), name: identifier, code: codeReference, unit: z.literal('a') }),
  /** 1 for administrative gender `equals`, 0 for the other recorded one. */
  z.strictObject({
    kind: z.literal('sex'),
    name: identifier,
    code: codeReference,
    equals: z.enum(['male', 'female']),
  }),
]);
export type FeatureSpecification = z.infer<typeof featureSpecification>;

export const labelSpecification = z.strictObject({
  name: identifier,
  code: codeReference,
  unit: plainText(32),
  /** The label is 1 when the value is greater than this. */
  greaterThan: z.number(),
});

const optimizer = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('sgd'), learningRate: positiveNumber }),
  z.strictObject({ kind: z.literal('adam'), learningRate: positiveNumber }),
]);

export const modelSpecification = z.strictObject({
  kind: z.literal('logistic-regression'),
  inputCount: z.int().min(1).max(10_000),
  /** `uniform`: every weight and the bias drawn from [-bound, bound) with the initialisation seed. */
  initialisation: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('zeros') }),
    z.strictObject({ kind: z.literal('uniform'), bound: positiveNumber, seed: digestHex }),
  ]),
});
export type ModelSpecification = z.infer<typeof modelSpecification>;

export const trainingSettings = z.strictObject({
  optimizer,
  batchSize: z.int().min(1).max(65_536),
  /** Optimizer steps at each site in each training round. */
  localUpdates: z.int().min(1).max(1_000_000),
});
export type TrainingSettings = z.infer<typeof trainingSettings>;

/**
 * Fewest subjects behind anything that leaves, whatever a plan says: the limit under which a site withholds counts (C12).
 * Stops a plan from asking for the numbers of one patient.
 */
export const SMALLEST_COHORT = 5;

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
  participants: z
    .array(z.strictObject({ siteId: identifier, name: plainText(200) }))
    .min(1)
    .max(100),
  dataElements: z.strictObject({
    /** The fact whose day is a subject's index date. */
    indexEvent: codeReference,
    /** A coded fact that says which part of the split a subject is in. */
    split: z.strictObject({ code: codeReference, training: plainText(64), holdout: plainText(64) }),
    /** Facts from `before` days before to `after` days after the index date count; the latest one is taken. */
    windowDays: z.strictObject({
      before: z.int().min(0).max(36_500),
      after: z.int().min(0).max(36_500),
    }),
    features: z.array(featureSpecification).min(1).max(10_000),
    label: labelSpecification,
  }),
  imaging: z.null(),
  minimumCohort: z.strictObject({
    /** Fewest subjects in the training part; below it nothing trains and nothing leaves. */
    training: z.int().min(SMALLEST_COHORT),
    /** Fewest subjects in the holdout part for an evaluation to leave. */
    evaluation: z.int().min(SMALLEST_COHORT),
    reason: plainText(1000),
  }),
  /** Whose mean and standard deviation normalise the features. `federated`: those of all sites, from a statistics round. */
  normalisation: z.strictObject({ scope: z.enum(['site', 'federated']) }),
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
  privacy: z.null(),
  secureAggregation: z.null(),
  /** Opt-out lists without which, or with one older than this, no cohort is frozen; each by who gave its identifiers. */
  optOutLists: z
    .array(z.strictObject({ authority: plainText(200), maxAgeDays: z.int().min(1).max(3_650) }))
    .max(100),
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
