// The outer statement of a sealed update: lets a server refuse a forgery before it decrypts or parses anything.
import { z } from 'zod';
import { base64Text, count, digestHex, identifier } from '#federation/records/fields.ts';
import { defineRecord } from '#federation/records/record.ts';

/** Bound into HPKE's info, so a ciphertext opens only under the header it was made for. */
export const sealedHeader = z.strictObject({
  recipientKeyId: digestHex,
  /** HPKE suite: 1 = DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. Others are refused, not skipped. */
  suite: z.literal(1),
  researchStudyId: identifier,
  round: z.int().min(1),
  siteId: identifier,
  bundleId: digestHex,
});
export type SealedHeader = z.infer<typeof sealedHeader>;

export const transport = z.strictObject({
  /** The header's exact JSON text; its bytes are what HPKE binds. */
  header: z.string().max(2000),
  /** HPKE encapsulated key, base64 of 32 bytes. */
  enc: base64Text(44),
  ciphertextBytes: count,
});
export type Transport = z.infer<typeof transport>;

/** subject[0] is the ciphertext. */
export const transportRecord = defineRecord({
  name: 'transport',
  predicateType: 'https://consilium.example/transport/v1',
  role: 'site-signing',
  predicate: transport,
});
