// What one training round of a plan costs each patient of a site, and what a statement about it has to say.
import { type BudgetPosition, epsilonAfter } from '#federation/privacy/privacy-budget.ts';
import { privacyGuarantee } from '#federation/privacy/privacy-guarantee.ts';
import type { PrivacySpend } from '#federation/privacy/privacy-spend.ts';
import type { PrivacySpecification } from '#federation/records/privacy-plan.ts';
import type { PrivacyStatement } from '#federation/records/privacy-statement.ts';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';

export type PrivatePlan = Pick<ResearchStudyPlan, 'training'> & { readonly privacy: PrivacySpecification };

/** The steps of one round. */
export function roundCost({ privacy, training }: PrivatePlan): PrivacySpend {
  const { noiseMultiplier, samplingRate } = privacy;
  return { noiseMultiplier, samplingRate, steps: training.localUpdates };
}

export interface StatedCost {
  readonly statement: PrivacyStatement;
  readonly position: BudgetPosition;
}

/**
 * What the next round's statement says after `spends`.
 * @throws PrivacyError PRIVACY_BUDGET_SPENT
 */
export function stateCost(plan: PrivatePlan, spends: readonly PrivacySpend[]): StatedCost {
  const cost = roundCost(plan);
  const { mechanism, unit, adjacency, clippingNorm, delta, accountant } = plan.privacy;
  const position = epsilonAfter(spends, cost, plan.privacy);
  const statement = {
    mechanism,
    unit,
    adjacency,
    clippingNorm,
    ...cost,
    delta,
    accountant,
    epsilonThisRound: privacyGuarantee([cost], plan.privacy).epsilon,
    epsilonTotal: position.epsilon,
  };
  return { statement, position };
}
