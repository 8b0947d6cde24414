// Closes a round: aggregate, signed model, log entry, checkpoint and the round's end in one transaction. A kill at any moment
// leaves either the open round with all it received or the closed one.

import { BugError } from '#base/coded-error.ts';
import { aggregateUpdates, listReceivedUpdates } from '#consortium/aggregate/index.ts';
import type { SignedTrust } from '#consortium/enrolment/index.ts';
import { findModel, findPlan, publishModel } from '#consortium/publish/index.ts';
import type { Foundation, RoundRow } from '#consortium/store/index.ts';
import { verifyRecord } from '#federation/records/record.ts';
import { type RoundKind, type RoundOpening, roundRecord } from '#federation/records/round.ts';
import { endRound, findOpenRound } from './open-round.ts';
import { RoundError } from './round-error.ts';

export interface ClosedRound {
  readonly researchStudyId: string;
  readonly round: number;
  readonly attempt: number;
  readonly kind: RoundKind;
  readonly modelDigest: string;
  readonly included: readonly string[];
}

/** What the opening of a stored round says, verified. */
export function readOpening(row: RoundRow, trust: SignedTrust): RoundOpening {
  const atMs = Date.parse(row.opened_at);
  return verifyRecord(roundRecord, row.envelope, { trust: trust.keys, atMs }).predicate;
}

/** Closes the open round when every participant's update is in; undefined while one is missing or none is open. */
export function closeCompleteRound(
  foundation: Foundation,
  trust: SignedTrust,
  researchStudyId: string,
): ClosedRound | undefined {
  const { store } = foundation;
  return store.transaction(() => {
    const row = findOpenRound(store, researchStudyId);
    if (row === undefined) return undefined;
    const opening = readOpening(row, trust);
    const received = new Set(listReceivedUpdates(store, row).map(({ site_id: siteId }) => siteId));
    if (!opening.participants.every((siteId) => received.has(siteId))) return undefined;
    return close(foundation, trust, { row, opening, actor: 'system' });
  });
}

/**
 * Closes the open round on the operator's word with the updates that are there.
 * @throws RoundError NO_ROUND_OPEN, TOO_FEW_UPDATES.
 */
export function closeRoundEarly(
  foundation: Foundation,
  trust: SignedTrust,
  researchStudyId: string,
): ClosedRound {
  const { store } = foundation;
  return store.transaction(() => {
    const row = findOpenRound(store, researchStudyId);
    if (row === undefined) throw new RoundError('NO_ROUND_OPEN', 'No round of this research study is open.');
    const opening = readOpening(row, trust);
    const found = listReceivedUpdates(store, row).length;
    // A model made of one site's update alone would hand that update to all others.
    const expected = Math.min(2, opening.participants.length);
    if (found < expected) {
      throw new RoundError('TOO_FEW_UPDATES', 'Too few updates are in to close the round.', {
        details: { expected, found },
      });
    }
    return close(foundation, trust, { row, opening, actor: 'operator' });
  });
}

interface Closing {
  readonly row: RoundRow;
  readonly opening: RoundOpening;
  readonly actor: 'system' | 'operator';
}

function close(foundation: Foundation, trust: SignedTrust, { row, opening, actor }: Closing): ClosedRound {
  const { store, log } = foundation;
  const { researchStudyId, round, attempt, remedy, kind, baseModelDigest } = opening;
  const base = findModel(store, researchStudyId, round - 1);
  if (base === undefined || base.model_digest !== baseModelDigest)
    throw new BugError('the base of an open round is not there');
  const published = findPlan(store, trust, researchStudyId);
  if (published === undefined) throw new BugError('the plan of an open round is not there');
  const { plan } = published;
  const updates = listReceivedUpdates(store, row);
  const { included, ...aggregate } = aggregateUpdates({ kind, base: base.tensors, plan }, updates);
  const modelDigest = publishModel(foundation, {
    researchStudyId,
    planDigest: opening.planDigest,
    round,
    attempt,
    remedy,
    kind,
    baseModelDigest,
    included,
    ...aggregate,
  });
  endRound(store, row, 'closed');
  const sites = included.map(({ siteId }) => siteId);
  log.append({
    actor,
    action: 'round-closed',
    outcome: 'success',
    researchStudyId,
    round,
    detail: { attempt, kind, modelDigest },
  });
  log.checkpoint();
  return { researchStudyId, round, attempt, kind, modelDigest, included: sites };
}
