// Refusals of the agreement stage.
import { CodedError } from '#base/coded-error.ts';

export type AgreementCode =
  | 'ALREADY_ENROLLED'
  | 'EXPIRED'
  | 'NOT_A_PARTICIPANT'
  | 'NOT_ENROLLED'
  | 'PLAN_CHANGED'
  | 'PLAN_NOT_ACCEPTED'
  | 'PLAN_NOT_SUPPORTED'
  | 'REMEDY_NOT_AGREED'
  | 'ROLLBACK'
  | 'ROUND_NOT_IN_PLAN'
  | 'WRONG_BASE'
  | 'WRONG_PLAN'
  | 'WRONG_RECIPIENT'
  | 'WRONG_REMEDY';

export class AgreementError extends CodedError<AgreementCode> {}
