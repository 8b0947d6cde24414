// Receipts that came in an offline bundle, each with the proof that it stands in the consortium's log, and what else the consortium says it holds.
import { CodedError } from '#base/coded-error.ts';
import type { Checkpoint } from '#federation/log/checkpoint.ts';
import { parseStrictJson } from '#federation/records/strict-json.ts';
import { badBundle } from '#federation/sync-contract/bundle-error.ts';
import {
  answerFile,
  HELD_FILE,
  heldOfSite,
  receiptProofFile,
} from '#federation/sync-contract/bundle-files.ts';
import type { Bundle } from '#federation/sync-contract/open-bundle.ts';
import {
  loadSeenCheckpoint,
  needsConsistency,
  saveSeenCheckpoint,
  verifyContinues,
  verifyReceipted,
} from './consortium-log-view.ts';
import { loadDeparted, storeReceipt, type WaitingUpdate } from './outbox.ts';
import { listWaitingRequests, recordRequest } from './remedy-requests.ts';
import { loadSentSize, saveSentSize } from './site-checkpoint.ts';
import type { ExchangeContext } from './sync-context.ts';

const MAX_RECEIPT_BYTES = 64 * 1024;
const MAX_JSON_BYTES = 4 * 1024 * 1024;
const receiptName = /^receipts\/([0-9a-f]{64})\.dsse$/;

export interface CarriedReceipts {
  /** Updates that the consortium holds, as this site learns now. */
  readonly received: string[];
  readonly refusals: CodedError[];
}

/** Takes the receipts of this site's updates that have none yet; one that is refused leaves its update waiting. */
export async function takeReceipts(context: ExchangeContext, bundle: Bundle): Promise<CarriedReceipts> {
  const received: string[] = [];
  const refusals: CodedError[] = [];
  for (const name of bundle.names) {
    const updateId = receiptName.exec(name)?.[1];
    const departed = updateId === undefined ? undefined : loadDeparted(context, updateId);
    if (updateId === undefined || departed === undefined) continue;
    try {
      await takeReceipt(context, bundle, departed);
      received.push(updateId);
    } catch (error) {
      if (!(error instanceof CodedError) || error.code === 'BUG') throw error;
      logRefusal(context, departed, error);
      refusals.push(error);
    }
  }
  return { received, refusals };
}

async function takeReceipt(context: ExchangeContext, bundle: Bundle, departed: WaitingUpdate): Promise<void> {
  const { store, agreement, settings } = context;
  const { update_id: updateId } = departed;
  const receipt = await bundle.find(answerFile('update', { bundleId: updateId }), MAX_RECEIPT_BYTES);
  const proof = await findJson(bundle, receiptProofFile(updateId));
  if (receipt === undefined || proof === undefined) throw badBundle('a receipt without its proof');
  const { rootPublicKey } = settings;
  const source = { trust: agreement.trustedKeys(), rootPublicKey, nowMs: store.clock.nowMs() };
  await extendView(context, verifyReceipted(proof, updateId, source));
  storeReceipt(context, departed, receipt);
}

/** A receipt is good under an older checkpoint than the newest one seen; a newer one must continue it. */
async function extendView({ store, client }: ExchangeContext, checkpoint: Checkpoint): Promise<void> {
  const seen = loadSeenCheckpoint(store);
  if (seen !== undefined && checkpoint.size < seen.size) return;
  if (needsConsistency(seen, checkpoint))
    verifyContinues(seen, checkpoint, await client.getLogConsistency(seen.size, checkpoint.size));
  store.transaction(() => saveSeenCheckpoint(store, checkpoint));
}

function logRefusal(
  { store, auditLog, actor }: ExchangeContext,
  departed: WaitingUpdate,
  { code }: CodedError,
): void {
  store.transaction(() =>
    auditLog.append({
      actor: actor.name,
      role: actor.role,
      action: 'receipt-refused',
      object: `update:${departed.update_id}`,
      researchStudyId: departed.research_study_id,
      round: departed.round,
      outcome: 'failed',
      reason: code,
    }),
  );
}

/** Learns which requests and which checkpoint have arrived: what the empty answers say online. @throws BundleError BAD_BUNDLE. */
export async function takeHeld(context: ExchangeContext, bundle: Bundle): Promise<void> {
  const { store, auditLog } = context;
  const held = heldOfSite.safeParse(await findJson(bundle, HELD_FILE));
  if (!held.success) throw badBundle('no list of what the consortium holds');
  const arrived = new Set(held.data.remedyRequests);
  for (const request of listWaitingRequests(context)) {
    if (arrived.has(request.request_digest)) recordRequest(context, request, null);
  }
  const { logSize } = held.data;
  // More than there is would be of a log that this site no longer has; the next online sync says so.
  if (logSize <= (loadSentSize(context) ?? 0) || logSize > auditLog.checkpoint().size) return;
  store.transaction(() => saveSentSize(context, logSize));
}

async function findJson(bundle: Bundle, name: string): Promise<unknown> {
  const bytes = await bundle.find(name, MAX_JSON_BYTES);
  return bytes === undefined ? undefined : parseStrictJson(bytes, { maxBytes: MAX_JSON_BYTES });
}
