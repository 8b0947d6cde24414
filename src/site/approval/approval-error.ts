// Refusals of the approval stage.
import { CodedError } from '#base/coded-error.ts';

export type ApprovalCode =
  | 'ALREADY_DECIDED'
  | 'NOT_A_STEWARD'
  | 'REASON_MISSING'
  | 'REPORT_CHANGED'
  | 'STEWARD_KEY_NOT_TRUSTED'
  | 'SUBSTITUTED'
  | 'UPDATE_NOT_FOUND';

export class ApprovalError extends CodedError<ApprovalCode> {}
