// The sealed update: signed outside, encrypted to the consortium, signed inside (docs/formats/sealed-update.md).
// The outer signature is checked before anything is decrypted, the inner one before anything is believed.
import { concatBytes, fromBase64, fromUtf8, toBase64, utf8 } from '#base/bytes.ts';
import { sha256, sha256Hex } from '#federation/crypto/digest.ts';
import { openChunks, sealChunks } from '#federation/crypto/hpke.ts';
import type { ReceivingKey } from '#federation/crypto/receiving-key.ts';
import { keyIdOf, type SigningKey } from '#federation/crypto/signing-key.ts';
import { encodeCanonicalJson } from '#federation/records/canonical-json.ts';
import { type ModelUpdate, modelUpdateRecord } from '#federation/records/model-update.ts';
import {
  encodeStatement,
  type RecordDefinition,
  signStatement,
  type VerifiedRecord,
  type VerifyOptions,
  verifyRecord,
} from '#federation/records/record.ts';
import {
  encodeSealedContent,
  encodeSealedFile,
  parseSealedContent,
  readSealedUpdate,
} from '#federation/records/sealed-bytes.ts';
import { SealedUpdateError, sealedUpdateErrorOf } from '#federation/records/sealed-update-error.ts';
import { parseStrictJson } from '#federation/records/strict-json.ts';
import { type SealedHeader, sealedHeader, transportRecord } from '#federation/records/transport.ts';
import type { TrustedKey } from '#federation/records/trust-list.ts';
import type { TrustedKeys } from '#federation/records/trusted-keys.ts';

export { readSealedUpdate, type SealedFile } from '#federation/records/sealed-bytes.ts';
export { type SealedUpdateCode, SealedUpdateError } from '#federation/records/sealed-update-error.ts';
export { type ApprovalCheck, verifyApprovals } from '#federation/records/verify-approvals.ts';

const INFO_LABEL = utf8('consilium/update/v1\0');
const MAX_HEADER_BYTES = 2000;

export interface SealOptions {
  /** DSSE envelope of the update statement. */
  readonly update: Uint8Array;
  /** DSSE envelopes of the stewards' approvals. */
  readonly approvals: readonly Uint8Array[];
  /** safetensors: subject[0] of the update statement. */
  readonly payload: Uint8Array;
  readonly header: SealedHeader;
  /** X25519 SubjectPublicKeyInfo that `header.recipientKeyId` names. */
  readonly recipientPublicKey: Uint8Array;
  /** The site's signing key. */
  readonly signer: SigningKey;
}

export interface OpenOptions {
  readonly file: Uint8Array;
  readonly receivingKey: ReceivingKey;
  readonly trust: TrustedKeys;
  /** The moment at which the signing keys must have been valid. */
  readonly atMs: number;
}

export interface OpenedUpdate {
  readonly update: VerifiedRecord<ModelUpdate>;
  readonly updateEnvelope: Uint8Array;
  /** Not verified yet: `verifyApprovals`, with what the plan asks for. */
  readonly approvals: readonly Uint8Array[];
  readonly payload: Uint8Array;
  readonly header: SealedHeader;
}

/** What the outer signature vouches for. Known without the receiving key. */
export interface VerifiedTransport {
  readonly header: SealedHeader;
  readonly signer: TrustedKey;
  /** HPKE info of this header. */
  readonly info: Uint8Array;
  /** HPKE encapsulated key. */
  readonly enc: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/**
 * The file. Sealing twice gives different bytes; the update inside stays the same.
 * @throws SealedUpdateError WRONG_RECIPIENT when the header names another key than the one sealed to, BAD_STATEMENT;
 * CryptoError BAD_KEY.
 */
export async function sealUpdate(options: SealOptions): Promise<Uint8Array> {
  const { update, approvals, payload, header, recipientPublicKey, signer } = options;
  verifyRecipient(keyIdOf(recipientPublicKey), header.recipientKeyId);
  const headerText = encodeHeader(header);
  const plaintext = encodeSealedContent({ update, approvals, payload });
  const { enc, ciphertext } = await sealChunks(recipientPublicKey, infoOf(headerText), plaintext);
  const statement = encodeStatement(transportRecord, {
    subjects: [{ name: 'ciphertext', digest: sha256Hex(ciphertext) }],
    predicate: { header: headerText, enc: toBase64(enc), ciphertextBytes: ciphertext.length },
  });
  return encodeSealedFile({ outer: signStatement(statement, [signer]), ciphertext });
}

/**
 * Checks all that can be checked without the receiving key: a courier or server refuses a forgery before decrypting it.
 * @throws SealedUpdateError BAD_BUNDLE, BAD_SIGNATURE, KEY_NOT_TRUSTED, WRONG_TYPE, BAD_STATEMENT, MIXUP (a site seals in
 * another's name), DECRYPT_FAILED (ciphertext cut, longer, or another).
 */
export function verifySealedTransport({
  file,
  trust,
  atMs,
}: Omit<OpenOptions, 'receivingKey'>): VerifiedTransport {
  const { outer, ciphertext } = readSealedUpdate(file);
  const { predicate, subjectDigest, signers } = verifyPart('outer', transportRecord, outer, { trust, atMs });
  const header = parseHeader(predicate.header);
  const signer = signers.find(({ siteId }) => siteId === header.siteId);
  if (signer === undefined) throw mixup('outer signature', header.siteId, signers[0]?.siteId);
  if (ciphertext.length !== predicate.ciphertextBytes || sha256Hex(ciphertext) !== subjectDigest) {
    throw new SealedUpdateError('DECRYPT_FAILED', 'The ciphertext is not the one that was signed.', {
      details: { expected: predicate.ciphertextBytes, found: ciphertext.length },
    });
  }
  return { header, signer, info: infoOf(predicate.header), enc: fromBase64(predicate.enc), ciphertext };
}

/**
 * Verifies, decrypts and verifies again. What comes back is what the site signed, for this recipient, with its payload.
 * @throws SealedUpdateError as `verifySealedTransport`, and BAD_KEY, DECRYPT_FAILED, WRONG_RECIPIENT, MIXUP, SUBSTITUTED.
 */
export async function openSealedUpdate({
  file,
  receivingKey,
  trust,
  atMs,
}: OpenOptions): Promise<OpenedUpdate> {
  const transport = verifySealedTransport({ file, trust, atMs });
  const { header } = transport;
  verifyRecipient(receivingKey.keyId, header.recipientKeyId);
  const {
    update: updateEnvelope,
    approvals,
    payload,
  } = parseSealedContent(await decrypt(receivingKey, transport));
  const update = verifyPart('inner', modelUpdateRecord, updateEnvelope, { trust, atMs });
  verifySamePlace(header, update.predicate);
  // A statement taken out of a file and sealed again to another recipient (surreptitious forwarding, E8).
  verifyRecipient(header.recipientKeyId, update.predicate.recipientKeyId);
  verifyPayload(payload, update);
  return { update, updateEnvelope, approvals, payload, header };
}

async function decrypt(
  receivingKey: ReceivingKey,
  { info, enc, ciphertext }: VerifiedTransport,
): Promise<Uint8Array> {
  try {
    return await openChunks(receivingKey, info, { enc, ciphertext });
  } catch (error) {
    throw sealedUpdateErrorOf('ciphertext', error);
  }
}

function verifyPart<P>(
  part: string,
  definition: RecordDefinition<P>,
  envelope: Uint8Array,
  options: VerifyOptions,
): VerifiedRecord<P> {
  try {
    return verifyRecord(definition, envelope, options);
  } catch (error) {
    throw sealedUpdateErrorOf(part, error);
  }
}

/** The header's RFC 8785 JSON. @throws SealedUpdateError BAD_STATEMENT. */
function encodeHeader(header: SealedHeader): string {
  const text = fromUtf8(encodeCanonicalJson(header));
  parseHeader(text);
  return text;
}

/** The header is signed and bound into `info` as text, so it is read from exactly that text. */
function parseHeader(text: string): SealedHeader {
  try {
    return sealedHeader.parse(parseStrictJson(utf8(text), { maxBytes: MAX_HEADER_BYTES }));
  } catch (cause) {
    throw new SealedUpdateError('BAD_STATEMENT', 'The header does not have the fields it must have.', {
      cause,
    });
  }
}

/** HPKE info: the purpose, and the header by its digest. A ciphertext opens under no other header. */
function infoOf(headerText: string): Uint8Array {
  return concatBytes(INFO_LABEL, sha256(utf8(headerText)));
}

function verifyRecipient(expected: string, found: string): void {
  if (expected === found) return;
  throw new SealedUpdateError('WRONG_RECIPIENT', 'The update is sealed or meant for another recipient.', {
    details: { expected, found },
  });
}

/** Outside and inside must speak of the same site, research study and round (E6). */
function verifySamePlace(header: SealedHeader, update: ModelUpdate): void {
  if (update.siteId !== header.siteId) throw mixup('siteId', header.siteId, update.siteId);
  if (update.researchStudyId !== header.researchStudyId) {
    throw mixup('researchStudyId', header.researchStudyId, update.researchStudyId);
  }
  if (update.round !== header.round) throw mixup('round', header.round, update.round);
}

function mixup(field: string, expected: unknown, found: unknown): SealedUpdateError {
  return new SealedUpdateError('MIXUP', 'Outer and inner statement do not belong together.', {
    details: { field, expected, found },
  });
}

/** The payload of another update under a valid statement (E7). */
function verifyPayload(payload: Uint8Array, { subjectDigest }: VerifiedRecord<ModelUpdate>): void {
  const found = sha256Hex(payload);
  if (found === subjectDigest) return;
  throw new SealedUpdateError('SUBSTITUTED', 'The payload is not the one that the statement names.', {
    details: { expected: subjectDigest, found },
  });
}
