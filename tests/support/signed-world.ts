// A small consortium for tests of signed records: two sites, their stewards, the consortium's keys. Keys follow from names.
import { toBase64, utf8 } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { sha256, sha256Hex } from '#federation/crypto/digest.ts';
import { createReceivingKey, type ReceivingKey } from '#federation/crypto/receiving-key.ts';
import { createSigningKey, keyIdOf, type SigningKey } from '#federation/crypto/signing-key.ts';
import { type Approval, approvalRecord } from '#federation/records/approval.ts';
import { type ModelUpdate, modelUpdateRecord } from '#federation/records/model-update.ts';
import {
  createTrustedKeys,
  encodeStatement,
  signStatement,
  type TrustedKeys,
} from '#federation/records/record.ts';
import { sealUpdate } from '#federation/records/sealed-update.ts';
import type { SealedHeader } from '#federation/records/transport.ts';
import type { TrustedKey, TrustList } from '#federation/records/trust-list.ts';

export const nowMs = Date.parse('2026-11-21T08:00:00.000Z');
const dayMs = 24 * 60 * 60 * 1000;

/** The signing key that belongs to a name, always the same. */
export function signingKeyOf(name: string): SigningKey {
  return createSigningKey(sha256(utf8(name)));
}

export const keys = {
  root: signingKeyOf('root'),
  plan: signingKeyOf('plan'),
  model: signingKeyOf('model'),
  cleveland: signingKeyOf('cleveland'),
  hungary: signingKeyOf('hungary'),
  anna: signingKeyOf('anna'),
  ben: signingKeyOf('ben'),
  zita: signingKeyOf('zita'),
} as const;

export const receivingKey: ReceivingKey = createReceivingKey(sha256(utf8('receiving')));
export const otherReceivingKey: ReceivingKey = createReceivingKey(sha256(utf8('other receiving')));

/** A trust-list entry, valid a year around `nowMs` unless said otherwise. */
export function trustEntry(
  publicKey: Uint8Array,
  content: Pick<TrustedKey, 'role'> & Partial<TrustedKey>,
): TrustedKey {
  return {
    keyId: keyIdOf(publicKey),
    siteId: null,
    person: null,
    publicKey: toBase64(publicKey),
    notBefore: isoTime(nowMs - 365 * dayMs),
    notAfter: isoTime(nowMs + 365 * dayMs),
    revokedAt: null,
    ...content,
  };
}

export const trustEntries: readonly TrustedKey[] = [
  trustEntry(keys.root.publicKey, { role: 'root' }),
  trustEntry(keys.plan.publicKey, { role: 'plan' }),
  trustEntry(keys.model.publicKey, { role: 'model' }),
  trustEntry(receivingKey.publicKey, { role: 'receiving' }),
  trustEntry(otherReceivingKey.publicKey, { role: 'receiving' }),
  trustEntry(keys.cleveland.publicKey, { role: 'site-signing', siteId: 'cleveland' }),
  trustEntry(keys.hungary.publicKey, { role: 'site-signing', siteId: 'hungary' }),
  trustEntry(keys.anna.publicKey, { role: 'steward', siteId: 'cleveland', person: 'Anna' }),
  trustEntry(keys.ben.publicKey, { role: 'steward', siteId: 'cleveland', person: 'Ben' }),
  trustEntry(keys.zita.publicKey, { role: 'steward', siteId: 'hungary', person: 'Zita' }),
];

export function trustListOf(entries: readonly TrustedKey[]): TrustList {
  return {
    consortium: 'Test consortium',
    version: 3,
    issuedAt: isoTime(nowMs - dayMs),
    expires: isoTime(nowMs + 30 * dayMs),
    keys: [...entries],
  };
}

export const trust: TrustedKeys = createTrustedKeys(trustListOf(trustEntries));

/** The same trust with one key's entry changed. */
export function trustWith(key: SigningKey, change: Partial<TrustedKey>): TrustedKeys {
  return createTrustedKeys(
    trustListOf(trustEntries.map((entry) => (entry.keyId === key.keyId ? { ...entry, ...change } : entry))),
  );
}

export const payload = utf8('safetensors of Cleveland');
const digestOf = (text: string): string => sha256Hex(utf8(text));

export function updatePredicate(change: Partial<ModelUpdate> = {}): ModelUpdate {
  return {
    researchStudyId: 'heart-disease',
    recipientKeyId: receivingKey.keyId,
    planDigest: digestOf('plan'),
    round: 2,
    attempt: 1,
    siteId: 'cleveland',
    baseModelDigest: digestOf('base'),
    tensorManifestDigest: digestOf('manifest'),
    updateKind: 'delta',
    exampleCount: 199,
    patientCount: 199,
    cohortDigest: digestOf('cohort'),
    consentSnapshotDigest: digestOf('consent'),
    consentEvaluatedAt: isoTime(nowMs),
    optOutListDigest: null,
    deidProfile: 'none',
    privacy: null,
    metrics: { before: 0.69, after: 0.5, calibration: null },
    secagg: null,
    seedCommitment: digestOf('seed'),
    software: { name: 'consilium', version: '0.1.0', buildDigest: null, sbomDigest: null },
    trainedFrom: isoTime(nowMs),
    trainedAt: isoTime(nowMs),
    auditCheckpoint: { size: 12, rootHash: digestOf('log') },
    prevUpdateDigest: null,
    nonce: digestOf('nonce'),
    expires: isoTime(nowMs + dayMs),
    ...change,
  };
}

export function updateStatement(
  change: Partial<ModelUpdate> = {},
  content: Uint8Array = payload,
): Uint8Array {
  const subjects = [{ name: 'payload', digest: sha256Hex(content) }];
  return encodeStatement(modelUpdateRecord, { subjects, predicate: updatePredicate(change) });
}

/** An update's envelope, by Cleveland unless said otherwise. */
export function updateEnvelope(
  change: Partial<ModelUpdate> = {},
  signer: SigningKey = keys.cleveland,
): Uint8Array {
  return signStatement(updateStatement(change), [signer]);
}

export function approvalEnvelope(
  updateDigest: string,
  change: Partial<Approval> = {},
  signers: readonly SigningKey[] = [keys.anna],
): Uint8Array {
  const predicate: Approval = {
    researchStudyId: 'heart-disease',
    round: 2,
    siteId: 'cleveland',
    reportDigest: digestOf('report'),
    decision: 'approve',
    reason: null,
    person: { name: 'Anna', role: 'steward' },
    meaning: 'I approve that exactly this update leaves the hospital.',
    decidedAt: isoTime(nowMs),
    ...change,
  };
  const subjects = [{ name: 'update', digest: updateDigest }];
  return signStatement(encodeStatement(approvalRecord, { subjects, predicate }), signers);
}

export const header: SealedHeader = {
  recipientKeyId: receivingKey.keyId,
  suite: 1,
  researchStudyId: 'heart-disease',
  round: 2,
  siteId: 'cleveland',
  bundleId: digestOf('bundle'),
};

/** Any statement's bytes in an envelope of Cleveland's. */
export function updateEnvelopeOf(statement: Uint8Array): Uint8Array {
  return signStatement(statement, [keys.cleveland]);
}

export interface SealChange {
  /** Digest of the update statement that the approval names. */
  readonly approvalOf?: string;
  readonly update?: Uint8Array;
  readonly payload?: Uint8Array;
  readonly header?: Partial<SealedHeader>;
  readonly recipientPublicKey?: Uint8Array;
  readonly signer?: SigningKey;
}

/** A whole sealed update, in order unless something is changed. */
export function sealedUpdate(change: SealChange = {}): Promise<Uint8Array> {
  return sealUpdate({
    update: change.update ?? updateEnvelope(),
    approvals: [approvalEnvelope(change.approvalOf ?? sha256Hex(updateStatement()))],
    payload: change.payload ?? payload,
    header: { ...header, ...change.header },
    recipientPublicKey: change.recipientPublicKey ?? receivingKey.publicKey,
    signer: change.signer ?? keys.cleveland,
  });
}

/** The code of what `work` throws; 'nothing' where it does not. */
export async function refusalOf(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    return typeof error === 'object' && error !== null && 'code' in error
      ? String(error.code)
      : String(error);
  }
  return 'nothing';
}

/** A copy with one bit of the byte at `index` flipped; a negative index counts from the end. */
export function flip(bytes: Uint8Array, index: number): Uint8Array {
  const copy = bytes.slice();
  const at = index < 0 ? copy.length + index : index;
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
