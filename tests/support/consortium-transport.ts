// The in-memory consortium behind a Transport: verifies every request's signature and answers each route from what it holds.
import { toBase64, utf8 } from '#base/bytes.ts';
import { createLeafProof } from '#federation/log/leaf-proof.ts';
import { parseLogExtension } from '#federation/log/log-extension.ts';
import { consistencyProof } from '#federation/log/merkle-tree.ts';
import { enrolmentRequestRecord } from '#federation/records/enrolment-request.ts';
import { createTrustedKeys, readUnverified } from '#federation/records/record.ts';
import { openSealedUpdate } from '#federation/records/sealed-update.ts';
import { trustListRecord } from '#federation/records/trust-list.ts';
import { verifyRequest } from '#federation/sync-contract/request-signature.ts';
import { encodeSyncError, SyncError } from '#federation/sync-contract/sync-error.ts';
import type { Transport, TransportRequest, TransportResponse } from '#site/ports.ts';
import { samplePlan } from './sample-plan.ts';
import type { SignedConsortium } from './signed-consortium.ts';
import type { MovingClock } from './site-foundation.ts';

export interface HeldModel {
  readonly envelope: Uint8Array;
  readonly tensors: Uint8Array;
  readonly seq: number;
}

/** What the consortium serves. Tests change it to lie. */
export interface ConsortiumState {
  trustList: Uint8Array;
  plan: Uint8Array;
  openRound: Uint8Array | undefined;
  models: HeldModel[];
  /** DSSE of each remedy, the first one first; absent: none. */
  remedies?: Uint8Array[];
  /** DSSE of the answer to whichever request for a remedy; absent: it waits. */
  remedyAnswer?: Uint8Array;
  /** Entries of the log that the next proofs cover; undefined: all. */
  logSize: number | undefined;
}

export interface ConsortiumTransport extends Transport {
  readonly state: ConsortiumState;
  /** `METHOD path` of every request, in order. */
  readonly requests: string[];
  /** Sites' checkpoints as they came. */
  readonly notes: string[];
  /** Bodies of all requests. */
  readonly bodies: Uint8Array[];
  /** Answers instead of the consortium where it gives something. */
  intercept: (request: TransportRequest, path: string) => TransportResponse | undefined;
}

type Answer = { readonly status: number; readonly body: Uint8Array };

export function createConsortiumTransport(
  consortium: SignedConsortium,
  clock: MovingClock,
  state: ConsortiumState,
): ConsortiumTransport {
  const transport: ConsortiumTransport = {
    state,
    requests: [],
    notes: [],
    bodies: [],
    intercept: () => undefined,
    send: async (request) => {
      const { pathname, host } = new URL(request.url);
      transport.requests.push(`${request.method} ${pathname}`);
      transport.bodies.push(request.body ?? new Uint8Array());
      const instead = transport.intercept(request, pathname);
      if (instead !== undefined) return instead;
      try {
        if (pathname !== '/v1/enrolments') requireSignature(request, host, pathname);
        return { headers: {}, ...(await answer(request, pathname)) };
      } catch (error) {
        return { headers: {}, ...encodeSyncError(error) };
      }
    },
  };
  const requireSignature = (request: TransportRequest, authority: string, path: string): void => {
    const { method, headers, body = new Uint8Array() } = request;
    const trust = trustOf(state.trustList);
    verifyRequest({
      method,
      authority,
      path,
      headers,
      body,
      trust,
      nowMs: clock.nowMs(),
      maxClockSkewMs: 300_000,
    });
  };
  const ok = (body: Uint8Array): Answer => ({ status: 200, body });
  const json = (value: unknown): Answer => ok(utf8(JSON.stringify(value)));
  const answer = async (request: TransportRequest, path: string): Promise<Answer> => {
    const body = request.body ?? new Uint8Array();
    if (path === '/v1/enrolments') return enrol(body);
    if (path === '/v1/trust-list') return ok(state.trustList);
    if (path === '/v1/research-studies') return json([summary()]);
    if (path.endsWith('/plan')) return ok(state.plan);
    if (path.endsWith('/rounds/open'))
      return state.openRound === undefined ? { status: 204, body: new Uint8Array() } : ok(state.openRound);
    const remedy = /\/remedies\/([0-9]+)$/.exec(path);
    if (remedy !== null) return ok(state.remedies?.[Number(remedy[1]) - 1] ?? new Uint8Array());
    if (path.startsWith('/v1/remedy-requests/'))
      return state.remedyAnswer === undefined
        ? { status: 204, body: new Uint8Array() }
        : ok(state.remedyAnswer);
    if (path === '/v1/remedy-requests') return { status: 204, body: new Uint8Array() };
    if (path.startsWith('/v1/updates/')) return ok(await receive(body));
    if (path === '/v1/log-checkpoints') {
      transport.notes.push(parseLogExtension(new TextDecoder().decode(body)).note);
      return { status: 204, body: new Uint8Array() };
    }
    const consistency = /^\/v1\/log-consistency\/([0-9]+)\/([0-9]+)$/.exec(path);
    if (consistency !== null) {
      const proof = consistencyProof(Number(consistency[1]), Number(consistency[2]), consortium.storage);
      return json({ hashes: proof.map(toBase64) });
    }
    return modelPart(/\/models\/([0-9]+)(\/tensors|\/proof)?$/.exec(path));
  };
  const summary = () => ({
    researchStudyId: samplePlan.researchStudyId,
    planVersion: 1,
    remedy: state.remedies?.length ?? 0,
    latestModelRound: state.models.length - 1,
    openRound: null,
    attempt: null,
  });
  const modelPart = (match: RegExpExecArray | null): Answer => {
    const model = state.models[Number(match?.[1])];
    if (model === undefined) throw new SyncError('NOT_FOUND', 'There is no such model.');
    if (match?.[2] === '/tensors') return ok(model.tensors);
    if (match?.[2] !== '/proof') return ok(model.envelope);
    const { leaves, checkpoints } = consortium.storage;
    const checkpoint = checkpoints.find(({ size }) => size === (state.logSize ?? checkpoints.at(-1)?.size));
    return json(
      createLeafProof(
        { line: leaves[model.seq]?.line ?? '', index: model.seq },
        checkpoint?.note ?? '',
        consortium.storage,
      ),
    );
  };
  const enrol = (body: Uint8Array): Answer => {
    const request = readUnverified(enrolmentRequestRecord, body);
    for (const { publicKey } of request.predicate.keys)
      request.verifySignedBy(new Uint8Array(Buffer.from(publicKey, 'base64')));
    return { status: 201, body: state.trustList };
  };
  const receive = async (file: Uint8Array): Promise<Uint8Array> => {
    const { update } = await openSealedUpdate({
      file,
      receivingKey: consortium.keys.receiving,
      trust: trustOf(state.trustList),
      atMs: clock.nowMs(),
    });
    const { researchStudyId, round, siteId } = update.predicate;
    return consortium.receipt({ researchStudyId, round, siteId, updateDigest: update.digest }).envelope;
  };
  return transport;
}

function trustOf(envelope: Uint8Array) {
  return createTrustedKeys(readUnverified(trustListRecord, envelope).predicate);
}
