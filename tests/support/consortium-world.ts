// A real consortium and simple sites for tests: the sites have real keys and send real sealed updates, through the server's
// own routes but without a socket.
import { toBase64, toHex, utf8 } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { silentLogger } from '#base/logger.ts';
import {
  type Consortium,
  type ConsortiumKeys,
  createConsortiumKeys,
  openConsortium,
} from '#consortium/consortium.ts';
import { openConsortiumStore } from '#consortium/store/index.ts';
import { sha256, sha256Hex } from '#federation/crypto/digest.ts';
import { createReceivingKey } from '#federation/crypto/receiving-key.ts';
import { createSigningKey, type SigningKey } from '#federation/crypto/signing-key.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import { parseLeaf } from '#federation/log/leaf.ts';
import { type Approval, approvalRecord } from '#federation/records/approval.ts';
import { type EnrolmentRequest, enrolmentRequestRecord } from '#federation/records/enrolment-request.ts';
import { parseEnvelope } from '#federation/records/envelope.ts';
import { type ModelUpdate, modelUpdateRecord } from '#federation/records/model-update.ts';
import { encodeStatement, signStatement } from '#federation/records/record.ts';
import { type RoundOpening, roundRecord } from '#federation/records/round.ts';
import { sealUpdate } from '#federation/records/sealed-update.ts';
import { parseStatement } from '#federation/records/statement.ts';
import type { SealedHeader } from '#federation/records/transport.ts';
import { parseInvitation } from '#federation/sync-contract/invitation.ts';
import { signRequest } from '#federation/sync-contract/request-signature.ts';
import { type RouteParameters, routePath, routes } from '#federation/sync-contract/routes.ts';
import { tensorManifestDigest } from '#federation/tensors/manifest.ts';
import { encodeSafetensors } from '#federation/tensors/safetensors.ts';
import type { TensorMap } from '#federation/tensors/tensor.ts';
import { samplePlan } from '#support/sample-plan.ts';
import { sampleStatisticsTensors } from '#support/sample-statistics.ts';

export const startMs = Date.parse('2026-11-21T08:00:00.000Z');
export const url = 'https://127.0.0.1:7443';

let madeKeys: Promise<ConsortiumKeys> | undefined;

/** One set of keys for all tests of a file: making a certificate takes a moment. */
export function sharedKeys(): Promise<ConsortiumKeys> {
  madeKeys ??= createConsortiumKeys({ host: '127.0.0.1', nowMs: startMs });
  return madeKeys;
}

export interface Answer {
  readonly status: number;
  readonly body: Uint8Array;
  /** Code of a refusal, undefined for an answer. */
  readonly code: string | undefined;
}

export interface ConsortiumWorld {
  readonly consortium: Consortium;
  readonly keys: ConsortiumKeys;
  readonly clock: { nowMs: () => number; advance: (ms: number) => void };
  /** Sends a request as the site does, signed unless the route is not. */
  send(site: SiteKeys, route: keyof typeof routes, options?: SendOptions): Promise<Answer>;
  close(): Promise<void>;
}

export interface SendOptions {
  readonly parameters?: RouteParameters;
  readonly body?: Uint8Array;
  /** Changes the signed headers before they are sent. */
  readonly tamper?: (headers: Record<string, string>) => Record<string, string>;
}

export interface WorldOptions {
  readonly storeFile?: string;
  /** Goes on with an existing store. */
  readonly isReopened?: boolean;
  readonly clock?: ConsortiumWorld['clock'];
}

export function createTestClock(atMs = startMs): ConsortiumWorld['clock'] {
  let nowMs = atMs;
  return {
    nowMs: () => nowMs,
    advance: (ms) => {
      nowMs += ms;
    },
  };
}

export async function openWorld(options: WorldOptions = {}): Promise<ConsortiumWorld> {
  const keys = await sharedKeys();
  const clock = options.clock ?? createTestClock();
  const storeFile = options.storeFile ?? ':memory:';
  const consortium = openConsortium({ storeFile, keys, clock, logger: silentLogger });
  if (options.isReopened !== true) consortium.begin('Test consortium', url);
  const server = await consortium.createServer();
  return {
    consortium,
    keys,
    clock,
    send: async (
      site,
      name,
      { parameters, body = new Uint8Array(), tamper = (headers: Record<string, string>) => headers } = {},
    ) => {
      const route = routes[name];
      const target = `${url}${routePath(route, parameters)}`;
      const nonce = toHex(systemRandom(16));
      const signed = signRequest({
        method: route.method,
        url: target,
        body,
        signer: site.signing,
        nowMs: clock.nowMs(),
        nonce,
      });
      const headers = tamper({ ...(route.isSigned ? signed : {}), host: new URL(url).host });
      if (route.request !== null) headers['content-type'] = route.request;
      const payload = route.request === null ? {} : { payload: Buffer.from(body) };
      const response = await server.inject({
        method: route.method,
        url: new URL(target).pathname,
        headers,
        ...payload,
      });
      const answer = new Uint8Array(response.rawPayload);
      return { status: response.statusCode, body: answer, code: codeOf(response.statusCode, answer) };
    },
    close: async () => {
      await server.close();
      consortium.close();
    },
  };
}

function codeOf(status: number, body: Uint8Array): string | undefined {
  if (status < 300) return undefined;
  return (JSON.parse(new TextDecoder().decode(body)) as { error: { code: string } }).error.code;
}

export interface SiteKeys {
  readonly siteId: string;
  readonly signing: SigningKey;
  readonly log: SigningKey;
  readonly steward: SigningKey;
  readonly stewardName: string;
}

/** The keys of a site, always the same for the same name. */
export function siteKeysOf(siteId: string): SiteKeys {
  const key = (role: string): SigningKey => createSigningKey(sha256(utf8(`${siteId} ${role}`)));
  return {
    siteId,
    signing: key('signing'),
    log: key('log'),
    steward: key('steward'),
    stewardName: `Steward of ${siteId}`,
  };
}

export function enrolmentPredicate(site: SiteKeys, invitation: string, nowMs: number): EnrolmentRequest {
  const { siteId, name, code } = parseInvitation(invitation);
  return {
    siteId,
    name,
    invitationCode: code,
    keys: [
      { role: 'site-signing', person: null, publicKey: toBase64(site.signing.publicKey) },
      { role: 'site-log', person: null, publicKey: toBase64(site.log.publicKey) },
      { role: 'steward', person: site.stewardName, publicKey: toBase64(site.steward.publicKey) },
    ],
    requestedAt: isoTime(nowMs),
  };
}

export async function enrol(world: ConsortiumWorld, siteId: string): Promise<SiteKeys> {
  const site = siteKeysOf(siteId);
  const { invitation } = await world.consortium.operations.invite({ siteId, name: siteId });
  const predicate = enrolmentPredicate(site, invitation, world.clock.nowMs());
  const statement = encodeStatement(enrolmentRequestRecord, { predicate });
  const body = signStatement(statement, [site.signing, site.log, site.steward]);
  const { status, code } = await world.send(site, 'enrol', { body });
  if (status !== 201) throw new Error(`enrolment refused: ${code}`);
  return site;
}

/** Two enrolled sites and the published sample plan. */
export async function beginSampleStudy(
  world: ConsortiumWorld,
  changes: Partial<typeof samplePlan> = {},
): Promise<{ cleveland: SiteKeys; hungary: SiteKeys }> {
  const cleveland = await enrol(world, 'cleveland');
  const hungary = await enrol(world, 'hungary');
  await world.consortium.operations.publishPlan({ plan: { ...samplePlan, ...changes } });
  return { cleveland, hungary };
}

/** The opening that a site gets. */
export async function fetchOpening(world: ConsortiumWorld, site: SiteKeys): Promise<RoundOpening> {
  const { body } = await world.send(site, 'openRound', {
    parameters: { researchStudyId: samplePlan.researchStudyId },
  });
  return parseStatement(roundRecord, parseEnvelope(body).payload).predicate;
}

const vector = (...values: number[]) => ({ shape: [values.length], data: Float64Array.from(values) });

/** A plausible payload of each kind of round, for the sample plan's two features. */
export function payloadOf(kind: RoundOpening['kind'], exampleCount: number, siteId: string): TensorMap {
  const shift = siteId.length / 100;
  if (kind === 'training') {
    return new Map([
      ['weights/bias', { shape: [1], data: Float32Array.from([0.25 + shift]) }],
      ['weights/kernel', { shape: [2, 1], data: Float32Array.from([0.5 - shift, -0.125]) }],
    ]);
  }
  if (kind === 'statistics') return sampleStatisticsTensors(exampleCount, { shift });
  return new Map([
    ['evaluation/correctCount', vector(exampleCount - 2)],
    ['evaluation/exampleCount', vector(exampleCount)],
    ['evaluation/lossSum', vector(exampleCount * (0.5 + shift))],
  ]);
}

export interface UpdateChange {
  readonly update?: Partial<ModelUpdate>;
  readonly payload?: TensorMap;
  /** Payload bytes put into the file in place of those that the statement names. */
  readonly payloadBytes?: Uint8Array;
  readonly approval?: Partial<Approval>;
  readonly header?: Partial<SealedHeader>;
  /** No approval, or one of another statement. */
  readonly approvalOf?: 'nothing' | 'another update';
  readonly updateSigner?: SigningKey;
  readonly approvalSigner?: SigningKey;
  readonly transportSigner?: SigningKey;
  readonly exampleCount?: number;
  readonly prevUpdateDigest?: string | null;
  /** Claims that the schema of the statement refuses. */
  readonly unfit?: Readonly<Record<string, unknown>>;
}

export interface BuiltUpdate {
  readonly file: Uint8Array;
  readonly bundleId: string;
  readonly updateDigest: string;
  /** The same update sealed anew under another bundle id. */
  sealAgain(): Promise<{ file: Uint8Array; bundleId: string }>;
}

/** A sealed update as an honest site makes it, with the named things changed. */
export async function buildUpdate(
  world: ConsortiumWorld,
  site: SiteKeys,
  opening: RoundOpening,
  change: UpdateChange = {},
): Promise<BuiltUpdate> {
  const exampleCount = change.exampleCount ?? 10;
  const tensors = change.payload ?? payloadOf(opening.kind, exampleCount, site.siteId);
  const payload = encodeSafetensors(tensors);
  const predicate = { ...honestUpdate(world, site, { opening, exampleCount, tensors }), ...change.update };
  if (change.prevUpdateDigest !== undefined) predicate.prevUpdateDigest = change.prevUpdateDigest;
  const subjects = [{ name: 'payload', digest: sha256Hex(payload) }];
  const fitting = encodeStatement(modelUpdateRecord, { subjects, predicate });
  const statement = change.unfit === undefined ? fitting : withClaims(fitting, change.unfit);
  const updateDigest = sha256Hex(statement);
  const update = signStatement(statement, [change.updateSigner ?? site.signing]);
  const approvals =
    change.approvalOf === 'nothing' ? [] : [approve(world, site, { predicate, updateDigest, change })];
  const receiving = createReceivingKey(world.keys.receivingSeed);
  const seal = async (bundleId: string) => {
    const header: SealedHeader = {
      recipientKeyId: predicate.recipientKeyId,
      suite: 1,
      researchStudyId: predicate.researchStudyId,
      round: predicate.round,
      siteId: predicate.siteId,
      bundleId,
      ...change.header,
    };
    const file = await sealUpdate({
      update,
      approvals,
      payload: change.payloadBytes ?? payload,
      header,
      recipientPublicKey: receiving.publicKey,
      signer: change.transportSigner ?? site.signing,
    });
    return { file, bundleId };
  };
  const sealed = await seal(updateDigest);
  return { ...sealed, updateDigest, sealAgain: () => seal(toHex(systemRandom(32))) };
}

function withClaims(statement: Uint8Array, claims: object): Uint8Array {
  const text = JSON.parse(new TextDecoder().decode(statement)) as { predicate: object };
  return utf8(JSON.stringify({ ...text, predicate: { ...text.predicate, ...claims } }));
}

interface Honest {
  readonly opening: RoundOpening;
  readonly exampleCount: number;
  readonly tensors: TensorMap;
}

function honestUpdate(
  world: ConsortiumWorld,
  site: SiteKeys,
  { opening, exampleCount, tensors }: Honest,
): ModelUpdate {
  const now = isoTime(world.clock.nowMs());
  const digestOf = (text: string): string => sha256Hex(utf8(text));
  return {
    researchStudyId: opening.researchStudyId,
    recipientKeyId: opening.recipientKeyId,
    planDigest: opening.planDigest,
    round: opening.round,
    attempt: opening.attempt,
    siteId: site.siteId,
    baseModelDigest: opening.baseModelDigest,
    tensorManifestDigest: tensorManifestDigest(tensors),
    updateKind: opening.kind === 'training' ? 'delta' : opening.kind,
    exampleCount,
    patientCount: exampleCount,
    cohortDigest: digestOf('cohort'),
    consentSnapshotDigest: digestOf('consent'),
    consentEvaluatedAt: now,
    optOutListDigest: null,
    deidProfile: 'none: synthetic',
    privacy: null,
    metrics: { before: null, after: null, calibration: null },
    secagg: null,
    seedCommitment: null,
    software: { name: 'consilium', version: 'test', buildDigest: null, sbomDigest: null },
    trainedFrom: now,
    trainedAt: now,
    auditCheckpoint: { size: 1, rootHash: digestOf('log') },
    prevUpdateDigest: null,
    nonce: toHex(systemRandom(32)),
    expires: opening.closesAt,
  };
}

function approve(
  world: ConsortiumWorld,
  site: SiteKeys,
  { predicate, updateDigest, change }: { predicate: ModelUpdate; updateDigest: string; change: UpdateChange },
): Uint8Array {
  const digest = change.approvalOf === 'another update' ? sha256Hex(utf8('another update')) : updateDigest;
  const statement = encodeStatement(approvalRecord, {
    subjects: [{ name: 'update', digest }],
    predicate: {
      researchStudyId: predicate.researchStudyId,
      round: predicate.round,
      siteId: site.siteId,
      reportDigest: sha256Hex(utf8('report')),
      decision: 'approve',
      reason: null,
      person: { name: site.stewardName, role: 'steward' },
      meaning: 'I approve that exactly this update leaves the hospital.',
      decidedAt: isoTime(world.clock.nowMs()),
      ...change.approval,
    },
  });
  return signStatement(statement, [change.approvalSigner ?? site.steward]);
}

/** Sends a sealed update in the site's name. */
export function sendUpdate(
  world: ConsortiumWorld,
  site: SiteKeys,
  { file, bundleId }: { readonly file: Uint8Array; readonly bundleId: string },
): Promise<Answer> {
  return world.send(site, 'update', { parameters: { bundleId }, body: file });
}

/** What the log of a store on disk says, newest last: action, outcome and reason. */
export function readLog(
  storeFile: string,
  keys: ConsortiumKeys,
): { action: string; outcome: string; reason: string | null }[] {
  const store = openConsortiumStore({ file: storeFile, key: keys.storeKey, clock: { nowMs: () => startMs } });
  try {
    const rows = store.all(store.query.selectFrom('log_leaf').select('line').orderBy('seq'));
    return rows
      .map(({ line }) => parseLeaf(line))
      .map(({ action, outcome, reason }) => ({ action, outcome, reason }));
  } finally {
    store.close();
  }
}
