// The cohort stage: who is in a round, by plan and consent; frozen with digests; the feature matrix in fixed order.
export { type CohortCode, CohortError } from './cohort-error.ts';
export type { CohortDigests } from './cohort-members.ts';
export {
  type CohortOptions,
  type CohortPreview,
  type Cohorts,
  type FreezeOptions,
  type FrozenCohort,
  openCohorts,
} from './cohorts.ts';
export { eraseMembers } from './erase-members.ts';
export type { CohortMatrix } from './feature-matrix.ts';
export type { ExclusionReason } from './selection.ts';
export type { FeatureQuality, SelectionReport, SuppressedCount } from './selection-report.ts';
export { listSubjectRounds, type SubjectRound } from './subject-rounds.ts';
export { SUPPRESSION_LIMIT } from './suppression.ts';
