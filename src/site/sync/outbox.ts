// Offers each sealed update to the consortium until it holds it. Sending twice is harmless: intake counts by digest (E4).
// Before its bytes leave, consent and round are asked once more: hours without a network may lie after the sealing (C9).
import { isoTime } from '#base/clock.ts';
import { CodedError } from '#base/coded-error.ts';
import { modelUpdateRecord } from '#federation/records/model-update.ts';
import { receiptRecord } from '#federation/records/receipt.ts';
import { verifyRecord } from '#federation/records/record.ts';
import { isRetryable, isSyncCode, SyncError, syncCodes } from '#federation/sync-contract/sync-error.ts';
import type { AuditEvent, Json } from '#site/audit/index.ts';
import { refuseChangedConsent, refuseStaleRound } from '#site/signing/index.ts';
import { PublishedError } from './published-error.ts';
import type { DepartureContext, ExchangeContext, SyncContext } from './sync-context.ts';

export interface SentUpdate {
  readonly updateId: string;
  /** `retry`: the next sync offers it again. `refused`: it will not be sent any more. */
  readonly outcome: 'received' | 'retry' | 'refused';
  readonly code: string | null;
  readonly bytes: number;
}

/** A sealed update that nobody has said to hold yet. */
export interface WaitingUpdate {
  readonly update_id: string;
  readonly research_study_id: string;
  readonly round: number;
  readonly attempt_count: number;
  readonly last_code: string | null;
  readonly sealed_file: Uint8Array;
  readonly envelope: Uint8Array;
  readonly built_at: string;
}

/** How an update leaves. */
export type Carrier = 'https' | 'media';

/** In place of the code of a failed try: the last copy left on a medium, which may never arrive. */
const ON_MEDIA = 'ON_MEDIA';

/** Sends what waits, oldest first; stops at the first connection that fails. */
export async function sendOutbox(context: ExchangeContext & DepartureContext): Promise<SentUpdate[]> {
  const sent: SentUpdate[] = [];
  for (const updateId of listWaiting(context)) {
    const waiting = loadWaiting(context, updateId);
    if (waiting === undefined) continue;
    const result = await sendUpdate(context, waiting);
    sent.push(result);
    if (result.outcome === 'retry') break;
  }
  return sent;
}

/** Ids, oldest first. */
export function listWaiting({ store }: SyncContext): string[] {
  const query = store.query
    .selectFrom('outbox')
    .innerJoin('model_update', 'model_update.update_id', 'outbox.update_id')
    .select('outbox.update_id')
    .where('model_update.state', '=', 'sealed')
    .orderBy('outbox.sealed_at')
    .orderBy('outbox.update_id');
  return store.all(query).map((row) => row.update_id);
}

export function loadWaiting(context: SyncContext, updateId: string): WaitingUpdate | undefined {
  return context.store.get(outboxRow(context, updateId).where('model_update.state', '=', 'sealed'));
}

/** One that left and has no receipt: also where its next departure was refused since. */
export function loadDeparted(context: SyncContext, updateId: string): WaitingUpdate | undefined {
  const departed = outboxRow(context, updateId).where('outbox.attempt_count', '>', 0);
  return context.store.get(departed.where('outbox.received_at', 'is', null));
}

function outboxRow({ store }: SyncContext, updateId: string) {
  return store.query
    .selectFrom('outbox')
    .innerJoin('model_update', 'model_update.update_id', 'outbox.update_id')
    .select([
      'outbox.update_id',
      'model_update.research_study_id',
      'model_update.round',
      'outbox.attempt_count',
      'outbox.last_code',
      'outbox.sealed_file',
      'model_update.envelope',
      'model_update.built_at',
    ])
    .where('outbox.update_id', '=', updateId);
}

async function sendUpdate(
  context: ExchangeContext & DepartureContext,
  waiting: WaitingUpdate,
): Promise<SentUpdate> {
  const { update_id: updateId, sealed_file: sealedFile } = waiting;
  const bytes = sealedFile.length;
  const refusal = beginDeparture(context, waiting, 'https');
  if (refusal !== undefined) return { updateId, outcome: 'refused', code: refusal.code, bytes: 0 };
  try {
    // The bundle's id is the update's: sealing names it so.
    const receipt = await context.client.putUpdate(updateId, sealedFile);
    storeReceipt(context, waiting, receipt);
    return { updateId, outcome: 'received', code: null, bytes };
  } catch (error) {
    if (!(error instanceof CodedError) || error.code === 'BUG') throw error;
    const outcome = storeFailure(context, waiting, error);
    return { updateId, outcome, code: error.code, bytes };
  }
}

/** Checks and records a try in one transaction; an update that may not leave any more is blocked, and the refusal given back. */
export function beginDeparture(
  context: DepartureContext,
  waiting: WaitingUpdate,
  carrier: Carrier,
): CodedError | undefined {
  const { store } = context;
  try {
    store.transaction(() => {
      if (!mayHaveArrived(waiting)) checkDeparture(context, waiting, carrier);
      recordAttempt(context, waiting, carrier);
    });
    return undefined;
  } catch (error) {
    if (!(error instanceof CodedError) || error.code === 'BUG') throw error;
    const { code: reason, details } = error;
    store.transaction(() => {
      setState(context, waiting, 'blocked');
      log(context, waiting, {
        action: 'update-blocked',
        outcome: 'refused',
        reason,
        detail: details as Json,
      });
    });
    return error;
  }
}

/**
 * Whether the consortium may hold the update already: sending it again then discloses nothing and brings the receipt. It does
 * not where nothing was sent, or where the last answer says that nothing was taken.
 */
function mayHaveArrived({ attempt_count: attempts, last_code: code }: WaitingUpdate): boolean {
  if (attempts === 0) return false;
  // A medium that lies in a drawer discloses nothing: before another copy leaves, consent is asked again.
  if (code === ON_MEDIA) return false;
  // No answer at all: the process died while it was sending.
  if (code === null || !isSyncCode(code)) return true;
  return code !== 'CERTIFICATE_MISMATCH' && syncCodes[code].retry !== 'transient';
}

/**
 * Stops what was sealed before a withdrawal, or for a round that is over, from leaving in a later sync.
 * @throws SigningError CONSENT_CHANGED, STALE_ROUND; AgreementError, RecordError, CohortError.
 */
function checkDeparture(context: DepartureContext, waiting: WaitingUpdate, carrier: Carrier): void {
  const { agreement, settings, reevaluateConsent } = context;
  const { predicate: update } = verifyRecord(modelUpdateRecord, waiting.envelope, {
    trust: agreement.trustedKeys(),
    atMs: Date.parse(waiting.built_at),
    siteId: settings.siteId,
  });
  // A copy on a medium may have arrived in time, and the round been closed with it: online its receipt is worth asking for. To another
  // medium nothing answers; a receipt comes by itself.
  if (carrier === 'media' || waiting.last_code !== ON_MEDIA) refuseStaleRound(agreement, update);
  refuseChangedConsent(update, reevaluateConsent(waiting.update_id));
}

/** Before the bytes leave: no disclosure without its entry, also when the process dies while sending (A2). */
function recordAttempt(context: SyncContext, waiting: WaitingUpdate, carrier: Carrier): void {
  const { store } = context;
  const attempt = {
    attempt_count: waiting.attempt_count + 1,
    ...(carrier === 'media' ? { last_code: ON_MEDIA } : {}),
  };
  store.run(store.query.updateTable('outbox').set(attempt).where('update_id', '=', waiting.update_id));
  if (waiting.attempt_count > 0) return;
  const { consortium } = context.settings;
  const detail = { bytes: waiting.sealed_file.length, consortium, carrier };
  log(context, waiting, { action: 'update-sent', outcome: 'success', detail });
}

/** @throws RecordError, PublishedError RECEIPT_MISMATCH: an answer that is no receipt of this update leaves it waiting. */
export function storeReceipt(context: SyncContext, waiting: WaitingUpdate, envelope: Uint8Array): void {
  const { store, agreement, settings } = context;
  const nowMs = store.clock.nowMs();
  const { predicate } = verifyRecord(receiptRecord, envelope, {
    trust: agreement.trustedKeys(),
    atMs: nowMs,
  });
  const isOurs =
    predicate.updateDigest === waiting.update_id &&
    predicate.siteId === settings.siteId &&
    predicate.researchStudyId === waiting.research_study_id &&
    predicate.round === waiting.round;
  if (!isOurs) {
    throw new PublishedError('RECEIPT_MISMATCH', 'The receipt is of another update.', {
      details: { expected: waiting.update_id, found: predicate.updateDigest },
    });
  }
  store.transaction(() => {
    const received = { receipt: envelope, received_at: isoTime(nowMs), last_code: null };
    store.run(store.query.updateTable('outbox').set(received).where('update_id', '=', waiting.update_id));
    setState(context, waiting, 'received');
    log(context, waiting, { action: 'receipt-received', outcome: 'success' });
  });
}

/** Keeps the update for the next sync, or ends it where the consortium's table says that no repetition helps. */
function storeFailure(context: SyncContext, waiting: WaitingUpdate, error: CodedError): 'refused' | 'retry' {
  const { store } = context;
  const { code } = error;
  const outcome = isFinal(error) ? 'refused' : 'retry';
  store.transaction(() => {
    const failed = store.query.updateTable('outbox').set({ last_code: code });
    store.run(failed.where('update_id', '=', waiting.update_id));
    if (outcome === 'refused') {
      setState(context, waiting, 'blocked');
      log(context, waiting, { action: 'send-refused', outcome: 'refused', reason: code });
    } else if (code !== waiting.last_code) {
      // Once for each cause, not once for each minute without a network.
      const action = error instanceof SyncError ? 'send-failed' : 'receipt-refused';
      log(context, waiting, { action, outcome: 'failed', reason: code });
    }
  });
  return outcome;
}

/** The consortium itself said that it will not take this update. What happened on the way there is no word of its. */
function isFinal(error: CodedError): boolean {
  return error instanceof SyncError && syncCodes[error.code].status !== null && !isRetryable(error.code);
}

function setState({ store }: SyncContext, waiting: WaitingUpdate, state: 'blocked' | 'received'): void {
  store.run(
    store.query.updateTable('model_update').set({ state }).where('update_id', '=', waiting.update_id),
  );
}

function log(
  { auditLog, actor }: SyncContext,
  waiting: WaitingUpdate,
  event: Pick<AuditEvent, 'action' | 'outcome' | 'reason' | 'detail'>,
): void {
  auditLog.append({
    actor: actor.name,
    role: actor.role,
    object: `update:${waiting.update_id}`,
    researchStudyId: waiting.research_study_id,
    round: waiting.round,
    ...event,
  });
}
