// Refusals of opening and closing rounds.
import { CodedError } from '#base/coded-error.ts';

export type RoundCode =
  | 'RESEARCH_STUDY_UNKNOWN'
  | 'PARTICIPANT_NOT_ENROLLED'
  | 'ROUND_ALREADY_OPEN'
  | 'NO_ROUND_OPEN'
  | 'ROUNDS_DONE'
  | 'TOO_FEW_UPDATES'
  | 'BAD_ROUND_REQUEST'
  | 'NO_REMEDY_PENDING'
  | 'REMEDY_PENDING'
  | 'REMEDY_REQUEST_UNKNOWN'
  | 'RESEARCH_STUDY_RETIRED'
  | 'TOO_FEW_PARTICIPANTS';

export class RoundError extends CodedError<RoundCode> {}
