// The approval stage: a steward's signed decision on one update.
export { type ApprovalCode, ApprovalError } from './approval-error.ts';
export { type DecisionOptions, decide, meanings } from './decision.ts';
