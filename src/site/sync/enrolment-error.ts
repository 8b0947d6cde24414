// Refusals of an enrolment on the site's side.
import { CodedError } from '#base/coded-error.ts';

export type EnrolmentCode =
  | 'ALREADY_ENROLLED'
  | 'INVITATION_EXPIRED'
  | 'KEYS_NOT_LISTED'
  | 'STEWARD_SIGNATURE_MISSING';

export class EnrolmentError extends CodedError<EnrolmentCode> {}
