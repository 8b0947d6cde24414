// What training cost this site's patients in one research study: charged with the draft that a run leaves, never taken back.
// A draft that is refused, blocked or not sent has been charged all the same: somebody has read of it, and a site that runs again until
// it likes the result has looked at its patients that often. A run that left no draft showed nobody its weights.
import { isoTime } from '#base/clock.ts';
import { requireSmallDelta } from '#federation/privacy/privacy-budget.ts';
import type { PrivacySpend } from '#federation/privacy/privacy-spend.ts';
import { type PrivatePlan, roundCost, type StatedCost, stateCost } from '#federation/privacy/round-cost.ts';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import type { RoundOpening } from '#federation/records/round.ts';
import type { Store } from '#site/store/index.ts';

/** Everything that was charged, whichever cohort it was computed with: a bound for each patient of any of them. */
export function listSpends(store: Store, researchStudyId: string): PrivacySpend[] {
  const rows = store.all(
    store.query
      .selectFrom('privacy_spend')
      .select(['noise_multiplier', 'sampling_rate', 'steps'])
      .where('research_study_id', '=', researchStudyId)
      .orderBy('charged_at')
      .orderBy('run_id'),
  );
  return rows.map((row) => ({
    noiseMultiplier: row.noise_multiplier,
    samplingRate: row.sampling_rate,
    steps: row.steps,
  }));
}

/** Whether a plan asks for differential privacy. */
export function isPrivate(plan: ResearchStudyPlan): plan is ResearchStudyPlan & PrivatePlan {
  return plan.privacy !== null;
}

/**
 * Before any gradient is taken: whether the plan's budget lets the next round be.
 * @throws PrivacyError PRIVACY_BUDGET_SPENT, DELTA_TOO_LARGE
 */
export function requirePrivacyBudget(store: Store, plan: ResearchStudyPlan, patientCount: number): void {
  if (!isPrivate(plan)) return;
  requireSmallDelta(plan.privacy.delta, patientCount);
  stateCost(plan, listSpends(store, plan.researchStudyId));
}

export interface PrivacyCharge {
  readonly plan: PrivatePlan;
  readonly opening: Pick<RoundOpening, 'researchStudyId' | 'round' | 'attempt'>;
  readonly runId: string;
}

/** Charges a run in the caller's transaction, once; gives what its statement has to say. @throws PrivacyError PRIVACY_BUDGET_SPENT */
export function chargePrivacy(store: Store, { plan, opening, runId }: PrivacyCharge): StatedCost {
  const { researchStudyId, round, attempt } = opening;
  const stated = stateCost(plan, listSpends(store, researchStudyId));
  const { noiseMultiplier, samplingRate, steps } = roundCost(plan);
  store.run(
    store.query.insertInto('privacy_spend').values({
      run_id: runId,
      research_study_id: researchStudyId,
      round,
      attempt,
      noise_multiplier: noiseMultiplier,
      sampling_rate: samplingRate,
      steps,
      charged_at: isoTime(store.clock.nowMs()),
    }),
  );
  return stated;
}
