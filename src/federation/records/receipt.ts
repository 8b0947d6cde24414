// The consortium's signed word that it holds an update. The same update always gets the same receipt.
import { z } from 'zod';
import { digestHex, identifier, isoTimestamp } from '#federation/records/fields.ts';
import { defineRecord } from '#federation/records/record.ts';

export const receipt = z.strictObject({
  researchStudyId: identifier,
  round: z.int().min(1),
  siteId: identifier,
  /** sha256 of the update statement's bytes. */
  updateDigest: digestHex,
  receivedAt: isoTimestamp,
});
export type Receipt = z.infer<typeof receipt>;

export const receiptRecord = defineRecord({
  name: 'receipt',
  predicateType: 'https://consilium.example/receipt/v1',
  role: 'model',
  predicate: receipt,
});
