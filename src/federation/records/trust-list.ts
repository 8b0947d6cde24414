// Who may sign what, in one list signed by the consortium's root key. Its version never falls (TUF: rollback attack).
import { z } from 'zod';
import { base64Text, digestHex, identifier, isoTimestamp, plainText } from '#federation/records/fields.ts';
import { defineRecord } from '#federation/records/record.ts';

export const keyRole = z.enum([
  'root',
  'plan',
  'model',
  'receiving',
  'consortium-log',
  'site-signing',
  'site-log',
  'steward',
]);
export type KeyRole = z.infer<typeof keyRole>;

export const trustedKey = z.strictObject({
  /** sha256 of `publicKey`'s bytes. */
  keyId: digestHex,
  role: keyRole,
  /** The site the key speaks for; null for the consortium's own keys. */
  siteId: identifier.nullable(),
  /** The person the key belongs to, for stewards. */
  person: plainText(100).nullable(),
  /** SubjectPublicKeyInfo (DER), base64. Ed25519, or X25519 for `receiving`. */
  publicKey: base64Text(400),
  notBefore: isoTimestamp,
  notAfter: isoTimestamp,
  revokedAt: isoTimestamp.nullable(),
});
export type TrustedKey = z.infer<typeof trustedKey>;

export const trustList = z.strictObject({
  consortium: plainText(200),
  version: z.int().min(1),
  issuedAt: isoTimestamp,
  expires: isoTimestamp,
  keys: z.array(trustedKey).max(10_000),
});
export type TrustList = z.infer<typeof trustList>;

export const trustListRecord = defineRecord({
  name: 'trust-list',
  predicateType: 'https://consilium.example/trust-list/v1',
  role: 'root',
  predicate: trustList,
});
