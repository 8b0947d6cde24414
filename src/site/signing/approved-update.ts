// An update that may be sealed: approved by a trusted steward of this site, for exactly these bytes, for the round that is open.
import { fromBase64, utf8 } from '#base/bytes.ts';
import { BugError } from '#base/coded-error.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import type { Approval } from '#federation/records/approval.ts';
import { type ModelUpdate, modelUpdateRecord } from '#federation/records/model-update.ts';
import { type VerifiedRecord, verifyRecord } from '#federation/records/record.ts';
import { type ApprovalCheck, SealedUpdateError, verifyApprovals } from '#federation/records/sealed-update.ts';
import type { Agreement } from '#site/agreement/index.ts';
import type { ModelUpdateTable, Store } from '#site/store/index.ts';
import { isReportOf } from '#site/update/index.ts';
import { refuseStaleRound } from './departure.ts';
import { SigningError } from './signing-error.ts';

export interface ApprovedUpdate {
  readonly row: ModelUpdateTable;
  readonly update: VerifiedRecord<ModelUpdate>;
  readonly approvals: readonly Uint8Array[];
  /** X25519 SubjectPublicKeyInfo (DER) that the open round names. */
  readonly recipientPublicKey: Uint8Array;
}

/**
 * Checks a stored update once more before it is sealed.
 * @throws SigningError NOT_APPROVED (no approval; of another update; of a person who is no trusted steward here; a
 * refusal), STALE_ROUND; RecordError for a statement that this site did not sign.
 */
export function loadApprovedUpdate(
  store: Store,
  agreement: Agreement,
  row: ModelUpdateTable,
): ApprovedUpdate {
  if (row.state !== 'approved') throw notApproved({ expected: 'approved', found: row.state });
  const trust = agreement.trustedKeys();
  const { siteId } = agreement.requireSettings();
  const update = verifyRecord(modelUpdateRecord, row.envelope, {
    trust,
    atMs: Date.parse(row.built_at),
    siteId,
  });
  // Stops an approval of one update from carrying another that was put in its row.
  if (update.digest !== row.update_id) throw notApproved({ expected: row.update_id, found: update.digest });
  const payloadDigest = sha256Hex(row.payload);
  if (payloadDigest !== update.subjectDigest) {
    throw notApproved({ expected: update.subjectDigest, found: payloadDigest });
  }
  // Stops a report of another update, put into this row, from carrying the approval that was given to it.
  const reportDigest = sha256Hex(utf8(row.report));
  if (reportDigest !== row.report_digest || !isReportOf(row.report, update)) {
    throw notApproved({ expected: row.report_digest, found: reportDigest });
  }
  const approvals = loadApprovals(store, row.update_id);
  const { requiredStewards } = agreement.currentPlan(row.research_study_id).plan.approval;
  const check = { approvals, update, trust, atMs: store.clock.nowMs(), requiredStewards };
  for (const { predicate } of verifiedApprovals(check)) {
    if (predicate.reportDigest !== row.report_digest) {
      throw notApproved({ expected: row.report_digest, found: predicate.reportDigest });
    }
  }
  return { row, update, approvals, recipientPublicKey: openRecipient(agreement, update.predicate) };
}

function loadApprovals(store: Store, updateId: string): Uint8Array[] {
  const query = store.query.selectFrom('approval').select('envelope').where('update_id', '=', updateId);
  return store.all(query).map(({ envelope }) => envelope);
}

/** An envelope that is no trusted steward's approval is as good as none. */
function verifiedApprovals(check: ApprovalCheck): VerifiedRecord<Approval>[] {
  try {
    return verifyApprovals(check);
  } catch (error) {
    if (!(error instanceof SealedUpdateError)) throw error;
    throw notApproved({ reason: error.code, ...error.details });
  }
}

function notApproved(details: Readonly<Record<string, unknown>>): SigningError {
  return new SigningError('NOT_APPROVED', 'No steward of this site approved exactly this update.', {
    details,
  });
}

function openRecipient(agreement: Agreement, update: ModelUpdate): Uint8Array {
  refuseStaleRound(agreement, update);
  const recipient = agreement.trustedKeys().find(update.recipientKeyId);
  if (recipient === undefined) throw new BugError('an open round names a key that is not listed');
  return fromBase64(recipient.publicKey);
}
