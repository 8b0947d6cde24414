// Refusals of the cohort stage.
import { CodedError } from '#base/coded-error.ts';

export type CohortCode = 'COHORT_TOO_SMALL' | 'COHORT_NOT_FOUND' | 'OPT_OUT_LIST_STALE';
export class CohortError extends CodedError<CohortCode> {}
