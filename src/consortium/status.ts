// What the operator sees: sites, invitations, research studies, rounds and what has come in.

import { type GlobalModel, globalModelRecord } from '#federation/records/global-model.ts';
import { verifyRecord } from '#federation/records/record.ts';
import type { RoundKind } from '#federation/records/round.ts';
import type { CarriedOutRemedy, RequestedRemedy } from '#federation/records/withdrawal-remedy.ts';
import type { SignedTrust } from './enrolment/index.ts';
import { findPlan, listResearchStudies } from './publish/index.ts';
import { readOpening } from './rounds/index.ts';
import { type ConsortiumStore, loadSetting, type RoundRow } from './store/index.ts';

export interface ConsortiumStatus {
  readonly name: string;
  /** https URL that invitations name, null where none is known. */
  readonly url: string | null;
  readonly certificateDigest: string;
  readonly trustListVersion: number;
  readonly sites: readonly SiteStatus[];
  readonly invitations: readonly InvitationStatus[];
  readonly researchStudies: readonly ResearchStudyStatus[];
  readonly log: { readonly entryCount: number };
}

export interface SiteStatus {
  readonly siteId: string;
  readonly name: string;
  readonly enrolledAt: string;
  /** The newest checkpoint of the site's own log that it has shown. */
  readonly checkpoint: {
    readonly size: number;
    readonly rootHash: string;
    readonly receivedAt: string;
  } | null;
}

export interface InvitationStatus {
  readonly siteId: string;
  readonly name: string;
  readonly expires: string;
  readonly state: 'open' | 'used' | 'expired';
}

export interface ResearchStudyStatus {
  readonly researchStudyId: string;
  readonly title: string;
  readonly planVersion: number;
  readonly planDigest: string;
  readonly participants: readonly string[];
  /** Kinds of the plan's rounds, round 1 first. */
  readonly plannedRounds: readonly RoundKind[];
  readonly models: readonly ModelStatus[];
  readonly remedies: readonly RemedyStatus[];
  readonly remedyRequests: readonly RemedyRequestStatus[];
  readonly rounds: readonly RoundStatus[];
}

/** What was carried out after withdrawals, oldest first. */
export interface RemedyStatus {
  readonly number: number;
  readonly kind: CarriedOutRemedy;
  readonly fromRound: number;
  readonly decidedAt: string;
}

/** Which site asked for it, for which rounds; never for whom. */
export interface RemedyRequestStatus {
  /** sha256 of the request statement: names it to dismiss it. */
  readonly requestDigest: string;
  readonly siteId: string;
  readonly kind: RequestedRemedy;
  readonly fromRound: number;
  readonly toRound: number;
  readonly receivedAt: string;
  /** null while it waits, and where it was dismissed. */
  readonly carriedOutAt: string | null;
  readonly dismissedAt: string | null;
}

export interface ModelStatus {
  readonly round: number;
  /** Whether no remedy has taken it back. */
  readonly isInForce: boolean;
  readonly kind: GlobalModel['kind'];
  readonly modelDigest: string;
  readonly publishedAt: string;
  readonly included: GlobalModel['included'];
  readonly evaluation: GlobalModel['evaluation'];
}

export interface RoundStatus {
  readonly round: number;
  readonly attempt: number;
  readonly kind: RoundKind;
  readonly state: RoundRow['state'];
  readonly openedAt: string;
  readonly closesAt: string;
  readonly endedAt: string | null;
  readonly received: readonly ReceivedStatus[];
  /** Participants whose update is not in. */
  readonly missing: readonly string[];
}

export interface ReceivedStatus {
  readonly siteId: string;
  readonly updateDigest: string;
  readonly exampleCount: number;
  readonly payloadBytes: number;
  readonly sealedBytes: number;
  readonly receivedAt: string;
}

export interface StatusSource {
  readonly store: ConsortiumStore;
  readonly trust: SignedTrust;
  readonly url: string | null;
  readonly certificateDigest: string;
}

export function readStatus({ store, trust, url, certificateDigest }: StatusSource): ConsortiumStatus {
  const { query } = store;
  const last = store.get(query.selectFrom('log_leaf').select('seq').orderBy('seq', 'desc').limit(1));
  return {
    name: loadSetting(store, 'name') ?? trust.list.consortium,
    url,
    certificateDigest,
    trustListVersion: trust.list.version,
    sites: readSites(store),
    invitations: readInvitations(store),
    researchStudies: listResearchStudies(store).flatMap((id) => readResearchStudy(store, trust, id)),
    log: { entryCount: last === undefined ? 0 : last.seq + 1 },
  };
}

function readSites(store: ConsortiumStore): SiteStatus[] {
  const { query } = store;
  return store.all(query.selectFrom('site').selectAll().orderBy('site_id')).map((site) => {
    const seen = store.get(
      query
        .selectFrom('site_checkpoint')
        .selectAll()
        .where('site_id', '=', site.site_id)
        .orderBy('size', 'desc')
        .limit(1),
    );
    const checkpoint =
      seen === undefined ? null : { size: seen.size, rootHash: seen.root_hash, receivedAt: seen.received_at };
    return { siteId: site.site_id, name: site.name, enrolledAt: site.enrolled_at, checkpoint };
  });
}

function readInvitations(store: ConsortiumStore): InvitationStatus[] {
  const nowMs = store.clock.nowMs();
  return store
    .all(store.query.selectFrom('invitation').selectAll().orderBy('created_at').orderBy('site_id'))
    .map((row) => {
      const unused = nowMs >= Date.parse(row.expires_at) ? 'expired' : 'open';
      return {
        siteId: row.site_id,
        name: row.name,
        expires: row.expires_at,
        state: row.used_at === null ? unused : 'used',
      };
    });
}

function readResearchStudy(
  store: ConsortiumStore,
  trust: SignedTrust,
  researchStudyId: string,
): ResearchStudyStatus[] {
  const published = findPlan(store, trust, researchStudyId);
  if (published === undefined) return [];
  const { plan, planDigest } = published;
  const rounds = store.query.selectFrom('round').selectAll().where('research_study_id', '=', researchStudyId);
  return [
    {
      researchStudyId,
      title: plan.title,
      planVersion: plan.version,
      planDigest,
      participants: plan.participants.map(({ siteId }) => siteId),
      plannedRounds: plan.rounds,
      models: readModels(store, trust, researchStudyId),
      ...readRemedies(store, researchStudyId),
      rounds: store
        .all(rounds.orderBy('round').orderBy('attempt'))
        .map((row) => readRound(store, trust, row)),
    },
  ];
}

function readModels(store: ConsortiumStore, trust: SignedTrust, researchStudyId: string): ModelStatus[] {
  const columns = ['round', 'model_digest', 'envelope', 'leaf_seq', 'published_at'] as const;
  const models = store.query
    .selectFrom('global_model')
    .select(columns)
    .where('research_study_id', '=', researchStudyId);
  const inForce = new Set(
    store
      .all(
        store.query
          .selectFrom('model_in_force')
          .select('leaf_seq')
          .where('research_study_id', '=', researchStudyId),
      )
      .map((row) => row.leaf_seq),
  );
  return store.all(models.orderBy('remedy').orderBy('round')).map((row) => {
    const atMs = Date.parse(row.published_at);
    const { kind, included, evaluation } = verifyRecord(globalModelRecord, row.envelope, {
      trust: trust.keys,
      atMs,
    }).predicate;
    return {
      round: row.round,
      isInForce: inForce.has(row.leaf_seq),
      kind,
      modelDigest: row.model_digest,
      publishedAt: row.published_at,
      included,
      evaluation,
    };
  });
}

function readRemedies(
  store: ConsortiumStore,
  researchStudyId: string,
): Pick<ResearchStudyStatus, 'remedies' | 'remedyRequests'> {
  const { query } = store;
  const remedies = query.selectFrom('remedy').selectAll().where('research_study_id', '=', researchStudyId);
  const requests = query
    .selectFrom('remedy_request')
    .selectAll()
    .where('research_study_id', '=', researchStudyId);
  return {
    remedies: store.all(remedies.orderBy('number')).map((row) => ({
      number: row.number,
      kind: row.kind,
      fromRound: row.from_round,
      decidedAt: row.decided_at,
    })),
    remedyRequests: store.all(requests.orderBy('received_at')).map((row) => ({
      requestDigest: row.request_digest,
      siteId: row.site_id,
      kind: row.kind,
      fromRound: row.from_round,
      toRound: row.to_round,
      receivedAt: row.received_at,
      carriedOutAt: row.carried_out_at,
      dismissedAt: row.dismissed_at,
    })),
  };
}

function readRound(store: ConsortiumStore, trust: SignedTrust, row: RoundRow): RoundStatus {
  const { round, attempt, kind, state, opened_at: openedAt, closes_at: closesAt, ended_at: endedAt } = row;
  const received = readReceived(store, row);
  const { participants } = readOpening(row, trust);
  const missing = participants.filter((id) => !received.some(({ siteId }) => siteId === id));
  return { round, attempt, kind, state, openedAt, closesAt, endedAt, received, missing };
}

function readReceived(store: ConsortiumStore, row: RoundRow): ReceivedStatus[] {
  const updates = store.query
    .selectFrom('received_update')
    .select(['site_id', 'update_digest', 'example_count', 'payload_bytes', 'received_at'])
    .select(({ fn }) => fn<number>('length', ['sealed_file']).as('sealed_bytes'))
    .where('research_study_id', '=', row.research_study_id)
    .where('round', '=', row.round)
    .where('attempt', '=', row.attempt);
  return store.all(updates.orderBy('site_id')).map((update) => ({
    siteId: update.site_id,
    updateDigest: update.update_digest,
    exampleCount: update.example_count,
    payloadBytes: update.payload_bytes,
    sealedBytes: update.sealed_bytes,
    receivedAt: update.received_at,
  }));
}
