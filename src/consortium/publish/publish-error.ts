// Refusals of plans.
import { CodedError } from '#base/coded-error.ts';

export type PublishCode = 'BAD_PLAN' | 'NOT_SUPPORTED' | 'PLAN_ROUND_OPEN';

export class PublishError extends CodedError<PublishCode> {}
