// Refusals of what the consortium published.
import { CodedError } from '#base/coded-error.ts';

export type PublishedCode =
  | 'EXPIRED'
  | 'INCLUSION_MISMATCH'
  | 'MIXUP'
  | 'MODEL_FORK'
  | 'NOT_LOGGED'
  | 'RECEIPT_MISMATCH'
  | 'ROLLBACK'
  | 'SYNC_OVERTAKEN'
  | 'WRONG_BASE'
  | 'WRONG_MODEL_DIGEST'
  | 'WRONG_PLAN'
  | 'WRONG_REMEDY';

export class PublishedError extends CodedError<PublishedCode> {}
