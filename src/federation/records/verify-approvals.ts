// Whether the right people approved exactly this update (security.md E1, E11).
import { type Approval, approvalRecord } from '#federation/records/approval.ts';
import type { ModelUpdate } from '#federation/records/model-update.ts';
import { type VerifiedRecord, verifyRecord } from '#federation/records/record.ts';
import { SealedUpdateError, sealedUpdateErrorOf } from '#federation/records/sealed-update-error.ts';
import type { TrustedKeys } from '#federation/records/trusted-keys.ts';

export interface ApprovalCheck {
  readonly approvals: readonly Uint8Array[];
  readonly update: VerifiedRecord<ModelUpdate>;
  readonly trust: TrustedKeys;
  /** The moment at which the stewards' keys must have been valid. */
  readonly atMs: number;
  /** How many different stewards the plan asks for. */
  readonly requiredStewards: number;
}

/**
 * The approvals, each verified, each of this update, by as many different stewards of the update's site as the plan asks.
 * @throws SealedUpdateError NOT_APPROVED; KEY_NOT_TRUSTED, BAD_SIGNATURE, WRONG_TYPE, BAD_STATEMENT for an envelope that is
 * no steward's approval at all.
 */
export function verifyApprovals(check: ApprovalCheck): VerifiedRecord<Approval>[] {
  const approvals = check.approvals.map((envelope) => verifyApproval(envelope, check));
  // One person counts once, whatever the number of signatures or keys.
  const people = new Set(approvals.flatMap(({ signers }) => signers.map(({ person }) => person)));
  if (people.size < check.requiredStewards) {
    throw notApproved('Fewer stewards approved than the plan asks for.', check.requiredStewards, people.size);
  }
  return approvals;
}

function verifyApproval(
  envelope: Uint8Array,
  { update, trust, atMs }: ApprovalCheck,
): VerifiedRecord<Approval> {
  const approval = verifyEnvelope(envelope, trust, atMs);
  const { predicate, subjectDigest, signers } = approval;
  const { siteId, researchStudyId, round } = update.predicate;
  if (subjectDigest !== update.digest) {
    throw notApproved('The approval is of another update.', update.digest, subjectDigest);
  }
  if (predicate.siteId !== siteId) {
    throw notApproved('The approval is by a steward of another site.', siteId, predicate.siteId);
  }
  if (predicate.researchStudyId !== researchStudyId || predicate.round !== round) {
    throw notApproved(
      'The approval is for another research study or round.',
      { researchStudyId, round },
      'another one',
    );
  }
  if (signers.some(({ person }) => person !== predicate.person.name)) {
    throw notApproved(
      'The printed name is not that of the key (21 CFR 11.50).',
      'the name of the key',
      'another name',
    );
  }
  if (predicate.decision !== 'approve') {
    throw notApproved('The steward refused this update.', 'approve', predicate.decision);
  }
  return approval;
}

function verifyEnvelope(envelope: Uint8Array, trust: TrustedKeys, atMs: number): VerifiedRecord<Approval> {
  try {
    return verifyRecord(approvalRecord, envelope, { trust, atMs });
  } catch (error) {
    throw sealedUpdateErrorOf('approval', error);
  }
}

function notApproved(message: string, expected: unknown, found: unknown): SealedUpdateError {
  return new SealedUpdateError('NOT_APPROVED', message, { details: { expected, found } });
}
