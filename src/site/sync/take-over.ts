// Takes over what the consortium published, in the one order that lets each record be judged by those before it. Where the records come
// from - the consortium's server or a bundle that somebody carried - is the client's business.
import { CodedError } from '#base/coded-error.ts';
import type { ResearchStudySummaries } from '#federation/sync-contract/routes.ts';
import { isRetryable, SyncError, syncCodes } from '#federation/sync-contract/sync-error.ts';
import { fetchGlobalModels, latestStoredModel } from './global-models.ts';
import { PublishedError } from './published-error.ts';
import type { ExchangeContext } from './sync-context.ts';

export interface ReceivedRecord {
  readonly record: 'global-model' | 'plan' | 'remedy' | 'round' | 'trust-list';
  readonly researchStudyId: string | null;
  readonly round: number | null;
}

/**
 * Adds to `received` what is new. What one research study refuses does not stop the others; the refusals are given back.
 * @throws SyncError of an exchange that failed; AgreementError, RecordError of the trust list.
 */
export async function takeOver(context: ExchangeContext, received: ReceivedRecord[]): Promise<CodedError[]> {
  const { client, agreement, actor } = context;
  // First of all: everything after it is judged by these keys. One that is not newer must be the same (freeze, rollback).
  if (agreement.acceptTrustList(await client.getTrustList(), actor)) {
    received.push({ record: 'trust-list', researchStudyId: null, round: null });
  }
  const refusals: CodedError[] = [];
  for (const status of await client.listResearchStudies()) {
    try {
      await takeOverResearchStudy(context, status, received);
    } catch (error) {
      if (!(error instanceof CodedError) || error.code === 'BUG' || isFailedExchange(error)) throw error;
      refusals.push(error);
    }
  }
  return refusals;
}

/** Nothing else will come through either. */
function isFailedExchange(error: CodedError): boolean {
  return error instanceof SyncError && (isRetryable(error.code) || syncCodes[error.code].status === null);
}

async function takeOverResearchStudy(
  context: ExchangeContext,
  status: ResearchStudySummaries[number],
  received: ReceivedRecord[],
): Promise<void> {
  const { client, agreement, actor } = context;
  const { researchStudyId } = status;
  // Before the plan, where one was accepted: a later version that is refused keeps no patient's remedy waiting.
  const isKnown = agreement
    .listResearchStudies()
    .some(({ plan }) => plan.researchStudyId === researchStudyId);
  if (isKnown) await takeOverRemedies(context, status, received);
  const plan = agreement.acceptPlan(await client.getPlan(researchStudyId), actor);
  requireSame(researchStudyId, plan.plan.researchStudyId);
  if (plan.isNew) received.push({ record: 'plan', researchStudyId, round: null });
  if (!isKnown) await takeOverRemedies(context, status, received);
  await takeOverModels(context, { researchStudyId, latestRound: status.latestModelRound }, received);
  const envelope = await client.getOpenRound(researchStudyId);
  if (envelope === undefined) return;
  const { round, isNew } = agreement.acceptRound(envelope, actor);
  requireSame(researchStudyId, round.researchStudyId);
  if (isNew) received.push({ record: 'round', researchStudyId, round: round.round });
  // A round that was opened a moment ago starts from a model that the status above did not name yet.
  const latest = latestStoredModel(context, researchStudyId)?.round ?? -1;
  if (round.round - 1 > latest) {
    await takeOverModels(context, { researchStudyId, latestRound: round.round - 1 }, received);
  }
}

/** Stops a true record of another research study from being taken for the one that was asked for. */
function requireSame(expected: string, found: string): void {
  if (expected === found) return;
  throw new PublishedError('MIXUP', 'The consortium answered with a record of another research study.', {
    details: { expected, found },
  });
}

/** Before models and rounds: these are judged by what the remedies have taken back. */
async function takeOverRemedies(
  { client, agreement, actor }: ExchangeContext,
  { researchStudyId, remedy: latest }: ResearchStudySummaries[number],
  received: ReceivedRecord[],
): Promise<void> {
  const known = agreement.remedies(researchStudyId).length;
  // Stops models that were taken back from coming in again under an older count.
  if (latest < known) {
    throw new PublishedError('ROLLBACK', 'The consortium names an older remedy as its latest.', {
      details: { expected: known, found: latest },
    });
  }
  for (let number = known + 1; number <= latest; number += 1) {
    const remedy = agreement.acceptRemedy(await client.getRemedy(researchStudyId, number), actor);
    requireSame(researchStudyId, remedy.researchStudyId);
    received.push({ record: 'remedy', researchStudyId, round: remedy.fromRound });
  }
}

async function takeOverModels(
  context: ExchangeContext,
  { researchStudyId, latestRound }: { readonly researchStudyId: string; readonly latestRound: number },
  received: ReceivedRecord[],
): Promise<void> {
  for (const round of await fetchGlobalModels(context, researchStudyId, latestRound)) {
    received.push({ record: 'global-model', researchStudyId, round });
  }
}
