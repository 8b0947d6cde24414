// Sends the requests for a plan's remedy that wait here. They say rounds and nothing of the patient (security.md C11).
import { isoTime } from '#base/clock.ts';
import { isRetryable, SyncError, syncCodes } from '#federation/sync-contract/sync-error.ts';
import type { RemedyRequestTable } from '#site/store/index.ts';
import type { ExchangeContext, SyncContext } from './sync-context.ts';

/**
 * Oldest first. One that the consortium refuses for good is not sent again.
 * @throws SyncError when the connection fails; the next sync sends it.
 */
export async function sendRemedyRequests(context: ExchangeContext): Promise<void> {
  for (const request of listWaitingRequests(context)) {
    try {
      await context.client.postRemedyRequest(request.envelope);
      recordRequest(context, request, null);
    } catch (error) {
      if (!(error instanceof SyncError) || isRetryable(error.code) || syncCodes[error.code].status === null)
        throw error;
      recordRequest(context, request, error.code);
    }
  }
}

/** Requests that nobody has said to hold yet, oldest first. */
export function listWaitingRequests({ store }: SyncContext): RemedyRequestTable[] {
  const requests = store.query.selectFrom('remedy_request').selectAll().where('sent_at', 'is', null);
  const rows = store.all(requests.where('refused_code', 'is', null).orderBy('requested_at'));
  // One may stand for several subjects: it goes out once.
  return rows.filter(
    (row, at) => rows.findIndex(({ request_digest: digest }) => digest === row.request_digest) === at,
  );
}

/** Records that the consortium holds a request, or refuses it for good. */
export function recordRequest(
  { store, auditLog, actor }: SyncContext,
  request: RemedyRequestTable,
  refusedCode: string | null,
): void {
  const { request_digest: digest, research_study_id: researchStudyId } = request;
  const sentAt = refusedCode === null ? isoTime(store.clock.nowMs()) : null;
  store.transaction(() => {
    const changed = store.query
      .updateTable('remedy_request')
      .set({ sent_at: sentAt, refused_code: refusedCode });
    store.run(changed.where('request_digest', '=', digest));
    auditLog.append({
      actor: actor.name,
      role: actor.role,
      action: 'remedy-request-sent',
      object: `remedy-request:${digest}`,
      researchStudyId,
      ...(refusedCode === null ? { outcome: 'success' } : { outcome: 'refused', reason: refusedCode }),
    });
  });
}
