// Who takes part: invitations, enrolment and the signed trust list.
export { enrolSite } from './enrol-site.ts';
export { type EnrolmentCode, EnrolmentError } from './enrolment-error.ts';
export {
  createInvitation,
  type InvitationRequest,
  type MadeInvitation,
  type Reachability,
} from './invitations.ts';
export { openTrustRegister, type SignedTrust, type TrustRegister } from './trust-register.ts';
