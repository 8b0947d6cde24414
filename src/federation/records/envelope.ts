// The DSSE v1.0.2 envelope: a payload, its type, and signatures over both.
import { z } from 'zod';
import { fromBase64, toBase64 } from '#base/bytes.ts';
import { preAuthenticationEncoding } from '#federation/crypto/dsse.ts';
import type { SigningKey } from '#federation/crypto/signing-key.ts';
import { encodeCanonicalJson } from '#federation/records/canonical-json.ts';
import { digestHex } from '#federation/records/fields.ts';
import { RecordError } from '#federation/records/record-error.ts';
import { parseStrictJson } from '#federation/records/strict-json.ts';

export const STATEMENT_PAYLOAD_TYPE = 'application/vnd.in-toto+json';
/** Room for a trust list of 10,000 keys. */
export const MAX_ENVELOPE_BYTES = 16 * 1024 * 1024;

const envelopeJson = z.strictObject({
  payload: z.string(),
  payloadType: z.string().max(200),
  signatures: z
    .array(z.strictObject({ keyid: digestHex, sig: z.string().length(88) }))
    .min(1)
    .max(16),
});

export interface Envelope {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  readonly signatures: readonly EnvelopeSignature[];
  /** The bytes every signature is over. */
  readonly signedBytes: Uint8Array;
}

export interface EnvelopeSignature {
  readonly keyId: string;
  readonly signature: Uint8Array;
}

/** The envelope of `payload`, signed by each key, as RFC 8785 JSON. */
export function encodeEnvelope(payload: Uint8Array, keys: readonly SigningKey[]): Uint8Array {
  const signedBytes = preAuthenticationEncoding(STATEMENT_PAYLOAD_TYPE, payload);
  const signatures = keys.map((key) => ({ keyid: key.keyId, sig: toBase64(key.sign(signedBytes)) }));
  return encodeCanonicalJson({ payload: toBase64(payload), payloadType: STATEMENT_PAYLOAD_TYPE, signatures });
}

/** Takes an envelope apart. Nothing in it is verified yet. @throws RecordError BAD_STATEMENT. */
export function parseEnvelope(bytes: Uint8Array): Envelope {
  const parsed = envelopeJson.safeParse(parseStrictJson(bytes, { maxBytes: MAX_ENVELOPE_BYTES }));
  if (!parsed.success) throw badEnvelope(parsed.error);
  const { payload, payloadType, signatures } = parsed.data;
  // Two signatures by one key must not count as two.
  if (new Set(signatures.map(({ keyid }) => keyid)).size !== signatures.length) throw badEnvelope();
  const payloadBytes = decodeBase64(payload);
  return {
    payloadType,
    payload: payloadBytes,
    signatures: signatures.map(({ keyid, sig }) => ({ keyId: keyid, signature: decodeBase64(sig) })),
    signedBytes: preAuthenticationEncoding(payloadType, payloadBytes),
  };
}

function decodeBase64(text: string): Uint8Array {
  try {
    return fromBase64(text);
  } catch (cause) {
    throw badEnvelope(cause);
  }
}

function badEnvelope(cause?: unknown): RecordError {
  return new RecordError('BAD_STATEMENT', 'These bytes are no DSSE envelope.', { cause });
}
