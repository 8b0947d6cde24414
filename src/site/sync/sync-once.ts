// One sync: take over what the consortium published, send what stewards approved, show it this site's audit checkpoint.
import { isCodedError } from '#base/coded-error.ts';
import type { Agreement } from '#site/agreement/index.ts';
import type { Actor, AuditLog } from '#site/audit/index.ts';
import type { People } from '#site/people/index.ts';
import type { Transport } from '#site/ports.ts';
import type { Store } from '#site/store/index.ts';
import { createConsortiumClient } from './consortium-client.ts';
import { createHttpsExchange } from './https-exchange.ts';
import { type SentUpdate, sendOutbox } from './outbox.ts';
import { takeOverAnswers } from './remedy-answers.ts';
import { sendRemedyRequests } from './remedy-requests.ts';
import { sendSiteCheckpoint } from './site-checkpoint.ts';
import type { DepartureContext, ExchangeContext, SyncContext } from './sync-context.ts';
import { type ReceivedRecord, takeOver } from './take-over.ts';
import { createTraffic, saveTraffic } from './traffic.ts';

export interface SyncOptions {
  readonly store: Store;
  readonly auditLog: AuditLog;
  readonly people: People;
  readonly agreement: Agreement;
  readonly transport: Transport;
  readonly actor: Actor;
  readonly reevaluateConsent: DepartureContext['reevaluateConsent'];
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
  const { clock } = store;
  const exchange = createHttpsExchange({ transport, address: settings, signer, clock, traffic });
  const client = createConsortiumClient(exchange);
  const context: ExchangeContext & DepartureContext = {
    store,
    auditLog,
    agreement,
    settings,
    client,
    actor,
    reevaluateConsent,
  };
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
