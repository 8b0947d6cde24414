// What a site may ask: answers by route, for a caller whose signature was verified. A site sees its own research studies only.
import { toBase64, utf8 } from '#base/bytes.ts';
import { isCodedError } from '#base/coded-error.ts';
import { enrolSite, type SignedTrust, type TrustRegister } from '#consortium/enrolment/index.ts';
import { receiveCheckpoint, receiveRemedyRequest, receiveUpdate } from '#consortium/intake/index.ts';
import {
  findModel,
  findPlan,
  latestModel,
  listResearchStudies,
  type PublishedPlan,
  proveModel,
} from '#consortium/publish/index.ts';
import { findAnswer, findOpenRound, findRemedy, lastRemedy, readOpening } from '#consortium/rounds/index.ts';
import type { Foundation, GlobalModelRow } from '#consortium/store/index.ts';
import { mediaTypes, type ResearchStudySummaries, type RouteName } from '#federation/sync-contract/routes.ts';
import { SyncError } from '#federation/sync-contract/sync-error.ts';

/** Routes that bring something. All others only tell. */
type IntakeRoute = 'update' | 'remedyRequest' | 'logCheckpoint';
export type ReadRoute = Exclude<RouteName, IntakeRoute | 'enrol'>;

export interface SyncCall {
  /** The site whose key signed the request. */
  readonly siteId: string;
  /** Checked against `routeParameters`. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface SyncAnswer {
  readonly status: number;
  readonly mediaType: string | null;
  readonly body: Uint8Array;
}

/** What a site may ask and bring, whether it does so over HTTPS or by an offline bundle. */
export interface SyncService {
  enrol(envelope: Uint8Array): SyncAnswer;
  /** The same as `answer`, at once. */
  read(route: ReadRoute, call: SyncCall): SyncAnswer;
  answer(route: Exclude<RouteName, 'enrol'>, call: SyncCall): SyncAnswer | Promise<SyncAnswer>;
}

export interface SyncServiceOptions {
  readonly foundation: Foundation;
  readonly register: TrustRegister;
  /** Closes the open round of a research study where it is complete. Throws only where its own failure cannot be logged. */
  readonly settle: (researchStudyId: string) => void;
}

export function createSyncService(options: SyncServiceOptions): SyncService {
  const { foundation, register } = options;
  const reads: Record<ReadRoute, (call: SyncCall) => SyncAnswer> = {
    trustList: () => envelope(register.current().envelope),
    researchStudies: ({ siteId }) => json(summarise(foundation, register.current(), siteId)),
    plan: (call) => envelope(ownPlan(foundation, register.current(), call).envelope),
    openRound: (call) => openRound(foundation, register.current(), call),
    remedy: (call) => envelope(ownRemedy(options, call)),
    remedyAnswer: (call) => ownAnswer(foundation, call),
    model: (call) => envelope(ownModel(options, call).envelope),
    modelTensors: (call) => ({
      status: 200,
      mediaType: mediaTypes.bytes,
      body: ownModel(options, call).tensors,
    }),
    modelProof: (call) => json(proveModel(foundation, ownModel(options, call))),
    logConsistency: ({ parameters }) => json(proveConsistency(foundation, parameters)),
  };
  const intakes: Record<IntakeRoute, (call: SyncCall) => SyncAnswer | Promise<SyncAnswer>> = {
    update: (call) => update(options, call),
    remedyRequest: ({ siteId, body }) => {
      receiveRemedyRequest(foundation, register.current(), { siteId, envelope: body });
      return empty;
    },
    logCheckpoint: ({ siteId, body }) => {
      receiveCheckpoint(foundation, register.current(), { siteId, extension: body });
      return empty;
    },
  };
  return {
    enrol: (request) => ({ ...envelope(enrolSite(foundation, register, request)), status: 201 }),
    read: (route, call) => reads[route](call),
    answer: (route, call) => ({ ...reads, ...intakes })[route](call),
  };
}

const empty: SyncAnswer = { status: 204, mediaType: null, body: new Uint8Array() };

function envelope(body: Uint8Array): SyncAnswer {
  return { status: 200, mediaType: mediaTypes.envelope, body };
}

function json(value: unknown): SyncAnswer {
  return { status: 200, mediaType: mediaTypes.json, body: utf8(JSON.stringify(value)) };
}

function summarise({ store }: Foundation, trust: SignedTrust, siteId: string): ResearchStudySummaries {
  return listResearchStudies(store).flatMap((researchStudyId) => {
    const plan = findPlan(store, trust, researchStudyId)?.plan;
    if (plan === undefined || !isParticipant(plan, siteId)) return [];
    const open = findOpenRound(store, researchStudyId);
    const latestModelRound = latestModel(store, researchStudyId)?.round ?? 0;
    const round = { openRound: open?.round ?? null, attempt: open?.attempt ?? null };
    const remedy = lastRemedy(store, researchStudyId)?.number ?? 0;
    return [{ researchStudyId, planVersion: plan.version, remedy, latestModelRound, ...round }];
  });
}

function isParticipant(plan: PublishedPlan['plan'], siteId: string): boolean {
  return plan.participants.some((participant) => participant.siteId === siteId);
}

/** A research study that the site is not in is answered like one that is not there: its existence is nobody else's business. */
function ownPlan({ store }: Foundation, trust: SignedTrust, { siteId, parameters }: SyncCall): PublishedPlan {
  const published = findPlan(store, trust, parameters.researchStudyId ?? '');
  if (published === undefined || !isParticipant(published.plan, siteId)) throw notFound('research study');
  return published;
}

/** Another site's request is answered like one that is not there. */
function ownAnswer({ store }: Foundation, { siteId, parameters }: SyncCall): SyncAnswer {
  const answer = findAnswer(store, { siteId, requestDigest: parameters.requestDigest ?? '' });
  if (answer === undefined) throw notFound('request for a remedy');
  return answer === null ? empty : envelope(answer);
}

function notFound(what: string): SyncError {
  return new SyncError('NOT_FOUND', `There is no such ${what} for this site.`);
}

function openRound(foundation: Foundation, trust: SignedTrust, call: SyncCall): SyncAnswer {
  const { plan } = ownPlan(foundation, trust, call);
  const row = findOpenRound(foundation.store, plan.researchStudyId);
  const isAsked = row !== undefined && readOpening(row, trust).participants.includes(call.siteId);
  return isAsked ? envelope(row.envelope) : empty;
}

function ownRemedy({ foundation, register }: SyncServiceOptions, call: SyncCall): Uint8Array {
  const { plan } = ownPlan(foundation, register.current(), call);
  const remedy = findRemedy(foundation.store, plan.researchStudyId, Number(call.parameters.remedy));
  if (remedy === undefined) throw notFound('remedy');
  return remedy;
}

function ownModel({ foundation, register }: SyncServiceOptions, call: SyncCall): GlobalModelRow {
  const { plan } = ownPlan(foundation, register.current(), call);
  const model = findModel(foundation.store, plan.researchStudyId, Number(call.parameters.round));
  if (model === undefined) throw notFound('global model');
  return model;
}

function proveConsistency({ log }: Foundation, parameters: SyncCall['parameters']): { hashes: string[] } {
  try {
    const hashes = log.proveConsistency(Number(parameters.oldSize), Number(parameters.size));
    return { hashes: hashes.map(toBase64) };
  } catch (error) {
    if (!isCodedError(error, 'BAD_LOG_PROOF')) throw error;
    throw notFound('part of the log');
  }
}

async function update(
  { foundation, register, settle }: SyncServiceOptions,
  call: SyncCall,
): Promise<SyncAnswer> {
  const { siteId, parameters, body } = call;
  const sent = { siteId, bundleId: parameters.bundleId ?? '', file: body };
  const { receipt, researchStudyId } = await receiveUpdate(foundation, register.current(), sent);
  settle(researchStudyId);
  return envelope(receipt);
}
