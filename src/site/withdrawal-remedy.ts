// What a plan promises for updates that had left before one of their patients withdrew (security.md C11): a steward asks for it, and
// the consortium learns which rounds of this site are meant, never whose.
import { isoTime } from '#base/clock.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { encodeStatement, signStatement } from '#federation/records/record.ts';
import { type RemedyRequest, remedyRequestRecord } from '#federation/records/remedy-request.ts';
import type { WithdrawalRemedy } from '#federation/records/withdrawal-remedy.ts';
import type { Agreement } from '#site/agreement/index.ts';
import type { Actor, AuditLog } from '#site/audit/index.ts';
import { listSubjectRounds, type SubjectRound } from '#site/cohort/index.ts';
import { identitiesOf } from '#site/deidentify/index.ts';
import type { People } from '#site/people/index.ts';
import type { RemedyRequestTable, Store } from '#site/store/index.ts';
import { SiteError } from './site-error.ts';

export interface RemedyStages {
  readonly store: Store;
  readonly auditLog: AuditLog;
  readonly agreement: Agreement;
  readonly people: People;
}

/** `refused`: by the consortium's rules, for good; `dismissed`: by its operator. Both may be asked for again. */
export type RemedyState = 'none' | 'requested' | 'refused' | 'dismissed' | 'carried-out';

export interface RemediableRound extends SubjectRound {
  /** What the plan promises where the subject withdraws; null for a round that taught the model nothing of the subject. */
  readonly remedy: WithdrawalRemedy | null;
  readonly remedyState: RemedyState;
  /** Why the consortium's operator dismissed the last request; null where none was. */
  readonly dismissalReason: string | null;
  /** Bound on what the update tells of the subject (differential privacy); null: there is none. */
  readonly epsilon: number | null;
}

export interface RemedyOrder {
  readonly subjectId: string;
  readonly researchStudyId: string;
}

export type RequestedRemedySummary = Pick<
  RemedyRequest,
  'researchStudyId' | 'remedy' | 'fromRound' | 'toRound' | 'requestedAt'
>;

/** The rounds that a subject was in, with what can be done about those whose update left. */
export function listRemediableRounds(
  { store, agreement }: RemedyStages,
  subjectId: string,
): RemediableRound[] {
  const requests = listRequests(store, subjectId);
  return listSubjectRounds(store, subjectId).map((round) => ({
    ...round,
    remedy: remedyOf(agreement, round),
    ...stateOf(store, round, requests),
    epsilon: null,
  }));
}

/**
 * Signs a request for the plan's remedy; the next sync sends it.
 * @throws AgreementError PLAN_NOT_ACCEPTED, NOT_ENROLLED; SiteError REMEDY_KEEPS_MODEL, REMEDY_NOT_NEEDED.
 */
export function requestRemedy(
  stages: RemedyStages,
  { subjectId, researchStudyId }: RemedyOrder,
  actor: Actor,
): RequestedRemedySummary {
  const { store, auditLog, agreement, people } = stages;
  const { plan, planDigest } = agreement.currentPlan(researchStudyId);
  const { remedy } = plan.withdrawal;
  if (remedy === 'keep-model') {
    throw new SiteError('REMEDY_KEEPS_MODEL', 'The plan keeps the model as it is after a withdrawal.');
  }
  return store.transaction(() => {
    const rounds = listRemediableRounds(stages, subjectId)
      .filter((round) => round.researchStudyId === researchStudyId && canBeRemedied(round))
      .map(({ round }) => round);
    if (rounds.length === 0) {
      throw new SiteError(
        'REMEDY_NOT_NEEDED',
        'No update that left was made with this subject after a withdrawal, or the remedy was asked for already.',
      );
    }
    const predicate: RemedyRequest = {
      researchStudyId,
      siteId: agreement.requireSettings().siteId,
      planDigest,
      remedy,
      fromRound: Math.min(...rounds),
      toRound: Math.max(...rounds),
      requestedAt: isoTime(store.clock.nowMs()),
    };
    const digest =
      joinRequest(store, predicate, subjectId) ??
      saveRequest(store, { predicate, subjectId, signer: people.siteSigner() });
    const { fromRound, toRound, requestedAt } = predicate;
    auditLog.append({
      actor: actor.name,
      role: actor.role,
      action: 'remedy-requested',
      object: `subject:${subjectId}`,
      researchStudyId,
      outcome: 'success',
      detail: { request: digest, remedy, fromRound, toRound },
    });
    return { researchStudyId, remedy, fromRound, toRound, requestedAt };
  });
}

function canBeRemedied({ remedy, departure, erasedAt, remedyState }: RemediableRound): boolean {
  const isOpen = remedyState !== 'requested' && remedyState !== 'carried-out';
  return remedy !== null && departure !== 'never' && erasedAt !== null && isOpen;
}

/**
 * Has an earlier request stand for this subject too, and gives its digest: as many requests as subjects would tell the consortium how many
 * withdrew. Undefined where none names these rounds, or where a round was opened since, which the answer to it may have come before.
 */
function joinRequest(store: Store, predicate: RemedyRequest, subjectId: string): string | undefined {
  const { researchStudyId, fromRound, toRound, requestedAt } = predicate;
  const lastOpened = store.get(
    store.query
      .selectFrom('round')
      .select('received_at')
      .where('research_study_id', '=', researchStudyId)
      .orderBy('received_at', 'desc')
      .limit(1),
  );
  const earlier = store.get(
    store.query
      .selectFrom('remedy_request')
      .selectAll()
      .where('research_study_id', '=', researchStudyId)
      .where('from_round', '<=', fromRound)
      .where('to_round', '>=', toRound)
      .where('refused_code', 'is', null)
      // What was carried out took the rounds of this subject back too, or the site has left.
      .where((request) =>
        request.or([request('answer_outcome', 'is', null), request('answer_outcome', '=', 'carried-out')]),
      )
      .where('requested_at', '>', lastOpened?.received_at ?? '')
      .orderBy('requested_at')
      .limit(1),
  );
  if (earlier === undefined) return undefined;
  const [subjectNo = 0] = identitiesOf(store, subjectId);
  const joined = { ...earlier, subject_no: subjectNo, requested_at: requestedAt };
  store.run(
    store.query
      .insertInto('remedy_request')
      .values(joined)
      // Who consented again and withdrew again.
      .onConflict((conflict) =>
        conflict.columns(['request_digest', 'subject_no']).doUpdateSet({ requested_at: requestedAt }),
      ),
  );
  return earlier.request_digest;
}

interface SignedRequest {
  readonly predicate: RemedyRequest;
  readonly subjectId: string;
  readonly signer: ReturnType<People['siteSigner']>;
}

function saveRequest(store: Store, { predicate, subjectId, signer }: SignedRequest): string {
  const statement = encodeStatement(remedyRequestRecord, { predicate });
  const digest = sha256Hex(statement);
  const [subjectNo] = identitiesOf(store, subjectId);
  store.run(
    store.query.insertInto('remedy_request').values({
      request_digest: digest,
      research_study_id: predicate.researchStudyId,
      subject_no: subjectNo ?? 0,
      from_round: predicate.fromRound,
      to_round: predicate.toRound,
      envelope: signStatement(statement, [signer]),
      requested_at: predicate.requestedAt,
      sent_at: null,
      refused_code: null,
      ...{ answer: null, answer_outcome: null, dismissal_reason: null },
    }),
  );
  return digest;
}

/** For the subject, under whichever of its identities. */
function listRequests(store: Store, subjectId: string): RemedyRequestTable[] {
  const subjectNos = [...identitiesOf(store, subjectId)];
  if (subjectNos.length === 0) return [];
  const requests = store.query.selectFrom('remedy_request').selectAll();
  return store.all(requests.where('subject_no', 'in', subjectNos));
}

function stateOf(
  store: Store,
  { researchStudyId, round, erasedAt }: SubjectRound,
  requests: readonly RemedyRequestTable[],
): Pick<RemediableRound, 'remedyState' | 'dismissalReason'> {
  const state = (remedyState: RemedyState, dismissalReason: string | null = null) => ({
    ...{ remedyState, dismissalReason },
  });
  if (erasedAt === null) return state('none');
  const remedies = store.query
    .selectFrom('remedy')
    .select('number')
    .where('research_study_id', '=', researchStudyId)
    .where('from_round', '<=', round)
    .where('accepted_at', '>=', erasedAt);
  if (store.get(remedies.limit(1)) !== undefined) return state('carried-out');
  const asked = requests.filter(
    (one) =>
      one.research_study_id === researchStudyId &&
      one.from_round <= round &&
      round <= one.to_round &&
      one.requested_at >= erasedAt,
  );
  // A site that left has no remedy with a number: only the answer to its request says so.
  if (asked.some((request) => request.answer_outcome === 'carried-out')) return state('carried-out');
  const isWaiting = asked.some(
    ({ refused_code: code, answer_outcome: outcome }) => code === null && outcome === null,
  );
  if (isWaiting) return state('requested');
  const last = asked.toSorted((one, other) => (one.requested_at < other.requested_at ? 1 : -1))[0];
  if (last === undefined) return state('none');
  return last.refused_code === null ? state('dismissed', last.dismissal_reason) : state('refused');
}

/**
 * Training teaches the model; an evaluation does not. A statistics round released sums over many, and run again without one subject it
 * would tell that subject's values by subtraction (C14): it stays.
 */
function remedyOf(
  agreement: Agreement,
  { researchStudyId, round, part }: SubjectRound,
): WithdrawalRemedy | null {
  const found = agreement.listResearchStudies().find(({ plan }) => plan.researchStudyId === researchStudyId);
  if (found === undefined || part !== 'training' || found.plan.rounds[round - 1] !== 'training') return null;
  return found.plan.withdrawal.remedy;
}
