// A signed record: an in-toto statement in a DSSE envelope. Verifying reads like docs/formats/dsse-record.md.
import type { z } from 'zod';
import { BugError, isCodedError } from '#base/coded-error.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { keyIdOf, type SigningKey, verifySignature } from '#federation/crypto/signing-key.ts';
import {
  type Envelope,
  encodeEnvelope,
  parseEnvelope,
  STATEMENT_PAYLOAD_TYPE,
} from '#federation/records/envelope.ts';
import { RecordError } from '#federation/records/record-error.ts';
import { parseStatement } from '#federation/records/statement.ts';
import type { KeyRole, TrustedKey } from '#federation/records/trust-list.ts';
import {
  findKeyFor,
  type KeyUse,
  publicKeyOf,
  requireKey,
  type TrustedKeys,
} from '#federation/records/trusted-keys.ts';

export { type RecordCode, RecordError } from '#federation/records/record-error.ts';
export { encodeStatement, type StatementContent, type Subject } from '#federation/records/statement.ts';
export { createRootTrust, createTrustedKeys, type TrustedKeys } from '#federation/records/trusted-keys.ts';

/** One kind of record: its type URI, its claims, and the role of the keys that may sign it. */
export interface RecordDefinition<P> {
  readonly name: string;
  readonly predicateType: string;
  readonly role: KeyRole;
  readonly predicate: z.ZodType<P>;
}

export interface VerifyOptions {
  readonly trust: TrustedKeys;
  /** The moment at which the signing key must have been valid. */
  readonly atMs: number;
  /** The site that must have signed. */
  readonly siteId?: string;
}

interface RecordContent<P> {
  /** The statement's exact bytes. */
  readonly statement: Uint8Array;
  /** sha256 of `statement`, hexadecimal: the record's name everywhere else. */
  readonly digest: string;
  /** sha256 of the payload, hexadecimal: subject[0]. */
  readonly subjectDigest: string;
  readonly predicate: P;
}

export interface VerifiedRecord<P> extends RecordContent<P> {
  /** The trusted keys that signed, at least one, all different. */
  readonly signers: readonly TrustedKey[];
}

/** A record nobody vouches for yet. Its only use: the keys come from its own content (enrolment). */
export interface UnverifiedRecord<P> extends RecordContent<P> {
  /** @throws CryptoError BAD_SIGNATURE when the owner of `publicKey` (SPKI) did not sign, BAD_KEY. */
  verifySignedBy(publicKey: Uint8Array): void;
}

export function defineRecord<P>(definition: RecordDefinition<P>): RecordDefinition<P> {
  return definition;
}

/** The envelope of a statement, signed by each of `keys`. */
export function signStatement(statement: Uint8Array, keys: readonly SigningKey[]): Uint8Array {
  if (keys.length === 0) throw new BugError('a record needs a signature');
  return encodeEnvelope(statement, keys);
}

/**
 * Verifies an envelope: its type, its signatures, and only then what it says.
 * Signatures by keys that are not trusted for this are passed over, as DSSE asks (a key may be new to the reader); one by a
 * trusted key must hold, and one must be there.
 * @throws RecordError WRONG_TYPE, KEY_NOT_TRUSTED, BAD_SIGNATURE, BAD_STATEMENT.
 */
export function verifyRecord<P>(
  definition: RecordDefinition<P>,
  envelope: Uint8Array,
  { trust, atMs, siteId }: VerifyOptions,
): VerifiedRecord<P> {
  const parsed = parseRecordEnvelope(envelope);
  const signers = verifySignatures(parsed, trust, { role: definition.role, siteId, atMs });
  const content = readContent(definition, parsed.payload);
  verifySpeaksForItself(content.predicate, signers);
  return { ...content, signers };
}

/**
 * Reads a record whose signatures cannot be checked against a trust list, because its keys are in its own content.
 * The caller must call `verifySignedBy` for each of them (proof of possession).
 * @throws RecordError WRONG_TYPE, BAD_STATEMENT.
 */
export function readUnverified<P>(
  definition: RecordDefinition<P>,
  envelope: Uint8Array,
): UnverifiedRecord<P> {
  const { payload, signatures, signedBytes } = parseRecordEnvelope(envelope);
  return {
    ...readContent(definition, payload),
    verifySignedBy: (publicKey) => {
      const keyId = keyIdOf(publicKey);
      const own = signatures.find((signature) => signature.keyId === keyId);
      verifySignature(publicKey, signedBytes, own?.signature ?? new Uint8Array());
    },
  };
}

/** @throws RecordError WRONG_TYPE when the signature was made for another protocol (cross-protocol attack, E10). */
function parseRecordEnvelope(bytes: Uint8Array): Envelope {
  const envelope = parseEnvelope(bytes);
  if (envelope.payloadType === STATEMENT_PAYLOAD_TYPE) return envelope;
  throw new RecordError('WRONG_TYPE', 'The envelope holds another type of payload.', {
    details: { expected: STATEMENT_PAYLOAD_TYPE, found: envelope.payloadType },
  });
}

function verifySignatures(
  { signatures, signedBytes }: Envelope,
  trust: TrustedKeys,
  use: KeyUse,
): TrustedKey[] {
  const signers = signatures.flatMap(({ keyId, signature }) => {
    const key = findKeyFor(trust, keyId, use);
    if (key === undefined) return [];
    verifyEnvelopeSignature(key, signedBytes, signature);
    return [key];
  });
  // With nobody left, the refusal says what is wrong with the first key.
  if (signers.length === 0) requireKey(trust, signatures[0]?.keyId ?? '', use);
  return signers;
}

function verifyEnvelopeSignature(key: TrustedKey, signedBytes: Uint8Array, signature: Uint8Array): void {
  try {
    verifySignature(publicKeyOf(key), signedBytes, signature);
  } catch (cause) {
    if (!isCodedError(cause, 'BAD_SIGNATURE')) throw cause;
    throw new RecordError('BAD_SIGNATURE', 'The signature does not fit the record.', {
      cause,
      details: { keyId: key.keyId },
    });
  }
}

function readContent<P>(definition: RecordDefinition<P>, statement: Uint8Array): RecordContent<P> {
  const { subjects, predicate } = parseStatement(definition, statement);
  return { statement, digest: sha256Hex(statement), subjectDigest: subjects[0]?.digest ?? '', predicate };
}

/** A site's key speaks for its own site only: a claim in another site's name is not covered by it. */
function verifySpeaksForItself(predicate: unknown, signers: readonly TrustedKey[]): void {
  const claimed = siteIdOf(predicate);
  const stranger = signers.find(
    ({ siteId }) => siteId !== null && claimed !== undefined && siteId !== claimed,
  );
  if (stranger === undefined) return;
  throw new RecordError('KEY_NOT_TRUSTED', 'The record speaks for another site than its key does.', {
    details: { keyId: stranger.keyId, expected: stranger.siteId, found: claimed },
  });
}

function siteIdOf(predicate: unknown): string | undefined {
  const isNamed = typeof predicate === 'object' && predicate !== null && 'siteId' in predicate;
  return isNamed && typeof predicate.siteId === 'string' ? predicate.siteId : undefined;
}
