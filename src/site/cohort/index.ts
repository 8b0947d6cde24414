// The cohort stage: who is in a round, by plan and consent; frozen with digests; the feature matrix in fixed order.
export { type CohortCode, CohortError } from './cohort-error.ts';
export type { CohortDigests } from './cohort-members.ts';
export type { CohortSubjects } from './cohort-subjects.ts';
export {
  type CohortOptions,
  type Cohorts,
  type FreezeOptions,
  type FrozenCohort,
  openCohorts,
} from './cohorts.ts';
export { eraseMembers } from './erase-members.ts';
export { type FactCode, openWords, type Word } from './fact-reader.ts';
export type { StoreDoor } from './fact-threads.ts';
export { codeKey } from './fact-use.ts';
export type { Column } from './feature-column.ts';
export type { CohortMatrix } from './feature-matrix.ts';
export { findSeries, type SeriesQuestion } from './imaging-series.ts';
export type { InputSeries, MemberImages } from './member-images.ts';
export {
  type Candidates,
  type CohortPreview,
  readCandidates,
  readPreview,
  type SelectionSource,
} from './select-subjects.ts';
export type { ExclusionReason } from './selection.ts';
export type { FeatureQuality, SelectionReport, SuppressedCount } from './selection-report.ts';
export { listSubjectRounds, type SubjectRound } from './subject-rounds.ts';
export { codesOf, type SubjectTable } from './subject-table.ts';
export { SUPPRESSION_LIMIT, suppressCells, suppressCount } from './suppression.ts';
