// Refusals of the consent stage.
import { CodedError } from '#base/coded-error.ts';

export type ConsentCode =
  | 'SUBJECT_UNKNOWN'
  | 'RESEARCH_STUDY_UNKNOWN'
  | 'CONSENT_UNTIL_PASSED'
  | 'CONSENT_UNTIL_INVALID';
export class ConsentError extends CodedError<ConsentCode> {}
