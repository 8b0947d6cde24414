// Seals an approved update for the consortium and puts it into the outbox. Consent is evaluated again right before (C9).
import { isoTime } from '#base/clock.ts';
import { CodedError } from '#base/coded-error.ts';
import type { SigningKey } from '#federation/crypto/signing-key.ts';
import { sealUpdate } from '#federation/records/sealed-update.ts';
import type { Agreement } from '#site/agreement/index.ts';
import type { Actor, AuditAction, AuditLog, Json } from '#site/audit/index.ts';
import type { ModelUpdateTable, Store } from '#site/store/index.ts';
import { type ApprovedUpdate, loadApprovedUpdate } from './approved-update.ts';
import { type ConsentSnapshot, refuseChangedConsent, refuseErased } from './departure.ts';
import { SigningError } from './signing-error.ts';

export interface SealOptions {
  readonly store: Store;
  readonly auditLog: AuditLog;
  readonly agreement: Agreement;
  /** sha256 of the update statement's bytes. */
  readonly updateId: string;
  /** Signs the outer statement; role site-signing. */
  readonly signer: SigningKey;
  readonly actor: Actor;
  /** Evaluates consent and cohort now, as at the freeze. Called inside a transaction. */
  readonly reevaluateConsent: () => ConsentSnapshot;
}

/**
 * Seals an update and stores the exact bytes that leave; a second call for a sealed update does nothing.
 * @throws SigningError NOT_APPROVED, CONSENT_CHANGED, STALE_ROUND (the last two block the update), UPDATE_NOT_FOUND; each
 * but the last leaves an audit event.
 */
export async function sealApprovedUpdate(options: SealOptions): Promise<void> {
  const { store, agreement } = options;
  const row = loadUpdate(store, options.updateId);
  if (row.state === 'sealed' || row.state === 'received') return;
  const approved = checked(options, row, () => {
    refuseErased(row.payload);
    const found = loadApprovedUpdate(store, agreement, row);
    refuseChangedConsent(found.update.predicate, options.reevaluateConsent());
    return found;
  });
  const sealedFile = await seal(options, approved);
  checked(options, row, () => storeSealed(options, approved, sealedFile));
}

function loadUpdate(store: Store, updateId: string): ModelUpdateTable {
  const row = store.get(store.query.selectFrom('model_update').selectAll().where('update_id', '=', updateId));
  if (row === undefined) throw new SigningError('UPDATE_NOT_FOUND', 'There is no such update.');
  return row;
}

async function seal({ signer }: SealOptions, approved: ApprovedUpdate): Promise<Uint8Array> {
  const { row, update, approvals, recipientPublicKey } = approved;
  const { researchStudyId, round, siteId, recipientKeyId } = update.predicate;
  return sealUpdate({
    update: row.envelope,
    approvals: [...approvals],
    payload: row.payload,
    // One bundle for each update: sending it twice is seen as a repetition.
    header: { recipientKeyId, suite: 1, researchStudyId, round, siteId, bundleId: row.update_id },
    recipientPublicKey,
    signer,
  });
}

function storeSealed(options: SealOptions, { row, update }: ApprovedUpdate, sealedFile: Uint8Array): void {
  const { store } = options;
  // Evaluated again under the write lock: a withdrawal that came while the update was being encrypted still counts.
  refuseChangedConsent(update.predicate, options.reevaluateConsent());
  const { changes } = store.run(
    store.query
      .updateTable('model_update')
      .set({ state: 'sealed' })
      .where('update_id', '=', row.update_id)
      .where('state', '=', 'approved'),
  );
  // Another call was faster and has sealed it already.
  if (changes !== 1) return;
  const sealedAt = isoTime(store.clock.nowMs());
  const sealed = { update_id: row.update_id, sealed_file: sealedFile, sealed_at: sealedAt };
  store.run(store.query.insertInto('outbox').values(sealed));
  log(options, row, {
    action: 'update-sealed',
    outcome: 'success',
    detail: { recipientKeyId: update.predicate.recipientKeyId, bytes: sealedFile.length },
  });
}

/** Runs a check or step in one transaction; a refusal is logged, and blocks the update where it can never leave. */
function checked<Result>(options: SealOptions, row: ModelUpdateTable, work: () => Result): Result {
  const { store } = options;
  try {
    return store.transaction(work);
  } catch (error) {
    if (error instanceof CodedError && error.code !== 'BUG') {
      store.transaction(() => {
        if (error.code === 'CONSENT_CHANGED' || error.code === 'STALE_ROUND') block(store, row.update_id);
        log(options, row, {
          action: 'update-blocked',
          outcome: 'refused',
          reason: error.code,
          detail: error.details as Json,
        });
      });
    }
    throw error;
  }
}

function block(store: Store, updateId: string): void {
  store.run(
    store.query
      .updateTable('model_update')
      .set({ state: 'blocked' })
      .where('update_id', '=', updateId)
      .where('state', '=', 'approved'),
  );
}

interface Entry {
  readonly action: AuditAction;
  readonly outcome: 'success' | 'refused';
  readonly reason?: string;
  readonly detail: Json;
}

function log({ auditLog, actor }: SealOptions, row: ModelUpdateTable, entry: Entry): void {
  auditLog.append({
    actor: actor.name,
    role: actor.role,
    object: `update:${row.update_id}`,
    researchStudyId: row.research_study_id,
    round: row.round,
    ...entry,
  });
}
