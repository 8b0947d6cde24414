// What travels over the site contract, as schemas. Names are those of docs/glossary.md.
import { z } from 'zod';
import { reportedStatistics } from './statistics-schema.ts';

const count = z.int().min(0);

export const role = z.enum(['steward', 'investigator', 'auditor', 'admin']);
export type Role = z.infer<typeof role>;
export const person = z.strictObject({ name: z.string(), role });
export type Person = z.infer<typeof person>;
export const signIn = z.strictObject({
  name: z.string().min(1).max(100),
  secret: z.string().min(1).max(1000),
});
export const newPerson = z.strictObject({
  name: z.string().min(1).max(100),
  role,
  secret: z.string().min(8).max(1000),
});

export const enrolment = z.strictObject({
  invitation: z.string().min(1).max(10_000),
  stewards: z.array(signIn).min(1).max(20),
});
export const enrolled = z.strictObject({ siteId: z.string(), consortium: z.string() });

export const page = z.strictObject({ offset: count, limit: z.int().min(1).max(500) });
export const researchStudyRef = z.strictObject({ researchStudyId: z.string().max(64) });
export const updateRef = z.strictObject({ updateId: z.string().max(64) });

export const siteStatus = z.strictObject({
  siteId: z.string().nullable(),
  name: z.string(),
  version: z.string(),
  consortium: z.string().nullable(),
  engine: z.strictObject({ name: z.string(), version: z.string(), reason: z.string() }).nullable(),
  subjectCount: count,
  factCount: count,
  updatesToReview: count,
  outboxCount: count,
});
export type SiteStatus = z.infer<typeof siteStatus>;

export const ingestPaths = z.strictObject({
  paths: z.array(z.string()).min(1),
  mapping: z.string().nullable(),
});
/** Rows of a file: they add up to what was in it. `notNeeded`: of a kind that has no place in the clinical vocabulary. */
const rowCounts = z.strictObject({ accepted: count, duplicate: count, rejected: count, notNeeded: count });
export const fileOutcome = z.strictObject({
  /** As the caller named it. */
  path: z.string(),
  outcome: z.enum(['accepted', 'duplicate', 'quarantined', 'rejected']),
  format: z.string().nullable(),
  code: z.string().nullable(),
  reason: z.string().nullable(),
  rows: rowCounts,
  /** The first refused rows; `field` is a column or element name, never a value. */
  refusals: z
    .array(z.strictObject({ row: z.int().min(1), code: z.string(), field: z.string().nullable() }))
    .readonly(),
});
export type FileOutcome = z.infer<typeof fileOutcome>;
export const ingestSummary = z.strictObject({
  batchId: z.string(),
  accepted: count,
  duplicate: count,
  quarantined: count,
  rejected: count,
  /** Rows of all files. */
  rowCounts,
  /** Every file of a batch of up to 1,000; of a larger one first of all those that are not wholly in. */
  files: z.array(fileOutcome).readonly(),
  /** Files that are counted above and not among `files`. */
  filesOmitted: count,
  /** What was added, by kind, without those of which there was none: patient, measurement, consent... */
  rows: z.record(z.string(), count),
});
export type IngestSummary = z.infer<typeof ingestSummary>;
export const ingestEvent = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('progress'),
    path: z.string(),
    fileIndex: count,
    fileCount: count,
    bytesRead: count,
    bytesTotal: count,
    rowCount: count,
    /** Of the whole batch. */
    bytesDone: count,
    bytesOffered: count,
    elapsedMs: count,
    /** Null until enough is done to tell. */
    remainingMs: count.nullable(),
    rowsPerSecond: count,
    bytesPerSecond: count,
  }),
  /** Of a batch of more than 1,000 files only those that are not wholly in. */
  z.strictObject({ kind: z.literal('file'), file: fileOutcome }),
  z.strictObject({ kind: z.literal('summary'), summary: ingestSummary }),
]);
export type IngestEvent = z.infer<typeof ingestEvent>;
export const ingestOpen = z.strictObject({
  files: z
    .array(z.strictObject({ name: z.string().min(1).max(500), size: count }))
    .min(1)
    .max(10_000),
  /** A saved CSV mapping (JSON text), for CSV files. */
  mapping: z.string().max(1_000_000).nullable(),
});
export const ingestOrder = z.strictObject({
  batchId: z.string(),
  /** Indexes into `files`: what must be read first (OMOP's concept table) comes first. */
  order: z.array(count).readonly(),
});
export const ingestChunk = z.strictObject({
  batchId: z.string(),
  fileIndex: count,
  offset: count,
  /** At most 1 MiB, base64. */
  bytes: z.base64().max(1_500_000),
  isLast: z.boolean(),
});
export const ingestPushed = z.strictObject({
  bytesRead: count,
  rowCount: count,
  /** Set with the last chunk, and earlier where the file is refused as a whole. */
  file: fileOutcome.nullable(),
});
export const storedOutcome = z.strictObject({
  outcomeId: z.int(),
  name: z.string(),
  format: z.string().nullable(),
  outcome: z.enum(['accepted', 'duplicate', 'quarantined', 'rejected']),
  code: z.string().nullable(),
  reason: z.string().nullable(),
  rows: rowCounts,
  finishedAt: z.string(),
});
export type StoredOutcome = z.infer<typeof storedOutcome>;
export const ingestOutcomes = z.strictObject({ total: count, outcomes: z.array(storedOutcome).readonly() });
export const recordCount = z.strictObject({
  /** encounter, condition, measurement, medication, procedure. */
  kind: z.string(),
  system: z.string(),
  code: z.string(),
  factCount: count,
  subjectCount: count,
});

export const consentRow = z.strictObject({
  subjectId: z.string(),
  /** Shown to people who may see names; null otherwise. */
  patientName: z.string().nullable(),
  consentId: z.string().nullable(),
  version: z.int().nullable(),
  /** What the rules say today. */
  decision: z.enum(['permit', 'deny']),
  /** Why: permit, withdrawn, expired, not-yet-valid, majority-reached, majority-unknown, unverified, no-consent, opted-out, denied, inactive. */
  rule: z.string(),
  untilDate: z.string().nullable(),
  source: z.string().nullable(),
});
export type ConsentRow = z.infer<typeof consentRow>;
export const consentQuery = z.strictObject({
  researchStudyId: z.string().nullable(),
  decision: z.enum(['permit', 'deny']).nullable(),
  /** Part of a patient's name, an identifier or a subject id. */
  search: z.string().max(200),
  offset: count,
  limit: z.int().min(1).max(500),
});
export const consentPage = z.strictObject({
  total: count,
  permitted: count,
  denied: count,
  rows: z.array(consentRow).readonly(),
});
export const consentGrant = z.strictObject({
  subjectId: z.string(),
  researchStudyId: z.string().nullable(),
  untilDate: z.iso.date().nullable(),
});
export const consentWithdraw = z.strictObject({
  subjectId: z.string(),
  researchStudyId: z.string().nullable(),
});

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

export const auditQuery = z.strictObject({
  search: z.string().max(200),
  action: z.string().nullable(),
  offset: count,
  limit: z.int().min(1).max(500),
});
export const auditEntry = z.strictObject({
  seq: count,
  time: z.string(),
  actor: z.string(),
  role: z.string().nullable(),
  action: z.string(),
  object: z.string().nullable(),
  researchStudyId: z.string().nullable(),
  round: z.int().nullable(),
  outcome: z.enum(['success', 'refused', 'failed']),
  reason: z.string().nullable(),
  detail: z.string().nullable(),
  leafHash: z.string(),
});
export type AuditEntry = z.infer<typeof auditEntry>;
export const auditPage = z.strictObject({
  total: count,
  actions: z.array(z.string()).readonly(),
  entries: z.array(auditEntry).readonly(),
});
export const auditVerification = z.strictObject({
  verified: z.boolean(),
  leafCount: count,
  checkpointCount: count,
  rootHash: z.string(),
  /** The first entry at which something is wrong, with its code. */
  problem: z.strictObject({ seq: z.int().nullable(), code: z.string(), message: z.string() }).nullable(),
  /** What is to be known but breaks nothing: a clock set back as the log itself says, entries after the last checkpoint. */
  notices: z
    .array(z.strictObject({ seq: z.int().nullable(), code: z.string(), message: z.string() }))
    .optional(),
});
export type AuditVerification = z.infer<typeof auditVerification>;
export const auditExport = z.strictObject({ files: z.array(z.string()).readonly(), leafCount: count });
