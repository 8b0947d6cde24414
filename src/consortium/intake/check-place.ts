// Whether an update belongs to the round that is open: research study, plan, round, attempt, base, participant (E5, E6).
import type { PublishedPlan } from '#consortium/publish/index.ts';
import type { ModelUpdate } from '#federation/records/model-update.ts';
import type { RoundOpening } from '#federation/records/round.ts';
import { refusal } from './intake-error.ts';

export interface OpenPlace {
  readonly published: PublishedPlan;
  readonly opening: RoundOpening;
}

/** @throws IntakeError NOT_A_PARTICIPANT, WRONG_PLAN, STALE_ROUND, WRONG_BASE. */
export function verifyPlace(update: ModelUpdate, { published, opening }: OpenPlace, nowMs: number): void {
  if (!opening.participants.includes(update.siteId)) {
    throw refusal('NOT_A_PARTICIPANT', 'siteId', { expected: opening.participants, found: update.siteId });
  }
  // Stops an update of one round from being counted in another, and one of an abandoned attempt in the next.
  if (update.round !== opening.round)
    throw refusal('STALE_ROUND', 'round', { expected: opening.round, found: update.round });
  if (update.attempt !== opening.attempt) {
    throw refusal('STALE_ROUND', 'attempt', { expected: opening.attempt, found: update.attempt });
  }
  if (nowMs >= Date.parse(opening.closesAt)) {
    throw refusal('STALE_ROUND', 'closesAt', {
      expected: opening.closesAt,
      found: new Date(nowMs).toISOString(),
    });
  }
  // Rules that the site trained under must be the rules it is counted under.
  if (update.planDigest !== opening.planDigest || update.planDigest !== published.planDigest) {
    throw refusal('WRONG_PLAN', 'planDigest', { expected: published.planDigest, found: update.planDigest });
  }
  // A delta added to another model than it was made from is noise at best.
  if (update.baseModelDigest !== opening.baseModelDigest) {
    throw refusal('WRONG_BASE', 'baseModelDigest', {
      expected: opening.baseModelDigest,
      found: update.baseModelDigest,
    });
  }
}
