// What travels over the site contract about rounds, the updates made in them, and what is exchanged with the consortium.
import { z } from 'zod';
import { count } from './count.ts';
import { selectionReport } from './research-study-schema.ts';
import { reportedStatistics } from './statistics-schema.ts';

export const roundState = z.strictObject({
  researchStudyId: z.string(),
  /** null: no round is open. */
  round: z.int().nullable(),
  roundCount: z.int(),
  kind: z.enum(['statistics', 'training', 'evaluation']).nullable(),
  closesAt: z.string().nullable(),
  /** What this site did in it. */
  state: z.enum(['none', 'open', 'running', 'draft', 'approved', 'refused', 'blocked', 'sealed', 'received']),
  updateId: z.string().nullable(),
});
export type RoundState = z.infer<typeof roundState>;
export const roundEvent = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('phase'),
    phase: z.enum(['cohort', 'statistics', 'training', 'evaluation', 'update']),
  }),
  z.strictObject({ kind: z.literal('progress'), step: count, stepCount: count, loss: z.number() }),
  z.strictObject({ kind: z.literal('done'), updateId: z.string() }),
]);
export type RoundEvent = z.infer<typeof roundEvent>;

export const disclosureReport = z.strictObject({
  researchStudyId: z.string(),
  /** The plan that the update was made under: its version, and the sha256 of its statement. */
  plan: z.strictObject({ version: z.int(), digest: z.string() }),
  round: z.int(),
  roundKind: z.enum(['statistics', 'training', 'evaluation']),
  siteId: z.string(),
  /** sha256 of the update statement that an approval binds. */
  updateDigest: z.string(),
  /** sha256 and size of the payload, the exact bytes of the tensors. */
  payloadDigest: z.string(),
  payloadBytes: count,
  tensors: z
    .array(
      z.strictObject({
        name: z.string(),
        dtype: z.string(),
        shape: z.array(count).readonly(),
        l2Norm: z.number(),
        largest: z.number(),
      }),
    )
    .readonly(),
  statistics: reportedStatistics.nullable(),
  l2Norm: z.number(),
  maxUpdateNorm: z.number(),
  exampleCount: count,
  patientCount: count,
  cohortDigest: z.string(),
  consent: z.strictObject({ evaluatedAt: z.string(), snapshotDigest: z.string() }),
  selection: selectionReport,
  metrics: z.strictObject({ lossBefore: z.number().nullable(), lossAfter: z.number().nullable() }),
  /** Sentences' keys about what protection is and is not there: no-differential-privacy, no-secure-aggregation. */
  notices: z.array(z.string()).readonly(),
  /** Epsilon of this round and of all, with what gives it a meaning; absent where nothing was trained with differential privacy. */
  privacy: z
    .strictObject({
      unit: z.string(),
      adjacency: z.string(),
      delta: z.number(),
      accountant: z.string(),
      epsilonThisRound: z.number(),
      epsilonTotal: z.number(),
      epsilonBudget: z.number(),
      isAboveWarning: z.boolean(),
    })
    .optional(),
  /** Against this site's update of the round before; null for the first. */
  sinceLast: z
    .strictObject({ round: z.int(), exampleCountChanged: z.boolean(), l2NormRatio: z.number() })
    .nullable(),
  recipient: z.strictObject({ keyId: z.string(), consortium: z.string() }),
});
export type DisclosureReport = z.infer<typeof disclosureReport>;
export const updateSummary = z.strictObject({
  updateId: z.string(),
  researchStudyId: z.string(),
  round: z.int(),
  kind: z.enum(['statistics', 'training', 'evaluation']),
  state: z.enum(['draft', 'approved', 'refused', 'blocked', 'sealed', 'received']),
  builtAt: z.string(),
});
export type UpdateSummary = z.infer<typeof updateSummary>;
export const updateReview = z.strictObject({
  summary: updateSummary,
  report: disclosureReport,
  reportDigest: z.string(),
  /** Loss by step as it was seen while training. */
  lossCurve: z.array(z.strictObject({ step: count, loss: z.number() })).readonly(),
});
export type UpdateReview = z.infer<typeof updateReview>;
export const updateApprove = z.strictObject({
  updateId: z.string(),
  reportDigest: z.string(),
  secret: z.string().min(1).max(1000),
});
export const updateRefuse = z.strictObject({
  updateId: z.string(),
  reportDigest: z.string(),
  reason: z.string().min(1).max(1000),
  secret: z.string().min(1).max(1000),
});

export const syncResult = z.strictObject({
  /** Records taken over, e.g. trust-list, plan, round, global-model. */
  received: z
    .array(
      z.strictObject({
        record: z.string(),
        researchStudyId: z.string().nullable(),
        round: z.int().nullable(),
      }),
    )
    .readonly(),
  sent: z
    .array(
      z.strictObject({
        updateId: z.string(),
        outcome: z.enum(['received', 'retry', 'refused']),
        code: z.string().nullable(),
        bytes: count,
      }),
    )
    .readonly(),
  bytesSent: z.record(z.string(), count),
  bytesReceived: count,
});
export type SyncResult = z.infer<typeof syncResult>;

export const evaluation = z.strictObject({
  researchStudyId: z.string(),
  round: z.int(),
  modelDigest: z.string(),
  exampleCount: count,
  correctCount: count,
  accuracy: z.number(),
  meanLoss: z.number(),
  evaluatedAt: z.string(),
});
export type Evaluation = z.infer<typeof evaluation>;
