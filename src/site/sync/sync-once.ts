// One sync: take over what the consortium published, send what stewards approved, show it this site's audit checkpoint.
import { CodedError, isCodedError } from '#base/coded-error.ts';
import type { ResearchStudySummaries } from '#federation/sync-contract/routes.ts';
import { isRetryable, SyncError, syncCodes } from '#federation/sync-contract/sync-error.ts';
import type { Agreement } from '#site/agreement/index.ts';
import type { Actor, AuditLog } from '#site/audit/index.ts';
import type { People } from '#site/people/index.ts';
import type { Transport } from '#site/ports.ts';
import type { Store } from '#site/store/index.ts';
import { createConsortiumClient } from './consortium-client.ts';
import { fetchGlobalModels, latestStoredModel } from './global-models.ts';
import { type SentUpdate, sendOutbox } from './outbox.ts';
import { PublishedError } from './published-error.ts';
import { takeOverAnswers } from './remedy-answers.ts';
import { sendRemedyRequests } from './remedy-requests.ts';
import { sendSiteCheckpoint } from './site-checkpoint.ts';
import type { SyncContext } from './sync-context.ts';
import { createTraffic, saveTraffic } from './traffic.ts';

export interface SyncOptions {
  readonly store: Store;
  readonly auditLog: AuditLog;
  readonly people: People;
  readonly agreement: Agreement;
  readonly transport: Transport;
  readonly actor: Actor;
  readonly reevaluateConsent: SyncContext['reevaluateConsent'];
}

export interface ReceivedRecord {
  readonly record: 'global-model' | 'plan' | 'remedy' | 'round' | 'trust-list';
  readonly researchStudyId: string | null;
  readonly round: number | null;
}

/** Shape of `syncResult` in the site contract. */
export interface SyncResult {
  received: ReceivedRecord[];
  sent: SentUpdate[];
  /** By kind: update, log-checkpoint, request (signed request lines and header fields). */
  bytesSent: Record<string, number>;
  bytesReceived: number;
}

/**
 * Syncs once. What one research study refuses does not stop the others or the outbox; the first refusal is thrown at the end.
 * @throws AgreementError NOT_ENROLLED; SyncError and refusals of the records that came.
 */
export async function syncOnce(options: SyncOptions): Promise<SyncResult> {
  const { store, auditLog, agreement, people, transport, actor, reevaluateConsent } = options;
  const settings = agreement.requireSettings();
  const traffic = createTraffic();
  const signer = people.siteSigner();
  const client = createConsortiumClient({
    transport,
    address: settings,
    signer,
    clock: store.clock,
    traffic,
  });
  const context: SyncContext = { store, auditLog, agreement, settings, client, actor, reevaluateConsent };
  const received: ReceivedRecord[] = [];
  try {
    const refusals = await takeOver(context, received);
    const sent = await sendOutbox(context);
    // After the updates: the consortium takes back what it holds.
    await sendRemedyRequests(context);
    await takeOverAnswers(context);
    await sendSiteCheckpoint(context);
    const [refusal] = refusals;
    if (refusal !== undefined) throw refusal;
    const totals = traffic.totals();
    return { received, sent, bytesSent: { ...totals.sent }, bytesReceived: totals.received };
  } catch (error) {
    if (isCodedError(error, 'CERTIFICATE_MISMATCH')) recordForeignServer(context);
    throw error;
  } finally {
    saveTraffic(store, traffic.totals());
  }
}

/** Somebody else answers in the consortium's place (man in the middle): the log must tell, though nothing was sent. */
function recordForeignServer({ store, auditLog, actor }: SyncContext): void {
  store.transaction(() =>
    auditLog.append({
      actor: actor.name,
      role: actor.role,
      action: 'action-refused',
      object: 'sync',
      outcome: 'refused',
      reason: 'CERTIFICATE_MISMATCH',
    }),
  );
}

async function takeOver(context: SyncContext, received: ReceivedRecord[]): Promise<CodedError[]> {
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
  context: SyncContext,
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
  { client, agreement, actor }: SyncContext,
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
  context: SyncContext,
  { researchStudyId, latestRound }: { readonly researchStudyId: string; readonly latestRound: number },
  received: ReceivedRecord[],
): Promise<void> {
  for (const round of await fetchGlobalModels(context, researchStudyId, latestRound)) {
    received.push({ record: 'global-model', researchStudyId, round });
  }
}
