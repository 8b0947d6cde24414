// The budget check before training: what was spent, what the next run would make of it, and whether the plan lets it.
import { PrivacyError } from '#federation/privacy/privacy-error.ts';
import { type PrivacyGuarantee, privacyGuarantee } from '#federation/privacy/privacy-guarantee.ts';
import { type PrivacySpend, requireDelta, requireSetting } from '#federation/privacy/privacy-spend.ts';
import { type PrivacySpecification, WARN_ABOVE_EPSILON } from '#federation/records/privacy-plan.ts';

export type PrivacyBudget = Pick<
  PrivacySpecification,
  'accountant' | 'delta' | 'epsilonBudget' | 'warnAboveEpsilon'
>;

export interface BudgetPosition extends PrivacyGuarantee {
  /** The plan's epsilon less the one reached. Epsilons of runs do not add up: the next may take less than it would alone. */
  readonly epsilonLeft: number;
  /** Above what the plan, or the field, calls a strong promise. */
  readonly isAboveWarning: boolean;
}

/** Where a ledger stands. @throws PrivacyError NO_NOISE, BAD_PRIVACY_SETTING */
export function budgetPosition(spends: readonly PrivacySpend[], budget: PrivacyBudget): BudgetPosition {
  const guarantee = privacyGuarantee(spends, budget);
  return {
    ...guarantee,
    epsilonLeft: Math.max(0, budget.epsilonBudget - guarantee.epsilon),
    isAboveWarning: guarantee.epsilon > (budget.warnAboveEpsilon ?? WARN_ABOVE_EPSILON),
  };
}

/**
 * Where the ledger would stand after `next`.
 *
 * @throws PrivacyError PRIVACY_BUDGET_SPENT where the plan does not let it, NO_NOISE, BAD_PRIVACY_SETTING
 */
export function epsilonAfter(
  spends: readonly PrivacySpend[],
  next: PrivacySpend,
  budget: PrivacyBudget,
): BudgetPosition {
  const after = budgetPosition([...spends, next], budget);
  // Written so that an epsilon which is no number is refused too.
  if (!(after.epsilon <= budget.epsilonBudget)) {
    throw new PrivacyError(
      'PRIVACY_BUDGET_SPENT',
      'The next training round would exceed the privacy budget.',
      {
        details: { ...after, epsilonBudget: budget.epsilonBudget },
      },
    );
  }
  return after;
}

/**
 * With a delta of 1/N a mechanism may publish one patient in full and still keep its promise.
 *
 * @param patientCount N, the patients whose data may be drawn
 * @throws PrivacyError DELTA_TOO_LARGE, BAD_PRIVACY_SETTING
 */
export function requireSmallDelta(delta: number, patientCount: number): void {
  requireDelta(delta);
  requireSetting('patientCount', Number.isSafeInteger(patientCount) && patientCount >= 1);
  if (delta * patientCount >= 1) {
    throw new PrivacyError('DELTA_TOO_LARGE', 'Delta has to be below one in the number of patients.', {
      details: { delta, below: 1 / patientCount },
    });
  }
}
