// Remedies that the consortium carried out after a withdrawal somewhere (security.md C11): taken over in order, and only as the plan
// that this site agreed to promises them. What they take back stays stored and counts no longer (views `round_in_force`, `model_in_force`).
import { isoTime } from '#base/clock.ts';
import { verifyRecord } from '#federation/records/record.ts';
import { type Remedy, remedyRecord } from '#federation/records/remedy.ts';
import type { TrustedKeys } from '#federation/records/trusted-keys.ts';
import type { RemedyTable, Store } from '#site/store/index.ts';
import { AgreementError } from './agreement-error.ts';
import type { AcceptedPlan } from './plan.ts';

export interface RemedyCheck {
  readonly envelope: Uint8Array;
  readonly trust: TrustedKeys;
  readonly planOf: (researchStudyId: string) => AcceptedPlan;
}

/**
 * Stores a remedy in the caller's transaction.
 * @throws RecordError; AgreementError REMEDY_NOT_AGREED, ROUND_NOT_IN_PLAN, WRONG_REMEDY, WRONG_BASE.
 */
export function storeRemedy(store: Store, { envelope, trust, planOf }: RemedyCheck): Remedy {
  const nowMs = store.clock.nowMs();
  const { predicate: remedy } = verifyRecord(remedyRecord, envelope, { trust, atMs: nowMs });
  const { researchStudyId, number, kind, fromRound, modelDigest } = remedy;
  // Of whichever version of the plan: none of them may change what is promised, and one that waits here for a person's word must not
  // keep a patient's remedy waiting.
  const { plan } = planOf(researchStudyId);
  // Stops the consortium from taking back rounds in a way that nobody agreed to.
  if (kind !== plan.withdrawal.remedy) {
    throw new AgreementError('REMEDY_NOT_AGREED', 'The plan promises another remedy.', {
      details: { expected: plan.withdrawal.remedy, found: kind },
    });
  }
  if (fromRound > plan.rounds.length) {
    throw new AgreementError('ROUND_NOT_IN_PLAN', 'The plan has no such round.', {
      details: { expected: plan.rounds.length, found: fromRound },
    });
  }
  const expected = lastRemedyNumber(store, researchStudyId) + 1;
  if (number !== expected) throw wrongRemedy(expected, number);
  refuseOtherModel(store, remedy);
  const row = {
    research_study_id: researchStudyId,
    number,
    kind,
    from_round: fromRound,
    model_digest: modelDigest,
    envelope,
    accepted_at: isoTime(nowMs),
  };
  store.run(store.query.insertInto('remedy').values(row));
  return remedy;
}

/** Stops one site from being sent back to another model than the others. One that is not here yet is checked when it comes. */
function refuseOtherModel(store: Store, { researchStudyId, fromRound, modelDigest }: Remedy): void {
  const base = store.get(
    store.query
      .selectFrom('model_in_force')
      .select('model_digest')
      .where('research_study_id', '=', researchStudyId)
      .where('round', '=', fromRound - 1),
  );
  if (base === undefined || base.model_digest === modelDigest) return;
  throw new AgreementError('WRONG_BASE', 'The remedy goes back to another model than the one stored here.', {
    details: { expected: base.model_digest, found: modelDigest },
  });
}

/** Of a record that was made before a remedy that this site knows, or after one that it does not. */
export function wrongRemedy(expected: number, found: number): AgreementError {
  return new AgreementError('WRONG_REMEDY', 'The record is of before or after another remedy.', {
    details: { expected, found },
  });
}

export interface AcceptedRemedy {
  readonly number: number;
  /** The first round that it takes back. */
  readonly fromRound: number;
  /** Of the model of the round before, which counts again. */
  readonly modelDigest: string;
}

/** In order. */
export function listRemedies(store: Store, researchStudyId: string): AcceptedRemedy[] {
  const query = store.query.selectFrom('remedy').selectAll().where('research_study_id', '=', researchStudyId);
  return store.all(query.orderBy('number')).map((row) => ({
    number: row.number,
    fromRound: row.from_round,
    modelDigest: row.model_digest,
  }));
}

/** 0 before the first. */
export function lastRemedyNumber(store: Store, researchStudyId: string): number {
  return lastRemedy(store, researchStudyId)?.number ?? 0;
}

/** Whether no round follows any more. */
export function isRetired(store: Store, researchStudyId: string): boolean {
  return lastRemedy(store, researchStudyId)?.kind === 'retire-model';
}

/** Whether this site had asked to leave the research study by then: it answers no round that is opened afterwards, whatever the consortium does. */
export function hasLeft(store: Store, { plan }: AcceptedPlan, atTime: string): boolean {
  if (plan.withdrawal.remedy !== 'leave-study') return false;
  const requests = store.query
    .selectFrom('remedy_request')
    .select('requested_at')
    .where('research_study_id', '=', plan.researchStudyId);
  return store.get(requests.where('requested_at', '<=', atTime).limit(1)) !== undefined;
}

function lastRemedy(store: Store, researchStudyId: string): RemedyTable | undefined {
  const query = store.query.selectFrom('remedy').selectAll().where('research_study_id', '=', researchStudyId);
  return store.get(query.orderBy('number', 'desc').limit(1));
}
