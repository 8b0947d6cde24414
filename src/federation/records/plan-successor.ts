// What a later version of a plan may not change: what was computed under the version before keeps its meaning.
// Held by the consortium before it publishes, and by every site before it would take the new version over.
import { CodedError } from '#base/coded-error.ts';
import type { ResearchStudyPlan } from './research-study-plan.ts';

export type PlanCode = 'PLAN_INCOMPATIBLE' | 'PLAN_VERSION';
export class PlanError extends CodedError<PlanCode> {}

/** The version in force. */
export interface PlanBefore {
  readonly plan: ResearchStudyPlan;
  /** Rounds from 1 on whose model is published. */
  readonly closedRounds: number;
}

/**
 * Holds a plan against the version in force, undefined where it is the first.
 * @throws PlanError PLAN_VERSION, PLAN_INCOMPATIBLE.
 */
export function requireSuccessor(plan: ResearchStudyPlan, before: PlanBefore | undefined): void {
  const expected = (before?.plan.version ?? 0) + 1;
  if (plan.version !== expected) {
    throw new PlanError('PLAN_VERSION', 'The plan does not have the next version number.', {
      details: { expected, found: plan.version },
    });
  }
  if (before !== undefined) requireSameMeaning(plan, before);
}

/**
 * Stops a new version from giving the model so far, and the consents it was made with, another meaning.
 * @throws PlanError PLAN_INCOMPATIBLE.
 */
export function requireSameMeaning(plan: ResearchStudyPlan, before: PlanBefore): void {
  const fixed = (other: ResearchStudyPlan): Record<string, unknown> => ({
    dataElements: other.dataElements,
    model: other.model,
    normalisation: other.normalisation,
    statistics: other.statistics,
    privacy: other.privacy,
    withdrawal: other.withdrawal,
    rounds: other.rounds.slice(0, before.closedRounds),
  });
  const [left, right] = [fixed(before.plan), fixed(plan)];
  for (const field of Object.keys(left)) {
    if (JSON.stringify(left[field]) === JSON.stringify(right[field])) continue;
    throw new PlanError(
      'PLAN_INCOMPATIBLE',
      'The model so far was made under other rules; that is another research study.',
      {
        details: { field },
      },
    );
  }
}
