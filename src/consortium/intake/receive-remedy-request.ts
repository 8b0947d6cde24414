// Takes a site's signed request for the plan's remedy after a withdrawal. It says rounds and no more; whose they were stays at the site.
import { isoTime } from '#base/clock.ts';
import { CodedError } from '#base/coded-error.ts';
import type { SignedTrust } from '#consortium/enrolment/index.ts';
import { findPlanVersion, latestModel } from '#consortium/publish/index.ts';
import { type Foundation, signAnswer } from '#consortium/store/index.ts';
import { verifyRecord } from '#federation/records/record.ts';
import { type RemedyRequest, remedyRequestRecord } from '#federation/records/remedy-request.ts';
import { refusal } from './intake-error.ts';

interface SentRequest {
  readonly siteId: string;
  /** DSSE. */
  readonly envelope: Uint8Array;
}

/**
 * Stores the request with its log entry; the same one again changes nothing. A site that leaves has left with it; the other remedies
 * wait for the operator.
 * @throws RecordError; IntakeError MIXUP, WRONG_PLAN, NOT_A_PARTICIPANT, OUT_OF_POLICY, logged.
 */
export function receiveRemedyRequest(foundation: Foundation, trust: SignedTrust, sent: SentRequest): void {
  const { store, log } = foundation;
  const actor = `site:${sent.siteId}`;
  try {
    store.transaction(() => save(foundation, trust, sent));
  } catch (error) {
    if (!(error instanceof CodedError) || error.code === 'BUG') throw error;
    const { code: reason } = error;
    store.transaction(() => log.append({ actor, action: 'remedy-requested', outcome: 'refused', reason }));
    throw error;
  }
}

function save(foundation: Foundation, trust: SignedTrust, { siteId, envelope }: SentRequest): void {
  const { store, log } = foundation;
  const nowMs = store.clock.nowMs();
  const { predicate: request, digest } = verifyRecord(remedyRequestRecord, envelope, {
    trust: trust.keys,
    atMs: nowMs,
    siteId,
  });
  const known = store.query.selectFrom('remedy_request').select('request_digest');
  if (store.get(known.where('request_digest', '=', digest)) !== undefined) return;
  requireAgreed(foundation, trust, request);
  const { researchStudyId, remedy: kind, fromRound, toRound } = request;
  const receivedAt = isoTime(nowMs);
  store.run(
    store.query.insertInto('remedy_request').values({
      request_digest: digest,
      research_study_id: researchStudyId,
      site_id: siteId,
      kind,
      from_round: fromRound,
      to_round: toRound,
      envelope,
      received_at: receivedAt,
      carried_out_at: kind === 'leave-study' ? receivedAt : null,
      dismissed_at: null,
      answer: null,
    }),
  );
  // A site that leaves has left with its request.
  if (kind === 'leave-study') {
    const row = { request_digest: digest, research_study_id: researchStudyId, site_id: siteId };
    signAnswer(foundation, row, { outcome: 'carried-out', remedy: null, nonce: null });
  }
  log.append({
    actor: `site:${siteId}`,
    action: 'remedy-requested',
    outcome: 'success',
    object: `remedy-request:${digest}`,
    researchStudyId,
    detail: { kind, fromRound, toRound },
  });
}

/** Stops a site from undoing others' rounds by a remedy that nobody agreed to, or for rounds that never were. */
function requireAgreed({ store }: Foundation, trust: SignedTrust, request: RemedyRequest): void {
  const { researchStudyId, siteId, planDigest, remedy, fromRound, toRound } = request;
  const plan = findPlanVersion(store, trust, { researchStudyId, planDigest });
  if (plan === undefined)
    throw refusal('WRONG_PLAN', 'planDigest', { expected: 'a published one', found: planDigest });
  if (!plan.participants.some((participant) => participant.siteId === siteId))
    throw refusal('NOT_A_PARTICIPANT', 'siteId', { expected: 'a participant', found: siteId });
  if (plan.withdrawal.remedy !== remedy)
    throw refusal('OUT_OF_POLICY', 'remedy', { expected: plan.withdrawal.remedy, found: remedy });
  // Stops a site from having statistics run again, which another site could not answer any more after a patient came or went (C14).
  for (const [field, round] of Object.entries({ fromRound, toRound })) {
    const kind = plan.rounds[round - 1] ?? null;
    if (kind !== 'training') throw refusal('OUT_OF_POLICY', field, { expected: 'training', found: kind });
  }
  // Stops a site from undoing others' rounds that hold nothing of its own.
  if (!holdsUpdate(store, request))
    throw refusal('OUT_OF_POLICY', 'fromRound', {
      expected: 'a round with an update of the site',
      found: fromRound,
    });
  // The round that is open may hold the patient, too.
  const lastRound = (latestModel(store, researchStudyId)?.round ?? 0) + 1;
  if (toRound > Math.max(lastRound, highestRound(store, researchStudyId)))
    throw refusal('OUT_OF_POLICY', 'toRound', { expected: lastRound, found: toRound });
}

function holdsUpdate(
  { query, get }: Foundation['store'],
  { researchStudyId, siteId, fromRound, toRound }: RemedyRequest,
): boolean {
  const updates = query
    .selectFrom('received_update')
    .select('sequence')
    .where('research_study_id', '=', researchStudyId)
    .where('site_id', '=', siteId)
    .where('round', '>=', fromRound);
  return get(updates.where('round', '<=', toRound).limit(1)) !== undefined;
}

/** Of all rounds that were ever opened: a remedy may have taken the last ones back. */
function highestRound({ query, get }: Foundation['store'], researchStudyId: string): number {
  const rounds = query.selectFrom('round').select('round').where('research_study_id', '=', researchStudyId);
  return get(rounds.orderBy('round', 'desc').limit(1))?.round ?? 0;
}
