// A steward's decision on an update, and a site's enrolment: what needs a person's own key for a signature.
import { decide } from '#site/approval/index.ts';
import { enrol } from '#site/sync/index.ts';
import { findUpdate, type UpdateSummary } from '#site/update/index.ts';
import type { Enrolment, SignedDecision } from './site-facade.ts';
import type { SyncStages } from './site-sync.ts';

/** @throws PeopleError as `signIn`, ApprovalError. */
export function decideUpdate(
  { store, auditLog, agreement, people }: SyncStages,
  decision: SignedDecision & { readonly decision: 'approve' | 'refuse'; readonly reason: string | null },
): UpdateSummary {
  const { name, secret, ...decided } = decision;
  const signer = people.unlockSigner({ name, secret });
  // Found by the key: the name may have been typed in another spelling of the same letters.
  const key = people.keys().find(({ publicKey }) => Buffer.from(publicKey).equals(signer.publicKey));
  const person = { name: key?.name ?? name, role: key?.role ?? 'investigator' } as const;
  decide({ store, auditLog, agreement, ...decided, person, signer });
  return findUpdate(store, decision.updateId);
}

/** @throws PeopleError as `signIn`, EnrolmentError, AgreementError, SyncError. */
export function acceptInvitation(
  { store, auditLog, agreement, people, transport }: SyncStages,
  { invitation, stewards, actor }: Enrolment,
): Promise<{ readonly siteId: string; readonly consortium: string }> {
  const signers = stewards.map((credentials) => people.unlockSigner(credentials));
  return enrol({ store, auditLog, agreement, people, transport, actor, invitation, stewards: signers });
}
