// The consortium as this site speaks to it: one method for each route, every request signed, every byte counted.
import { toHex, utf8 } from '#base/bytes.ts';
import type { Clock } from '#base/clock.ts';
import { CodedError } from '#base/coded-error.ts';
import type { SigningKey } from '#federation/crypto/signing-key.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import { parseStrictJson } from '#federation/records/strict-json.ts';
import { signRequest } from '#federation/sync-contract/request-signature.ts';
import {
  type ResearchStudySummaries,
  type Route,
  type RouteParameters,
  researchStudySummaries,
  routePath,
  routes,
} from '#federation/sync-contract/routes.ts';
import { isSyncCode, parseSyncError, SyncError } from '#federation/sync-contract/sync-error.ts';
import type { Transport, TransportResponse } from '#site/ports.ts';
import type { SentKind, Traffic } from './traffic.ts';

export interface ConsortiumAddress {
  /** Origin, https. */
  readonly url: string;
  /** sha256 of the consortium's certificate (DER). */
  readonly certificateDigest: string;
}

export interface ClientOptions {
  readonly transport: Transport;
  readonly address: ConsortiumAddress;
  /** The site's signing key. */
  readonly signer: SigningKey;
  readonly clock: Clock;
  readonly traffic: Traffic;
}

/** Bodies come as they are: envelopes are verified by whoever asked. Every method @throws SyncError. */
export interface ConsortiumClient {
  /** DSSE enrolment request -> DSSE trust list. */
  postEnrolment(envelope: Uint8Array): Promise<Uint8Array>;
  getTrustList(): Promise<Uint8Array>;
  listResearchStudies(): Promise<ResearchStudySummaries>;
  getPlan(researchStudyId: string): Promise<Uint8Array>;
  /** undefined when no round is open. */
  getOpenRound(researchStudyId: string): Promise<Uint8Array | undefined>;
  getRemedy(researchStudyId: string, remedy: number): Promise<Uint8Array>;
  getModel(researchStudyId: string, round: number): Promise<Uint8Array>;
  getModelTensors(researchStudyId: string, round: number, maxBytes: number): Promise<Uint8Array>;
  /** JSON value of a LeafProof, unverified. */
  getModelProof(researchStudyId: string, round: number): Promise<unknown>;
  /** JSON value of a consistency proof, unverified. */
  getLogConsistency(oldSize: number, size: number): Promise<unknown>;
  /** Sealed update -> DSSE receipt. */
  putUpdate(bundleId: string, sealedFile: Uint8Array): Promise<Uint8Array>;
  /** The answer to the site's own request; undefined while it waits. */
  getRemedyAnswer(requestDigest: string): Promise<Uint8Array | undefined>;
  /** Signed request for the plan's remedy. */
  postRemedyRequest(envelope: Uint8Array): Promise<void>;
  /** This site's signed checkpoint with its proof (`LogExtension`). */
  postLogCheckpoint(extension: string): Promise<void>;
}

const TIMEOUT_MS = 60_000;
/** For bodies that grow with the model. */
const LONG_TIMEOUT_MS = 600_000;
const MAX_ENVELOPE_BYTES = 16 * 1024 * 1024;
const MAX_JSON_BYTES = 4 * 1024 * 1024;

export function createConsortiumClient(options: ClientOptions): ConsortiumClient {
  const envelope = (route: Route, parameters: RouteParameters = {}): Promise<Uint8Array> =>
    exchange(options, { route, parameters, maxResponseBytes: MAX_ENVELOPE_BYTES });
  const json = async (route: Route, parameters: RouteParameters = {}): Promise<unknown> =>
    parseAnswer(await exchange(options, { route, parameters, maxResponseBytes: MAX_JSON_BYTES }));
  return {
    postEnrolment: (body) =>
      exchange(options, {
        route: routes.enrol,
        kind: 'enrolment',
        body,
        maxResponseBytes: MAX_ENVELOPE_BYTES,
      }),
    getTrustList: () => envelope(routes.trustList),
    listResearchStudies: async () => parseSummaries(await json(routes.researchStudies)),
    getPlan: (researchStudyId) => envelope(routes.plan, { researchStudyId }),
    getOpenRound: async (researchStudyId) => {
      const opening = await envelope(routes.openRound, { researchStudyId });
      return opening.length === 0 ? undefined : opening;
    },
    getRemedy: (researchStudyId, remedy) => envelope(routes.remedy, { researchStudyId, remedy }),
    getRemedyAnswer: async (requestDigest) => {
      const answer = await envelope(routes.remedyAnswer, { requestDigest });
      return answer.length === 0 ? undefined : answer;
    },
    getModel: (researchStudyId, round) => envelope(routes.model, { researchStudyId, round }),
    getModelTensors: (researchStudyId, round, maxResponseBytes) => {
      const parameters = { researchStudyId, round };
      return exchange(options, {
        route: routes.modelTensors,
        parameters,
        maxResponseBytes,
        timeoutMs: LONG_TIMEOUT_MS,
      });
    },
    getModelProof: (researchStudyId, round) => json(routes.modelProof, { researchStudyId, round }),
    getLogConsistency: (oldSize, size) => json(routes.logConsistency, { oldSize, size }),
    putUpdate: (bundleId, body) =>
      exchange(options, {
        route: routes.update,
        parameters: { bundleId },
        kind: 'update',
        body,
        maxResponseBytes: MAX_ENVELOPE_BYTES,
        timeoutMs: LONG_TIMEOUT_MS,
      }),
    postRemedyRequest: async (body) => {
      await exchange(options, {
        route: routes.remedyRequest,
        kind: 'remedy-request',
        body,
        maxResponseBytes: MAX_JSON_BYTES,
      });
    },
    postLogCheckpoint: async (extension) => {
      const body = utf8(extension);
      await exchange(options, {
        route: routes.logCheckpoint,
        kind: 'log-checkpoint',
        body,
        maxResponseBytes: MAX_JSON_BYTES,
      });
    },
  };
}

interface Exchange {
  readonly route: Route;
  readonly parameters?: RouteParameters;
  readonly maxResponseBytes: number;
  readonly body?: Uint8Array;
  readonly kind?: SentKind;
  readonly timeoutMs?: number;
}

/** The answer's body; empty for 204. */
async function exchange(options: ClientOptions, wanted: Exchange): Promise<Uint8Array> {
  const { transport, address, traffic } = options;
  const { route, body = new Uint8Array(), kind } = wanted;
  const url = address.url + routePath(route, wanted.parameters);
  const headers = requestHeaders(options, { route, url, body });
  traffic.addSent('request', requestHeadBytes(route.method, url, headers));
  if (kind !== undefined) traffic.addSent(kind, body.length);
  const response = await sendOrFail(transport, {
    method: route.method,
    url,
    certificateDigest: address.certificateDigest,
    headers,
    ...(route.request === null ? {} : { body }),
    timeoutMs: wanted.timeoutMs ?? TIMEOUT_MS,
    maxResponseBytes: wanted.maxResponseBytes,
  });
  traffic.addReceived(response.body.length);
  return readAnswer(response);
}

interface Unsigned {
  readonly route: Route;
  readonly url: string;
  readonly body: Uint8Array;
}

function requestHeaders(
  { signer, clock }: ClientOptions,
  { route, url, body }: Unsigned,
): Record<string, string> {
  const headers: Record<string, string> = {};
  if (route.response !== null) headers.accept = route.response;
  if (route.request !== null) headers['content-type'] = route.request;
  if (!route.isSigned) return headers;
  const nonce = toHex(systemRandom(16));
  const signed = signRequest({ method: route.method, url, body, signer, nowMs: clock.nowMs(), nonce });
  return { ...headers, ...signed };
}

/** Length of the request line and our header fields in HTTP/1.1. */
function requestHeadBytes(method: string, url: string, headers: Readonly<Record<string, string>>): number {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return utf8(`${method} ${new URL(url).pathname} HTTP/1.1\r\n${lines.join('')}\r\n`).length;
}

async function sendOrFail(
  transport: Transport,
  request: Parameters<Transport['send']>[0],
): Promise<TransportResponse> {
  try {
    return await transport.send(request);
  } catch (error) {
    if (error instanceof CodedError && isSyncCode(error.code)) {
      throw new SyncError(error.code, error.message, { cause: error, details: error.details });
    }
    throw error;
  }
}

function readAnswer({ status, body }: TransportResponse): Uint8Array {
  if (status === 204) return new Uint8Array();
  // An answer without a body is 204 and no other: an empty 200 must not pass for "no round is open".
  if ((status === 200 || status === 201) && body.length > 0) return body;
  throw parseSyncError(status, body);
}

function parseAnswer(body: Uint8Array): unknown {
  try {
    return parseStrictJson(body, { maxBytes: MAX_JSON_BYTES });
  } catch (cause) {
    throw new SyncError('BAD_ANSWER', 'The answer of the consortium is not JSON.', { cause });
  }
}

function parseSummaries(value: unknown): ResearchStudySummaries {
  const parsed = researchStudySummaries.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new SyncError('BAD_ANSWER', 'The answer of the consortium is not a list of research studies.');
}
