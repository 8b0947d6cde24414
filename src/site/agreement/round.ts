// The rounds that the consortium opened: signed by the model key, under the accepted plan, sealed to a trusted key.
import { isoTime } from '#base/clock.ts';
import { type TrustedKeys, verifyRecord } from '#federation/records/record.ts';
import { type RoundOpening, roundRecord } from '#federation/records/round.ts';
import { findKeyFor } from '#federation/records/trusted-keys.ts';
import type { RoundTable, Store } from '#site/store/index.ts';
import { AgreementError } from './agreement-error.ts';
import type { AcceptedPlan } from './plan.ts';
import { hasLeft, isRetired, lastRemedyNumber, wrongRemedy } from './remedy.ts';

export interface RoundCheck {
  readonly envelope: Uint8Array;
  readonly trust: TrustedKeys;
  readonly siteId: string;
  readonly planOf: (researchStudyId: string) => AcceptedPlan;
}

/**
 * Stores a round's opening in the caller's transaction; `isNew` is false when it is stored already.
 * @throws RecordError; AgreementError WRONG_PLAN, NOT_A_PARTICIPANT, ROUND_NOT_IN_PLAN, WRONG_RECIPIENT, WRONG_BASE,
 * WRONG_REMEDY, EXPIRED, ROLLBACK.
 */
export function storeRound(
  store: Store,
  check: RoundCheck,
): { readonly round: RoundOpening; readonly isNew: boolean } {
  const nowMs = store.clock.nowMs();
  const { predicate: round, digest } = verifyRecord(roundRecord, check.envelope, {
    trust: check.trust,
    atMs: nowMs,
  });
  const known = latestRow(store, round.researchStudyId);
  // Asked for again and again while it is open, also after its time or its plan has passed: no news, no refusal.
  if (known !== undefined && storedDigest(known, check.trust) === digest) return { round, isNew: false };
  checkRound(round, check, nowMs);
  refuseOtherRemedy(store, round);
  refuseWrongBase(store, round);
  if (known !== undefined && !isLater(round, known)) throw rollback(known, round);
  refuseSecondOpening(store, round);
  const row = {
    research_study_id: round.researchStudyId,
    round: round.round,
    attempt: round.attempt,
    remedy: round.remedy,
    envelope: check.envelope,
    received_at: isoTime(nowMs),
  };
  store.run(store.query.insertInto('round').values(row));
  return { round, isNew: true };
}

function storedDigest(row: RoundTable, trust: TrustedKeys): string {
  return verifyRecord(roundRecord, row.envelope, { trust, atMs: Date.parse(row.received_at) }).digest;
}

/** After a later remedy, a later round, or a later attempt. Stops a second, different opening of one attempt: two bases, two recipients. */
function isLater(round: RoundOpening, known: RoundTable): boolean {
  if (round.remedy !== known.remedy) return round.remedy > known.remedy;
  return round.round > known.round || (round.round === known.round && round.attempt > known.attempt);
}

/** Attempts are counted on after a remedy: what an attempt received would otherwise be of two times. */
function refuseSecondOpening(store: Store, round: RoundOpening): void {
  const last = store.get(
    store.query
      .selectFrom('round')
      .select(['round', 'attempt'])
      .where('research_study_id', '=', round.researchStudyId)
      .where('round', '=', round.round)
      .where('attempt', '>=', round.attempt)
      .limit(1),
  );
  if (last !== undefined) throw rollback(last, round);
}

function rollback(
  known: { readonly round: number; readonly attempt: number },
  round: RoundOpening,
): AgreementError {
  return new AgreementError(
    'ROLLBACK',
    'The opening is of an earlier round, or another one of the same attempt.',
    {
      details: {
        expected: { round: known.round, attempt: known.attempt },
        found: { round: round.round, attempt: round.attempt },
      },
    },
  );
}

function checkRound(round: RoundOpening, check: Omit<RoundCheck, 'envelope'>, nowMs: number): void {
  const { plan, planDigest } = check.planOf(round.researchStudyId);
  if (round.planDigest !== planDigest) {
    throw new AgreementError('WRONG_PLAN', 'The round was opened under another plan than the accepted one.', {
      details: { expected: planDigest, found: round.planDigest },
    });
  }
  const planned = plan.rounds[round.round - 1];
  if (planned !== round.kind) {
    throw new AgreementError('ROUND_NOT_IN_PLAN', 'The plan has no such round.', {
      details: { round: round.round, expected: planned ?? null, found: round.kind },
    });
  }
  if (!round.participants.includes(check.siteId)) {
    throw new AgreementError('NOT_A_PARTICIPANT', 'The round does not ask this site.', {
      details: { expected: check.siteId },
    });
  }
  // Stops an update from being sealed to a key that the root did not list for receiving (surreptitious forwarding, E8).
  if (findKeyFor(check.trust, round.recipientKeyId, { role: 'receiving', atMs: nowMs }) === undefined) {
    throw new AgreementError('WRONG_RECIPIENT', 'The round names a receiving key that is not trusted.', {
      details: { found: round.recipientKeyId },
    });
  }
  if (Date.parse(round.closesAt) <= nowMs) {
    throw new AgreementError('EXPIRED', 'The round has closed.', { details: { closesAt: round.closesAt } });
  }
}

/** Stops a round from before a remedy from being answered after it: its model is one that was taken back. */
function refuseOtherRemedy(store: Store, { researchStudyId, remedy }: RoundOpening): void {
  const expected = lastRemedyNumber(store, researchStudyId);
  if (remedy !== expected) throw wrongRemedy(expected, remedy);
}

/** The base is the model that closed the round before. One that is not here yet is checked when it comes. */
function refuseWrongBase(store: Store, round: RoundOpening): void {
  const base = store.get(
    store.query
      .selectFrom('model_in_force')
      .select('model_digest')
      .where('research_study_id', '=', round.researchStudyId)
      .where('round', '=', round.round - 1),
  );
  if (base === undefined || base.model_digest === round.baseModelDigest) return;
  throw new AgreementError(
    'WRONG_BASE',
    'The round starts from another model than the one that closed the last round.',
    {
      details: { expected: base.model_digest, found: round.baseModelDigest },
    },
  );
}

/**
 * The open round, or undefined: none was announced, its time is over, its model is there already, its plan was replaced, a remedy
 * has ended it, or this site had left.
 * @throws as `storeRound`.
 */
export function loadOpenRound(
  store: Store,
  researchStudyId: string,
  check: Omit<RoundCheck, 'envelope'>,
): RoundOpening | undefined {
  const row = latestRow(store, researchStudyId);
  if (row === undefined) return undefined;
  const { predicate: round } = verifyRecord(roundRecord, row.envelope, {
    trust: check.trust,
    atMs: Date.parse(row.received_at),
  });
  const nowMs = store.clock.nowMs();
  if (Date.parse(round.closesAt) <= nowMs || isClosed(store, round)) return undefined;
  const accepted = check.planOf(researchStudyId);
  if (accepted.planDigest !== round.planDigest || hasLeft(store, accepted, row.received_at)) return undefined;
  if (round.remedy !== lastRemedyNumber(store, researchStudyId) || isRetired(store, researchStudyId))
    return undefined;
  checkRound(round, check, nowMs);
  refuseWrongBase(store, round);
  return round;
}

function isClosed(store: Store, round: RoundOpening): boolean {
  const query = store.query
    .selectFrom('model_in_force')
    .select('round')
    .where('research_study_id', '=', round.researchStudyId)
    .where('round', '>=', round.round);
  return store.get(query.limit(1)) !== undefined;
}

function latestRow(store: Store, researchStudyId: string): RoundTable | undefined {
  return store.get(
    store.query
      .selectFrom('round')
      .selectAll()
      .where('research_study_id', '=', researchStudyId)
      .orderBy('remedy', 'desc')
      .orderBy('round', 'desc')
      .orderBy('attempt', 'desc')
      .limit(1),
  );
}
