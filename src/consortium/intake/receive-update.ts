// Takes a sealed update: verified, of the open round, within the plan, counted once. What is stored, its log entry and its
// receipt come to be in one transaction; every refusal leaves a log entry and nothing else.

import { isoTime } from '#base/clock.ts';
import { BugError, CodedError } from '#base/coded-error.ts';
import type { SignedTrust } from '#consortium/enrolment/index.ts';
import { findModel, findPlan } from '#consortium/publish/index.ts';
import { findOpenRound, readOpening } from '#consortium/rounds/index.ts';
import type { ConsortiumStore, Foundation, ReceivedUpdateRow } from '#consortium/store/index.ts';
import type { ModelUpdate } from '#federation/records/model-update.ts';
import { type Receipt, receiptRecord } from '#federation/records/receipt.ts';
import { encodeStatement, signStatement } from '#federation/records/record.ts';
import { type OpenedUpdate, openSealedUpdate, verifyApprovals } from '#federation/records/sealed-update.ts';
import { type OpenPlace, verifyPlace } from './check-place.ts';
import { verifyPolicy } from './check-policy.ts';
import { verifyPrivacy } from './check-privacy.ts';
import { refuseFork, refuseShorter, statedSize } from './held-log.ts';
import { refusal } from './intake-error.ts';

export interface SentUpdate {
  /** The site that signed the request. */
  readonly siteId: string;
  /** The name that it was sent under. */
  readonly bundleId: string;
  /** The sealed file. */
  readonly file: Uint8Array;
}

export interface ReceivedUpdate {
  /** DSSE; the same bytes for the same update, however often it comes. */
  readonly receipt: Uint8Array;
  readonly researchStudyId: string;
  /** Whether the update was known already: it counts once. */
  readonly isReplay: boolean;
}

/**
 * Receives an update, or refuses it.
 * @throws SealedUpdateError, CryptoError BAD_KEY, IntakeError, TensorError BAD_TENSORS.
 */
export async function receiveUpdate(
  foundation: Foundation,
  trust: SignedTrust,
  sent: SentUpdate,
): Promise<ReceivedUpdate> {
  const { store, signers } = foundation;
  let opened: OpenedUpdate | undefined;
  try {
    const atMs = store.clock.nowMs();
    const file = await openSealedUpdate({
      file: sent.file,
      receivingKey: signers.receiving,
      trust: trust.keys,
      atMs,
    });
    opened = file;
    requireOwn(file, sent);
    return store.transaction(() => accept(foundation, trust, { ...sent, opened: file }));
  } catch (error) {
    if (error instanceof CodedError && !(error instanceof BugError))
      logRefusal(foundation, sent, { opened, error });
    throw error;
  }
}

interface OpenedSending extends SentUpdate {
  readonly opened: OpenedUpdate;
}

/** Stops a site from handing in what another one signed, and a file from being filed under a name it was not made for (E6). */
function requireOwn({ header }: OpenedUpdate, { siteId, bundleId }: SentUpdate): void {
  if (header.siteId !== siteId) throw refusal('MIXUP', 'siteId', { expected: siteId, found: header.siteId });
  if (header.bundleId !== bundleId)
    throw refusal('MIXUP', 'bundleId', { expected: bundleId, found: header.bundleId });
}

function accept(foundation: Foundation, trust: SignedTrust, sent: OpenedSending): ReceivedUpdate {
  const { store } = foundation;
  const { update, payload } = sent.opened;
  const { predicate, digest } = update;
  const { researchStudyId } = predicate;
  const known = findReceived(store, digest);
  if (known !== undefined) {
    logReplay(foundation, sent);
    return { receipt: known.receipt, researchStudyId, isReplay: true };
  }
  const nowMs = store.clock.nowMs();
  const place = findPlace(store, trust, sent);
  const { plan } = place.published;
  verifyPlace(predicate, place, nowMs);
  refuseSecondUpdate(store, sent);
  const approvals = verifyApprovals({
    approvals: sent.opened.approvals,
    update,
    trust: trust.keys,
    atMs: nowMs,
    requiredStewards: plan.approval.requiredStewards,
  }).map((approval) => approval.predicate);
  const base = findModel(store, researchStudyId, predicate.round - 1);
  if (base === undefined) throw new BugError('the base of an open round is not there');
  verifyPolicy({ ...place, update: predicate, approvals, payload, base: base.tensors, nowMs });
  verifyPrivacy(store, { update: predicate, plan });
  verifyChain(store, sent);
  verifyLogState(store, predicate);
  return { receipt: saveReceived(foundation, sent), researchStudyId, isReplay: false };
}

function findReceived(
  store: ConsortiumStore,
  digest: string,
): Pick<ReceivedUpdateRow, 'receipt'> | undefined {
  return store.get(
    store.query.selectFrom('received_update').select('receipt').where('update_digest', '=', digest),
  );
}

/** @throws IntakeError MIXUP for a research study that is not here, STALE_ROUND where no round is open. */
function findPlace(store: ConsortiumStore, trust: SignedTrust, { opened }: OpenedSending): OpenPlace {
  const { researchStudyId, round } = opened.update.predicate;
  const published = findPlan(store, trust, researchStudyId);
  if (published === undefined)
    throw refusal('MIXUP', 'researchStudyId', { expected: 'a published one', found: researchStudyId });
  const row = findOpenRound(store, researchStudyId);
  if (row === undefined) throw refusal('STALE_ROUND', 'round', { expected: null, found: round });
  return { published, opening: readOpening(row, trust) };
}

/** Stops a site from being counted twice in one round, or from taking its word back after others were told. */
function refuseSecondUpdate(store: ConsortiumStore, { opened: { update } }: OpenedSending): void {
  const { researchStudyId, round, attempt, siteId } = update.predicate;
  const other = store.get(
    store.query
      .selectFrom('received_update')
      .select('update_digest')
      .where('research_study_id', '=', researchStudyId)
      .where('round', '=', round)
      .where('attempt', '=', attempt)
      .where('site_id', '=', siteId),
  );
  if (other === undefined) return;
  throw refusal('ALREADY_RECEIVED', 'update', { expected: other.update_digest, found: update.digest });
}

/** Each statement names the one before it: an update that was lost, or made up in between, shows. */
function verifyChain(store: ConsortiumStore, { opened: { update } }: OpenedSending): void {
  const { researchStudyId, siteId, prevUpdateDigest } = update.predicate;
  const last = store.get(
    store.query
      .selectFrom('received_update')
      .select('update_digest')
      .where('research_study_id', '=', researchStudyId)
      .where('site_id', '=', siteId)
      .orderBy('sequence', 'desc')
      .limit(1),
  );
  const expected = last?.update_digest ?? null;
  if (prevUpdateDigest !== expected)
    throw refusal('BROKEN_CHAIN', 'prevUpdateDigest', { expected, found: prevUpdateDigest });
}

/** The log that the statement vouches for is the one this site showed so far; updates of other studies may be on their way. */
function verifyLogState(
  store: ConsortiumStore,
  { siteId, researchStudyId, auditCheckpoint }: ModelUpdate,
): void {
  refuseShorter(statedSize(store, siteId, researchStudyId), auditCheckpoint);
  refuseFork(store, siteId, auditCheckpoint);
}

function saveReceived({ store, signers, log }: Foundation, sent: OpenedSending): Uint8Array {
  const { update, payload } = sent.opened;
  const { researchStudyId, round, attempt, siteId, exampleCount, auditCheckpoint } = update.predicate;
  const receivedAt = isoTime(store.clock.nowMs());
  const predicate: Receipt = { researchStudyId, round, siteId, updateDigest: update.digest, receivedAt };
  const receipt = signStatement(encodeStatement(receiptRecord, { predicate }), [signers.model]);
  const last = store.get(
    store.query.selectFrom('received_update').select('sequence').orderBy('sequence', 'desc').limit(1),
  );
  const row: ReceivedUpdateRow = {
    update_digest: update.digest,
    sequence: (last?.sequence ?? 0) + 1,
    research_study_id: researchStudyId,
    round,
    attempt,
    site_id: siteId,
    bundle_id: sent.bundleId,
    example_count: exampleCount,
    audit_size: auditCheckpoint.size,
    audit_root_hash: auditCheckpoint.rootHash,
    payload_bytes: payload.length,
    sealed_file: sent.file,
    payload,
    receipt,
    received_at: receivedAt,
  };
  store.run(store.query.insertInto('received_update').values(row));
  log.append({
    actor: `site:${siteId}`,
    action: 'update-received',
    outcome: 'success',
    object: `update:${update.digest}`,
    researchStudyId,
    round,
    detail: {
      attempt,
      bundleId: sent.bundleId,
      bytes: sent.file.length,
      auditCheckpoint,
    },
  });
  return receipt;
}

function logReplay({ log }: Foundation, { siteId, bundleId, opened: { update } }: OpenedSending): void {
  const { researchStudyId, round } = update.predicate;
  log.append({
    actor: `site:${siteId}`,
    action: 'update-received',
    outcome: 'success',
    reason: 'REPLAY',
    object: `update:${update.digest}`,
    researchStudyId,
    round,
    detail: { bundleId },
  });
}

function logRefusal(
  { store, log }: Foundation,
  { siteId, bundleId, file }: SentUpdate,
  { opened, error }: { readonly opened: OpenedUpdate | undefined; readonly error: { readonly code: string } },
): void {
  const update = opened?.update;
  store.transaction(() =>
    log.append({
      actor: `site:${siteId}`,
      action: 'update-received',
      outcome: 'refused',
      reason: error.code,
      object: update === undefined ? undefined : `update:${update.digest}`,
      researchStudyId: update?.predicate.researchStudyId,
      round: update?.predicate.round,
      detail: { bundleId, bytes: file.length },
    }),
  );
}
