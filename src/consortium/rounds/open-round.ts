// Opens the next round of a research study: one at a time, for all participants of the plan, on the model that closed the last one.
import { isoTime } from '#base/clock.ts';
import type { SignedTrust } from '#consortium/enrolment/index.ts';
import { findPlan, latestModel, type PublishedPlan } from '#consortium/publish/index.ts';
import type { ConsortiumStore, Foundation, GlobalModelRow, RoundRow } from '#consortium/store/index.ts';
import { encodeStatement, signStatement } from '#federation/records/record.ts';
import { type RoundKind, type RoundOpening, roundRecord } from '#federation/records/round.ts';
import { lastRemedy, pendingRequests, sitesThatLeft } from './remedies.ts';
import { RoundError } from './round-error.ts';

const dayMs = 24 * 60 * 60 * 1000;
export const DEFAULT_ROUND_DAYS = 14;
const MAX_ROUND_DAYS = 365;

export interface OpenRoundRequest {
  readonly researchStudyId: string;
  /** How long updates are taken; 14 where it is not said. */
  readonly days?: number | undefined;
}

export interface OpenedRound {
  readonly researchStudyId: string;
  readonly round: number;
  readonly attempt: number;
  readonly kind: RoundKind;
  readonly participants: readonly string[];
  readonly baseModelDigest: string;
  readonly closesAt: string;
}

/**
 * Signs and stores the opening of the next round. A round that ran out of time is opened again as the next attempt; what it
 * had received is kept and not counted.
 * @throws RoundError RESEARCH_STUDY_UNKNOWN, RESEARCH_STUDY_RETIRED, REMEDY_PENDING, PARTICIPANT_NOT_ENROLLED, TOO_FEW_PARTICIPANTS,
 * ROUND_ALREADY_OPEN, ROUNDS_DONE, BAD_ROUND_REQUEST.
 */
export function openRound(
  foundation: Foundation,
  trust: SignedTrust,
  request: OpenRoundRequest,
): OpenedRound {
  const { store } = foundation;
  const days = request.days ?? DEFAULT_ROUND_DAYS;
  if (!(days > 0 && days <= MAX_ROUND_DAYS)) {
    throw new RoundError('BAD_ROUND_REQUEST', 'A round stays open for up to a year.', {
      details: { field: 'days', expected: MAX_ROUND_DAYS, found: days },
    });
  }
  return store.transaction(() => {
    const published = findPlan(store, trust, request.researchStudyId);
    const base = latestModel(store, request.researchStudyId);
    if (published === undefined || base === undefined) throw unknownResearchStudy(request.researchStudyId);
    refuseBeforeRemedy(store, request.researchStudyId);
    requireEnrolled(published, trust);
    abandonExpired(foundation, request.researchStudyId);
    return storeOpening(foundation, trust, { published, base, days });
  });
}

export function unknownResearchStudy(researchStudyId: string): RoundError {
  return new RoundError('RESEARCH_STUDY_UNKNOWN', 'No plan of this research study was published.', {
    details: { researchStudyId },
  });
}

/** Stops a round that could never be complete: everybody whom the plan names must have keys in the trust list. */
function requireEnrolled({ plan }: PublishedPlan, trust: SignedTrust): void {
  const missing = plan.participants
    .map(({ siteId }) => siteId)
    .filter((id) => trust.keys.withRole('site-signing', id).length === 0);
  if (missing.length === 0) return;
  throw new RoundError(
    'PARTICIPANT_NOT_ENROLLED',
    `The plan names sites that are not enrolled: ${missing.join(', ')}.`,
    {
      details: { missing },
    },
  );
}

/** Stops further rounds from being built on a model that a withdrawal has taken back, or is about to (C11). */
function refuseBeforeRemedy(store: ConsortiumStore, researchStudyId: string): void {
  if (lastRemedy(store, researchStudyId)?.kind === 'retire-model')
    throw new RoundError('RESEARCH_STUDY_RETIRED', 'The model was retired after a withdrawal.');
  const { length: found } = pendingRequests(store, researchStudyId);
  if (found === 0) return;
  throw new RoundError(
    'REMEDY_PENDING',
    'A site waits for the remedy that the plan promises after a withdrawal.',
    {
      details: { found },
    },
  );
}

/** Everybody whom the plan names but those who left after a withdrawal. */
function remainingParticipants(store: ConsortiumStore, { plan }: PublishedPlan): string[] {
  const left = sitesThatLeft(store, plan.researchStudyId);
  const participants = plan.participants.map(({ siteId }) => siteId).filter((siteId) => !left.has(siteId));
  // A model made of one site's update alone would hand that update to all others.
  const expected = Math.min(2, plan.participants.length);
  if (participants.length >= expected) return participants.sort();
  throw new RoundError('TOO_FEW_PARTICIPANTS', 'Too few sites are left in the research study.', {
    details: { expected, found: participants.length },
  });
}

function abandonExpired({ store, log }: Foundation, researchStudyId: string): void {
  const open = findOpenRound(store, researchStudyId);
  if (open === undefined) return;
  const { round, attempt, closes_at: closesAt } = open;
  if (store.clock.nowMs() < Date.parse(closesAt)) {
    throw new RoundError(
      'ROUND_ALREADY_OPEN',
      'A round is open; it closes when every participant has sent its update.',
      {
        details: { round, attempt, closesAt },
      },
    );
  }
  endRound(store, open, 'abandoned');
  log.append({
    actor: 'operator',
    action: 'round-abandoned',
    outcome: 'success',
    researchStudyId,
    round,
    detail: { attempt },
  });
}

interface NextRound {
  readonly published: PublishedPlan;
  readonly base: GlobalModelRow;
  readonly days: number;
}

function storeOpening({ store, signers, log }: Foundation, trust: SignedTrust, next: NextRound): OpenedRound {
  const { plan, planDigest } = next.published;
  const { researchStudyId } = plan;
  const round = next.base.round + 1;
  const kind = plan.rounds[round - 1];
  if (kind === undefined) {
    throw new RoundError('ROUNDS_DONE', 'All rounds of the plan are closed.', {
      details: { rounds: plan.rounds.length },
    });
  }
  const nowMs = store.clock.nowMs();
  const predicate: RoundOpening = {
    researchStudyId,
    planDigest,
    round,
    attempt: lastAttempt(store, researchStudyId, round) + 1,
    remedy: lastRemedy(store, researchStudyId)?.number ?? 0,
    kind,
    baseModelDigest: next.base.model_digest,
    participants: remainingParticipants(store, next.published),
    recipientKeyId: signers.receiving.keyId,
    trustListVersion: trust.list.version,
    opensAt: isoTime(nowMs),
    closesAt: isoTime(nowMs + next.days * dayMs),
  };
  const { attempt, participants, baseModelDigest, closesAt } = predicate;
  const row: RoundRow = {
    research_study_id: researchStudyId,
    round,
    attempt,
    kind,
    state: 'open',
    base_model_digest: baseModelDigest,
    envelope: signStatement(encodeStatement(roundRecord, { predicate }), [signers.model]),
    opened_at: predicate.opensAt,
    closes_at: closesAt,
    ended_at: null,
  };
  store.run(store.query.insertInto('round').values(row));
  const detail = { attempt, kind, participants, baseModelDigest };
  log.append({
    actor: 'operator',
    action: 'round-opened',
    outcome: 'success',
    researchStudyId,
    round,
    detail,
  });
  return { researchStudyId, round, attempt, kind, participants, baseModelDigest, closesAt };
}

function lastAttempt(store: ConsortiumStore, researchStudyId: string, round: number): number {
  const query = store.query
    .selectFrom('round')
    .select('attempt')
    .where('research_study_id', '=', researchStudyId);
  return store.get(query.where('round', '=', round).orderBy('attempt', 'desc').limit(1))?.attempt ?? 0;
}

/** The open round's row, or undefined. */
export function findOpenRound(store: ConsortiumStore, researchStudyId: string): RoundRow | undefined {
  const rounds = store.query.selectFrom('round').selectAll().where('research_study_id', '=', researchStudyId);
  return store.get(rounds.where('state', '=', 'open'));
}

/** Marks a round as over, inside the caller's transaction. */
export function endRound(store: ConsortiumStore, row: RoundRow, state: 'closed' | 'abandoned'): void {
  store.run(
    store.query
      .updateTable('round')
      .set({ state, ended_at: isoTime(store.clock.nowMs()) })
      .where('research_study_id', '=', row.research_study_id)
      .where('round', '=', row.round)
      .where('attempt', '=', row.attempt),
  );
}
