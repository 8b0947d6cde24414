// A steward's signed decision on exactly one update statement and the disclosure report that was on the screen (21 CFR 11.50).
import { z } from 'zod';
import { digestHex, identifier, isoTimestamp, plainText } from '#federation/records/fields.ts';
import { defineRecord } from '#federation/records/record.ts';

export const approval = z.strictObject({
  researchStudyId: identifier,
  round: z.int().min(1),
  siteId: identifier,
  /** sha256 of the disclosure report's RFC 8785 JSON. subject[0] is the update statement's bytes. */
  reportDigest: digestHex,
  decision: z.enum(['approve', 'refuse']),
  reason: plainText(1000).nullable(),
  person: z.strictObject({ name: plainText(100), role: z.literal('steward') }),
  meaning: plainText(300),
  decidedAt: isoTimestamp,
});
export type Approval = z.infer<typeof approval>;

export const approvalRecord = defineRecord({
  name: 'approval',
  predicateType: 'https://consilium.example/steward-approval/v1',
  role: 'steward',
  predicate: approval,
});
