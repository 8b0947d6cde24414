// What must hold at the moment an update leaves: its round is open, and the consents are those of the freeze (C9, E5, E8).
// Asked when it is sealed, and again when its bytes go out: days may lie between.
import type { ModelUpdate } from '#federation/records/model-update.ts';
import type { Agreement } from '#site/agreement/index.ts';
import type { Store } from '#site/store/index.ts';
import { SigningError } from './signing-error.ts';

/** What consent gives at this moment for the cohort that an update was made from. */
export interface ConsentSnapshot {
  readonly consentSnapshotDigest: string;
  readonly cohortDigest: string;
}

/**
 * Stops the data of a patient who withdrew after the freeze from leaving (C9).
 * @throws SigningError CONSENT_CHANGED.
 */
export function refuseChangedConsent(update: ModelUpdate, now: ConsentSnapshot): void {
  const isSame =
    now.consentSnapshotDigest === update.consentSnapshotDigest && now.cohortDigest === update.cohortDigest;
  if (!isSame) throw consentChanged(update.consentSnapshotDigest, now.consentSnapshotDigest);
}

/** Stops what is still being computed with a patient who was erased meanwhile from being kept. @throws SigningError CONSENT_CHANGED. */
export function refuseErasedMembers(store: Store, cohortId: string): void {
  const query = store.query.selectFrom('cohort').select(['erased_training', 'erased_holdout']);
  const cohort = store.get(query.where('cohort_id', '=', cohortId));
  const erased = (cohort?.erased_training ?? 0) + (cohort?.erased_holdout ?? 0);
  if (erased > 0) throw consentChanged('every member of the cohort', 'an erased one');
}

/** Stops an update that a withdrawal emptied: what it was made of is erased. @throws SigningError CONSENT_CHANGED. */
export function refuseErased(payload: Uint8Array): void {
  if (payload.length === 0) throw consentChanged('a payload', 'erased');
}

function consentChanged(expected: string, found: string): SigningError {
  return new SigningError(
    'CONSENT_CHANGED',
    'Consent has changed since the cohort was frozen; run the round again.',
    { details: { expected, found } },
  );
}

/**
 * Stops an update from leaving for a round, plan or recipient it was not made for (E5, E8).
 * @throws SigningError STALE_ROUND.
 */
export function refuseStaleRound(agreement: Agreement, update: ModelUpdate): void {
  const round = agreement.openRound(update.researchStudyId);
  const isOpen =
    round !== undefined &&
    round.round === update.round &&
    round.attempt === update.attempt &&
    round.planDigest === update.planDigest &&
    round.baseModelDigest === update.baseModelDigest &&
    round.recipientKeyId === update.recipientKeyId;
  if (isOpen) return;
  throw new SigningError('STALE_ROUND', 'The round that this update was made for is not open.', {
    details: {
      expected: { round: update.round, attempt: update.attempt },
      found: round === undefined ? null : { round: round.round, attempt: round.attempt },
    },
  });
}
