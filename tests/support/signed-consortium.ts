// A consortium as a library: its keys and the records it signs, true ones by default and any other on request.
import { toBase64, utf8 } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { createReceivingKey } from '#federation/crypto/receiving-key.ts';
import { createSigningKey, type SigningKey } from '#federation/crypto/signing-key.ts';
import { createLogWriter } from '#federation/log/log-writer.ts';
import { type GlobalModel, globalModelRecord } from '#federation/records/global-model.ts';
import {
  consortiumLogOrigin,
  MODEL_PUBLISHED_ACTION,
  type PublishedDigests,
  publishedModelObject,
} from '#federation/records/published-model.ts';
import { type Receipt, receiptRecord } from '#federation/records/receipt.ts';
import { encodeStatement, signStatement } from '#federation/records/record.ts';
import { planRecord, type ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import { type RoundOpening, roundRecord } from '#federation/records/round.ts';
import { type TrustedKey, type TrustList, trustListRecord } from '#federation/records/trust-list.ts';
import { tensorManifestDigest } from '#federation/tensors/manifest.ts';
import { parseSafetensors } from '#federation/tensors/safetensors.ts';
import { createMemoryLogStorage } from './memory-log-storage.ts';
import { samplePlan } from './sample-plan.ts';
import { seededRandom } from './seeded-random.ts';
import type { MovingClock } from './site-foundation.ts';

const dayMs = 86_400_000;

export interface SignedRecord {
  readonly envelope: Uint8Array;
  /** sha256 of the statement's bytes. */
  readonly digest: string;
}

export type SignedConsortium = ReturnType<typeof createSignedConsortium>;

export function createSignedConsortium(clock: MovingClock, seed = 'consortium') {
  const random = seededRandom(seed);
  const keys = {
    root: createSigningKey(random(32)),
    plan: createSigningKey(random(32)),
    model: createSigningKey(random(32)),
    log: createSigningKey(random(32)),
    receiving: createReceivingKey(random(32)),
  };
  const siteKeys: TrustedKey[] = [];
  const storage = createMemoryLogStorage();
  const log = createLogWriter({
    storage,
    signer: keys.log,
    origin: consortiumLogOrigin(keys.root.keyId),
    clock,
    random,
    bootId: 'consortium',
    softwareVersion: '0.0.0',
  });
  const entry = (
    role: TrustedKey['role'],
    key: { readonly keyId: string; readonly publicKey: Uint8Array },
    owner: { readonly siteId?: string; readonly person?: string } = {},
  ): TrustedKey => ({
    keyId: key.keyId,
    role,
    siteId: owner.siteId ?? null,
    person: owner.person ?? null,
    publicKey: toBase64(key.publicKey),
    notBefore: isoTime(clock.nowMs() - dayMs),
    notAfter: isoTime(clock.nowMs() + 1000 * dayMs),
    revokedAt: null,
  });
  const ownKeys = [
    entry('root', keys.root),
    entry('plan', keys.plan),
    entry('model', keys.model),
    entry('consortium-log', keys.log),
    entry('receiving', keys.receiving),
  ];
  return {
    keys,
    storage,
    log,
    /** Lists a site's key from the next trust list on. */
    trust: (role: TrustedKey['role'], key: SigningKey, owner: { siteId: string; person?: string }): void => {
      siteKeys.push(entry(role, key, owner));
    },
    trustList: (changes: Partial<TrustList> = {}, signer = keys.root): SignedRecord => {
      const predicate: TrustList = {
        consortium: 'Test consortium',
        version: 1,
        issuedAt: isoTime(clock.nowMs()),
        expires: isoTime(clock.nowMs() + 90 * dayMs),
        keys: [...ownKeys, ...siteKeys],
        ...changes,
      };
      return sign(encodeStatement(trustListRecord, { predicate }), signer);
    },
    plan: (changes: Partial<ResearchStudyPlan> = {}, signer = keys.plan): SignedRecord =>
      sign(encodeStatement(planRecord, { predicate: { ...samplePlan, ...changes } }), signer),
    round: (
      claims: Partial<RoundOpening> & { planDigest: string; baseModelDigest: string },
      signer = keys.model,
    ): SignedRecord => {
      const predicate: RoundOpening = {
        researchStudyId: samplePlan.researchStudyId,
        round: 1,
        attempt: 1,
        remedy: 0,
        kind: 'statistics',
        participants: ['cleveland', 'hungary'],
        recipientKeyId: keys.receiving.keyId,
        trustListVersion: 1,
        opensAt: isoTime(clock.nowMs()),
        closesAt: isoTime(clock.nowMs() + 14 * dayMs),
        ...claims,
      };
      return sign(encodeStatement(roundRecord, { predicate }), signer);
    },
    model: (
      tensors: Uint8Array,
      claims: Partial<GlobalModel> & { planDigest: string },
      signer = keys.model,
    ): SignedRecord => {
      const predicate: GlobalModel = {
        researchStudyId: samplePlan.researchStudyId,
        round: 0,
        attempt: 0,
        remedy: 0,
        kind: 'initial',
        baseModelDigest: null,
        tensorManifestDigest: tensorManifestDigest(parseSafetensors(tensors, { maxBytes: tensors.length })),
        included: [],
        evaluation: null,
        createdAt: isoTime(clock.nowMs()),
        expires: isoTime(clock.nowMs() + 365 * dayMs),
        ...claims,
      };
      const subjects = [{ name: 'global-model', digest: sha256Hex(tensors) }];
      return sign(encodeStatement(globalModelRecord, { subjects, predicate }), signer);
    },
    /** Logs a model's publication and gives the entry's place. */
    publish: (model: { researchStudyId: string; round: number } & PublishedDigests): number => {
      const { seq } = log.append({
        actor: 'system',
        role: null,
        action: MODEL_PUBLISHED_ACTION,
        outcome: 'success',
        object: publishedModelObject(model),
        researchStudyId: model.researchStudyId,
        round: model.round,
      });
      log.checkpoint();
      return seq;
    },
    receipt: (claims: Omit<Receipt, 'receivedAt'>, signer = keys.model): SignedRecord => {
      const predicate: Receipt = { ...claims, receivedAt: isoTime(clock.nowMs()) };
      return sign(encodeStatement(receiptRecord, { predicate }), signer);
    },
  };
}

function sign(statement: Uint8Array, signer: SigningKey): SignedRecord {
  return { envelope: signStatement(statement, [signer]), digest: sha256Hex(statement) };
}

/** The envelope with one character of its payload changed. */
export function flipPayload(envelope: Uint8Array): Uint8Array {
  const json = JSON.parse(new TextDecoder().decode(envelope)) as { payload: string };
  const statement = Buffer.from(json.payload, 'base64')
    .toString()
    .replace('"version":1', '"version":9')
    .replace('"round":1', '"round":2');
  return utf8(JSON.stringify({ ...json, payload: Buffer.from(statement).toString('base64') }));
}
