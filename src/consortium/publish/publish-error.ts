// Refusals of plans.
import { CodedError } from '#base/coded-error.ts';

export type PublishCode =
  | 'BAD_PLAN'
  | 'NOT_SUPPORTED'
  | 'PLAN_VERSION'
  | 'PLAN_INCOMPATIBLE'
  | 'PLAN_ROUND_OPEN';

export class PublishError extends CodedError<PublishCode> {}
