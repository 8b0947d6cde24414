// The operator dismisses a site's request for a remedy, and says why: the site is told, and rounds go on (docs/adr/0023).
import { isoTime } from '#base/clock.ts';
import type { Foundation } from '#consortium/store/index.ts';
import { signAnswer } from '#consortium/store/index.ts';
import { pendingRequests } from './remedies.ts';
import { RoundError } from './round-error.ts';

export interface RemedyDismissal {
  readonly researchStudyId: string;
  readonly requestDigest: string;
  /** For the site's people. */
  readonly reason: string;
}

/** @throws RoundError REMEDY_REQUEST_UNKNOWN. */
export function dismissRemedy(
  foundation: Foundation,
  { researchStudyId, requestDigest, reason }: RemedyDismissal,
) {
  const { store, log } = foundation;
  return store.transaction(() => {
    const request = pendingRequests(store, researchStudyId).find(
      (one) => one.request_digest === requestDigest,
    );
    if (request === undefined)
      throw new RoundError('REMEDY_REQUEST_UNKNOWN', 'No such request waits in this research study.');
    const dismissedAt = isoTime(store.clock.nowMs());
    signAnswer(foundation, request, { outcome: 'dismissed', reason });
    store.run(
      store.query
        .updateTable('remedy_request')
        .set({ dismissed_at: dismissedAt })
        .where('request_digest', '=', requestDigest),
    );
    log.append({
      actor: 'operator',
      action: 'remedy-dismissed',
      outcome: 'success',
      object: `remedy-request:${requestDigest}`,
      researchStudyId,
      detail: { reason },
    });
    log.checkpoint();
    return { researchStudyId, requestDigest, siteId: request.site_id, dismissedAt };
  });
}
export type DismissedRemedy = ReturnType<typeof dismissRemedy>;
