// The signed statement of one update: every claim a site makes about the bytes it sends. Null where a stage does not exist
// yet and the plan allows it, so that the format does not change later.
import { z } from 'zod';
import { digestHex, identifier, isoTimestamp, logSize, plainText } from '#federation/records/fields.ts';
import { privacyStatement } from '#federation/records/privacy-statement.ts';
import { defineRecord } from '#federation/records/record.ts';

export const updateKind = z.enum(['delta', 'statistics', 'evaluation']);
export type UpdateKind = z.infer<typeof updateKind>;

/**
 * Above any hospital, and small enough that the counts of all sites of a round are summed exactly: one false count keeps no round
 * from closing.
 */
const countedInUpdate = z.int().min(1).max(10_000_000);

export const modelUpdate = z.strictObject({
  researchStudyId: identifier,
  recipientKeyId: digestHex,
  planDigest: digestHex,
  round: z.int().min(1),
  attempt: z.int().min(1),
  siteId: identifier,
  baseModelDigest: digestHex,
  /** sha256 of the RFC 8785 JSON of tensor names, shapes and dtypes. */
  tensorManifestDigest: digestHex,
  updateKind,
  exampleCount: countedInUpdate,
  patientCount: countedInUpdate,
  cohortDigest: digestHex,
  consentSnapshotDigest: digestHex,
  consentEvaluatedAt: isoTimestamp,
  optOutListDigest: digestHex.nullable(),
  deidProfile: plainText(100),
  /** Null where the plan asks for none, and in rounds that do not train. */
  privacy: privacyStatement.nullable(),
  metrics: z.strictObject({
    /** Mean loss on the training part before and after, in nats. Null in rounds that do not train. */
    before: z.number().min(0).nullable(),
    after: z.number().min(0).nullable(),
    calibration: z.null(),
  }),
  secagg: z.null(),
  /** sha256 of the training seed, which stays at the site. Null in rounds that do not train. */
  seedCommitment: digestHex.nullable(),
  software: z.strictObject({
    name: plainText(64),
    version: plainText(32),
    buildDigest: digestHex.nullable(),
    sbomDigest: digestHex.nullable(),
  }),
  trainedFrom: isoTimestamp,
  trainedAt: isoTimestamp,
  auditCheckpoint: z.strictObject({ size: logSize, rootHash: digestHex }),
  /** Digest of this site's previous update statement in this study; null for the first. */
  prevUpdateDigest: digestHex.nullable(),
  nonce: digestHex,
  expires: isoTimestamp,
});
export type ModelUpdate = z.infer<typeof modelUpdate>;

/** subject[0] is the safetensors payload. */
export const modelUpdateRecord = defineRecord({
  name: 'update',
  predicateType: 'https://consilium.example/model-update/v1',
  role: 'site-signing',
  predicate: modelUpdate,
});
