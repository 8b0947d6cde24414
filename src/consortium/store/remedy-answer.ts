// Signs the consortium's answer to a request for a remedy, beside the request, for the site that asked.
import { isoTime } from '#base/clock.ts';
import { encodeStatement, signStatement } from '#federation/records/record.ts';
import { type RemedyAnswer, remedyAnswerRecord } from '#federation/records/remedy-answer.ts';
import type { RemedyRequestRow } from './consortium-schema.ts';
import type { Foundation } from './foundation.ts';

type Outcome =
  | Pick<Extract<RemedyAnswer, { outcome: 'carried-out' }>, 'outcome' | 'remedy' | 'nonce'>
  | Pick<Extract<RemedyAnswer, { outcome: 'dismissed' }>, 'outcome' | 'reason'>;

/** Belongs into the caller's transaction. */
export function signAnswer(
  { store, signers }: Foundation,
  request: Pick<RemedyRequestRow, 'request_digest' | 'research_study_id' | 'site_id'>,
  outcome: Outcome,
): void {
  const { request_digest: requestDigest, research_study_id: researchStudyId, site_id: siteId } = request;
  const predicate: RemedyAnswer = {
    ...{ researchStudyId, siteId, requestDigest },
    answeredAt: isoTime(store.clock.nowMs()),
    ...outcome,
  };
  const answer = signStatement(encodeStatement(remedyAnswerRecord, { predicate }), [signers.model]);
  const changed = store.query.updateTable('remedy_request').set({ answer });
  store.run(changed.where('request_digest', '=', requestDigest));
}
