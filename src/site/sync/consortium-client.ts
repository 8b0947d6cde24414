// The consortium as this site speaks to it: one method for each route. How an exchange is carried - over HTTPS, or by an offline bundle -
// is the business of whoever gives the `Exchange`.
import { utf8 } from '#base/bytes.ts';
import { parseStrictJson } from '#federation/records/strict-json.ts';
import {
  type ResearchStudySummaries,
  type RouteName,
  type RouteParameters,
  researchStudySummaries,
} from '#federation/sync-contract/routes.ts';
import { SyncError } from '#federation/sync-contract/sync-error.ts';
import type { SentKind } from './traffic.ts';

/** One request and its answer. */
export interface ExchangeRequest {
  readonly route: RouteName;
  readonly parameters?: RouteParameters;
  readonly maxResponseBytes: number;
  readonly body?: Uint8Array;
  readonly kind?: SentKind;
  readonly timeoutMs?: number;
}

/** Gives the answer's body, empty where it has none. @throws SyncError. */
export type Exchange = (request: ExchangeRequest) => Promise<Uint8Array>;

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

/** For bodies that grow with the model. */
const LONG_TIMEOUT_MS = 600_000;
const MAX_ENVELOPE_BYTES = 16 * 1024 * 1024;
const MAX_JSON_BYTES = 4 * 1024 * 1024;

export function createConsortiumClient(exchange: Exchange): ConsortiumClient {
  const envelope = (route: RouteName, parameters: RouteParameters = {}): Promise<Uint8Array> =>
    exchange({ route, parameters, maxResponseBytes: MAX_ENVELOPE_BYTES });
  const json = async (route: RouteName, parameters: RouteParameters = {}): Promise<unknown> =>
    parseAnswer(await exchange({ route, parameters, maxResponseBytes: MAX_JSON_BYTES }));
  return {
    postEnrolment: (body) =>
      exchange({
        route: 'enrol',
        kind: 'enrolment',
        body,
        maxResponseBytes: MAX_ENVELOPE_BYTES,
      }),
    getTrustList: () => envelope('trustList'),
    listResearchStudies: async () => parseSummaries(await json('researchStudies')),
    getPlan: (researchStudyId) => envelope('plan', { researchStudyId }),
    getOpenRound: async (researchStudyId) => {
      const opening = await envelope('openRound', { researchStudyId });
      return opening.length === 0 ? undefined : opening;
    },
    getRemedy: (researchStudyId, remedy) => envelope('remedy', { researchStudyId, remedy }),
    getRemedyAnswer: async (requestDigest) => {
      const answer = await envelope('remedyAnswer', { requestDigest });
      return answer.length === 0 ? undefined : answer;
    },
    getModel: (researchStudyId, round) => envelope('model', { researchStudyId, round }),
    getModelTensors: (researchStudyId, round, maxResponseBytes) => {
      const parameters = { researchStudyId, round };
      return exchange({
        route: 'modelTensors',
        parameters,
        maxResponseBytes,
        timeoutMs: LONG_TIMEOUT_MS,
      });
    },
    getModelProof: (researchStudyId, round) => json('modelProof', { researchStudyId, round }),
    getLogConsistency: (oldSize, size) => json('logConsistency', { oldSize, size }),
    putUpdate: (bundleId, body) =>
      exchange({
        route: 'update',
        parameters: { bundleId },
        kind: 'update',
        body,
        maxResponseBytes: MAX_ENVELOPE_BYTES,
        timeoutMs: LONG_TIMEOUT_MS,
      }),
    postRemedyRequest: async (body) => {
      await exchange({
        route: 'remedyRequest',
        kind: 'remedy-request',
        body,
        maxResponseBytes: MAX_JSON_BYTES,
      });
    },
    postLogCheckpoint: async (extension) => {
      const body = utf8(extension);
      await exchange({
        route: 'logCheckpoint',
        kind: 'log-checkpoint',
        body,
        maxResponseBytes: MAX_JSON_BYTES,
      });
    },
  };
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
