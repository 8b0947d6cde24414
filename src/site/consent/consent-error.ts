// Refusals of the consent stage.
import { CodedError } from '#base/coded-error.ts';

export type ConsentCode =
  | 'SUBJECT_UNKNOWN'
  | 'RESEARCH_STUDY_UNKNOWN'
  | 'CONSENT_UNTIL_PASSED'
  | 'CONSENT_UNTIL_INVALID'
  | 'OPT_OUT_COLUMN_UNKNOWN'
  | 'OPT_OUT_DAY_INVALID'
  | 'OPT_OUT_LIST_EMPTY'
  | 'OPT_OUT_LIST_TOO_LARGE'
  | 'OPT_OUT_LIST_UNREADABLE';
export class ConsentError extends CodedError<ConsentCode> {}
