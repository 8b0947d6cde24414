// A site's request to join: its public keys, each proven by a signature of its own over the same bytes (proof of possession).
import { z } from 'zod';
import { base64Text, identifier, isoTimestamp, plainText } from '#federation/records/fields.ts';
import { defineRecord } from '#federation/records/record.ts';

export const enrolmentRequest = z.strictObject({
  siteId: identifier,
  name: plainText(200),
  /** The one-time code of the invitation, base64 of 16 bytes. */
  invitationCode: base64Text(24),
  keys: z
    .array(
      z.strictObject({
        role: z.enum(['site-signing', 'site-log', 'steward']),
        person: plainText(100).nullable(),
        publicKey: base64Text(400),
      }),
    )
    .min(3)
    .max(50),
  requestedAt: isoTimestamp,
});
export type EnrolmentRequest = z.infer<typeof enrolmentRequest>;

export const enrolmentRequestRecord = defineRecord({
  name: 'enrolment-request',
  predicateType: 'https://consilium.example/enrolment-request/v1',
  role: 'site-signing',
  predicate: enrolmentRequest,
});
