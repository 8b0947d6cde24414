// A steward decides on exactly the bytes and the report that were on the screen; nothing leaves without it (21 CFR 11.50, 11.70).
import { toBase64, utf8 } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { isCodedError } from '#base/coded-error.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import type { SigningKey } from '#federation/crypto/signing-key.ts';
import { type Approval, approvalRecord } from '#federation/records/approval.ts';
import { type ModelUpdate, modelUpdateRecord } from '#federation/records/model-update.ts';
import { encodeStatement, signStatement, verifyRecord } from '#federation/records/record.ts';
import { findKeyFor } from '#federation/records/trusted-keys.ts';
import type { Agreement } from '#site/agreement/index.ts';
import type { AuditLog } from '#site/audit/index.ts';
import type { Person } from '#site/people/index.ts';
import type { ModelUpdateTable, Store } from '#site/store/index.ts';
import { isReportOf } from '#site/update/index.ts';
import { ApprovalError } from './approval-error.ts';

export interface DecisionOptions {
  readonly store: Store;
  readonly auditLog: AuditLog;
  readonly agreement: Agreement;
  /** sha256 of the update statement's bytes. */
  readonly updateId: string;
  /** Digest of the report that the steward saw. */
  readonly reportDigest: string;
  readonly decision: 'approve' | 'refuse';
  /** Needed to refuse. */
  readonly reason: string | null;
  readonly person: Person;
  /** The person's own key, opened with the secret for this one signature. */
  readonly signer: SigningKey;
}

/** What a steward's signature says, printed wherever the approval is shown. */
export const meanings = {
  approve: 'I have read the disclosure report and approve that exactly this update leaves the hospital.',
  refuse: 'I have read the disclosure report and refuse that this update leaves the hospital.',
} as const;

/**
 * Signs and stores a steward's decision: approval, state of the update and audit event in one transaction.
 * @throws ApprovalError; each refusal but an unknown update leaves an audit event.
 */
export function decide(options: DecisionOptions): void {
  const { store } = options;
  const row = loadUpdate(store, options.updateId);
  let update: ModelUpdate;
  try {
    update = check(options, row);
  } catch (error) {
    if (isCodedError(error) && error.code !== 'BUG') logRefusal(options, row, error.code);
    throw error;
  }
  const decidedAt = isoTime(store.clock.nowMs());
  const envelope = signDecision(options, update, decidedAt);
  store.transaction(() => {
    // The check was made outside; a second decision loses here (double click, two screens).
    const state = options.decision === 'approve' ? 'approved' : 'refused';
    const { changes } = store.run(
      store.query
        .updateTable('model_update')
        .set({ state })
        .where('update_id', '=', row.update_id)
        .where('state', '=', 'draft'),
    );
    if (changes !== 1) throw alreadyDecided(row.state);
    store.run(
      store.query.insertInto('approval').values({
        update_id: row.update_id,
        decision: options.decision,
        person: options.person.name,
        envelope,
        decided_at: decidedAt,
      }),
    );
    logDecision(options, update);
  });
}

function loadUpdate(store: Store, updateId: string): ModelUpdateTable {
  const row = store.get(store.query.selectFrom('model_update').selectAll().where('update_id', '=', updateId));
  if (row === undefined) throw new ApprovalError('UPDATE_NOT_FOUND', 'There is no such update.');
  return row;
}

function check(options: DecisionOptions, row: ModelUpdateTable): ModelUpdate {
  refuseOthers(options);
  if (row.state !== 'draft') throw alreadyDecided(row.state);
  // Stops an approval of a report that was swapped between screen and signature, or in the store.
  const stored = sha256Hex(utf8(row.report));
  if (stored !== row.report_digest || options.reportDigest !== stored) {
    throw new ApprovalError(
      'REPORT_CHANGED',
      'The report is another one than the steward saw; read it again.',
      {
        details: { expected: stored, found: options.reportDigest },
      },
    );
  }
  if (options.decision === 'refuse' && (options.reason ?? '').trim() === '') {
    throw new ApprovalError('REASON_MISSING', 'A refusal needs a reason.');
  }
  return checkUpdate(options, row);
}

/** Stops a clerk, or a steward with another's key, from deciding. */
function refuseOthers({ store, agreement, person, signer }: DecisionOptions): void {
  const known = store.get(
    store.query.selectFrom('person').select(['role', 'public_key']).where('name', '=', person.name),
  );
  if (person.role !== 'steward' || known?.role !== 'steward') {
    throw new ApprovalError('NOT_A_STEWARD', 'Only a steward decides on an update.', {
      details: { expected: 'steward', found: known?.role ?? null },
    });
  }
  const { siteId } = agreement.requireSettings();
  const use = { role: 'steward', siteId, atMs: store.clock.nowMs() } as const;
  const isOwn = known.public_key === toBase64(signer.publicKey);
  if (!isOwn || findKeyFor(agreement.trustedKeys(), signer.keyId, use) === undefined) {
    throw new ApprovalError(
      'STEWARD_KEY_NOT_TRUSTED',
      'The consortium does not list this key as a steward key of this site.',
      {
        details: { found: signer.keyId },
      },
    );
  }
}

/** Stops a stored update whose statement, payload or report was exchanged from being approved. */
function checkUpdate({ agreement }: DecisionOptions, row: ModelUpdateTable): ModelUpdate {
  const { digest, subjectDigest, predicate } = verifyRecord(modelUpdateRecord, row.envelope, {
    trust: agreement.trustedKeys(),
    atMs: Date.parse(row.built_at),
    siteId: agreement.requireSettings().siteId,
  });
  if (digest !== row.update_id) {
    throw new ApprovalError('SUBSTITUTED', 'The stored statement is not that of this update.', {
      details: { expected: row.update_id, found: digest },
    });
  }
  const payloadDigest = sha256Hex(row.payload);
  if (payloadDigest !== subjectDigest) {
    throw new ApprovalError('SUBSTITUTED', 'The stored payload is not the one the statement names.', {
      details: { expected: subjectDigest, found: payloadDigest },
    });
  }
  if (!isReportOf(row.report, { digest, subjectDigest })) {
    throw new ApprovalError('SUBSTITUTED', 'The stored report is that of another update.', {
      details: { expected: row.update_id },
    });
  }
  return predicate;
}

function alreadyDecided(state: string): ApprovalError {
  return new ApprovalError('ALREADY_DECIDED', 'This update has been decided on already.', {
    details: { expected: 'draft', found: state },
  });
}

function signDecision(options: DecisionOptions, update: ModelUpdate, decidedAt: string): Uint8Array {
  const predicate: Approval = {
    researchStudyId: update.researchStudyId,
    round: update.round,
    siteId: update.siteId,
    reportDigest: options.reportDigest,
    decision: options.decision,
    reason: options.reason,
    person: { name: options.person.name, role: 'steward' },
    meaning: meanings[options.decision],
    decidedAt,
  };
  const subjects = [{ name: 'update', digest: options.updateId }];
  return signStatement(encodeStatement(approvalRecord, { subjects, predicate }), [options.signer]);
}

function logDecision(
  { auditLog, person, decision, updateId, reportDigest, reason, signer }: DecisionOptions,
  update: ModelUpdate,
): void {
  auditLog.append({
    actor: person.name,
    role: person.role,
    action: decision === 'approve' ? 'update-approved' : 'update-refused',
    object: `update:${updateId}`,
    researchStudyId: update.researchStudyId,
    round: update.round,
    outcome: 'success',
    detail: { reportDigest, reason, keyId: signer.keyId },
  });
  // A signed checkpoint at every approval (security.md A4).
  auditLog.checkpoint();
}

function logRefusal(
  { store, auditLog, person, decision }: DecisionOptions,
  row: ModelUpdateTable,
  code: string,
): void {
  store.transaction(() =>
    auditLog.append({
      actor: person.name,
      role: person.role,
      action: 'action-refused',
      object: `update:${row.update_id}`,
      researchStudyId: row.research_study_id,
      round: row.round,
      outcome: 'refused',
      reason: code,
      detail: { decision },
    }),
  );
}
