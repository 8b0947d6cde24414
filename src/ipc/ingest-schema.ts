// What travels over the site contract about imports: files, rows and what became of them.
import { z } from 'zod';
import { count } from './count.ts';

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
