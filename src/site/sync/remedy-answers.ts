// Takes over what the consortium answers to this site's requests for a remedy (security.md C11). A remedy that says it answers one must
// have it among its answers: else nobody asked for it here.
import { isCodedError } from '#base/coded-error.ts';
import { readUnverified, verifyRecord } from '#federation/records/record.ts';
import { remedyRecord } from '#federation/records/remedy.ts';
import { answerTo, type RemedyAnswer, remedyAnswerRecord } from '#federation/records/remedy-answer.ts';
import { PublishedError } from './published-error.ts';
import type { ExchangeContext } from './sync-context.ts';

/** @throws SyncError when the connection fails; RecordError; PublishedError MIXUP, WRONG_REMEDY. */
export async function takeOverAnswers(context: ExchangeContext): Promise<void> {
  const { store, client, agreement } = context;
  const waiting = store.query
    .selectFrom('remedy_request')
    .select('request_digest')
    .distinct()
    .where('sent_at', 'is not', null)
    .where('answer_outcome', 'is', null);
  for (const { request_digest: digest } of store.all(waiting)) {
    const envelope = await findAnswer(client, digest);
    if (envelope === undefined) continue;
    const atMs = store.clock.nowMs();
    const { predicate } = verifyRecord(remedyAnswerRecord, envelope, {
      trust: agreement.trustedKeys(),
      atMs,
    });
    if (predicate.requestDigest !== digest || predicate.siteId !== context.settings.siteId)
      throw new PublishedError('MIXUP', 'The answer is to another request.', {
        details: { expected: digest, found: predicate.requestDigest },
      });
    if (isRemedyHere(context, predicate)) save(context, predicate, envelope);
  }
}

/** Undefined while it waits. One that the consortium no longer knows must not keep all else of a sync from coming. */
async function findAnswer(
  client: ExchangeContext['client'],
  digest: string,
): Promise<Uint8Array | undefined> {
  try {
    return await client.getRemedyAnswer(digest);
  } catch (error) {
    if (isCodedError(error, 'NOT_FOUND')) return undefined;
    throw error;
  }
}

/** Whether the remedy that the answer names has it, false where it comes with the next sync. @throws PublishedError WRONG_REMEDY. */
function isRemedyHere({ store }: ExchangeContext, answer: RemedyAnswer): boolean {
  if (answer.outcome === 'dismissed' || answer.remedy === null) return true;
  const { researchStudyId, requestDigest, remedy: number, nonce } = answer;
  const remedies = store.query.selectFrom('remedy').select('envelope').where('number', '=', number);
  const found = store.get(remedies.where('research_study_id', '=', researchStudyId));
  if (found === undefined) return false;
  // It was verified when it was taken over.
  const { answers } = readUnverified(remedyRecord, found.envelope).predicate;
  if (nonce !== null && !answers.includes(answerTo(requestDigest, nonce)))
    throw new PublishedError('WRONG_REMEDY', 'The remedy does not answer this request.', {
      details: { expected: number, found: null },
    });
  return true;
}

function save({ store, auditLog, actor }: ExchangeContext, answer: RemedyAnswer, envelope: Uint8Array): void {
  const { researchStudyId, requestDigest, outcome } = answer;
  const reason = answer.outcome === 'dismissed' ? answer.reason : null;
  store.transaction(() => {
    const changed = store.query
      .updateTable('remedy_request')
      .set({ answer: envelope, answer_outcome: outcome, dismissal_reason: reason });
    store.run(changed.where('request_digest', '=', requestDigest));
    auditLog.append({
      actor: actor.name,
      role: actor.role,
      action: 'remedy-request-answered',
      object: `remedy-request:${requestDigest}`,
      researchStudyId,
      outcome: 'success',
      detail: { answer: outcome },
    });
  });
}
