// Refusals of the update stage.
import { CodedError } from '#base/coded-error.ts';

export type UpdateCode =
  | 'COHORT_DIFFERENCE'
  | 'STATISTICS_DIFFERENCE'
  | 'UPDATE_TOO_LARGE'
  | 'ROUND_ANSWERED'
  | 'UPDATE_NOT_FOUND';
export class UpdateError extends CodedError<UpdateCode> {}
