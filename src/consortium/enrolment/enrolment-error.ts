// Refusals of invitations and enrolment requests (security.md E25).
import { CodedError } from '#base/coded-error.ts';

export type EnrolmentCode =
  | 'NOT_INITIALISED'
  | 'INVITATION_UNKNOWN'
  | 'INVITATION_USED'
  | 'INVITATION_EXPIRED'
  | 'OTHER_SITE'
  | 'SITE_ALREADY_ENROLLED'
  | 'KEY_ALREADY_ENROLLED'
  | 'KEYS_INCOMPLETE'
  | 'NO_PROOF_OF_POSSESSION'
  | 'URL_UNKNOWN'
  | 'BAD_REQUEST';

export class EnrolmentError extends CodedError<EnrolmentCode> {}
