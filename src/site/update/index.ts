// The update stage: what a run made becomes a signed draft with its disclosure report.

export { statedCheckpoints } from '#site/update/stated-checkpoints.ts';
export {
  buildUpdate,
  type NewUpdate,
  type UpdateCohort,
  type UpdateContext,
  type UpdateRound,
  type UpdateRun,
} from './build-update.ts';
export type { DisclosureReport } from './disclosure-report.ts';
export { eraseUpdates } from './erase-updates.ts';
export { isReportOf } from './own-report.ts';
export { listSpends, requirePrivacyBudget } from './privacy-ledger.ts';
export {
  findUpdate,
  lastReceivedUpdate,
  latestUpdateOf,
  listUpdates,
  type RoundRef,
  refuseAnsweredRound,
  reviewUpdate,
  type UpdateReview,
  type UpdateSummary,
} from './stored-updates.ts';
export { type UpdateCode, UpdateError } from './update-error.ts';
