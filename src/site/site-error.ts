// Refusals of a site as a whole: its profile, and the run of a round over its stages.
import { CodedError } from '#base/coded-error.ts';

export type SiteCode =
  | 'ANALYSIS_CANCELLED'
  | 'ANALYSIS_FAILED'
  | 'PROFILE_IN_USE'
  | 'NOT_INITIALISED'
  | 'ALREADY_INITIALISED'
  | 'PROFILE_WITHOUT_KEYS'
  | 'NO_OPEN_ROUND'
  | 'BAD_ENGINE_SETTINGS'
  | 'BASE_MODEL_MISSING'
  | 'BASE_MODEL_DAMAGED'
  | 'NORMALISATION_MISSING'
  | 'REMEDY_KEEPS_MODEL'
  | 'REMEDY_NOT_NEEDED'
  | 'PLAN_MISSING'
  | 'SUBJECT_UNKNOWN'
  | 'ROUND_RUNNING';
export class SiteError extends CodedError<SiteCode> {}
