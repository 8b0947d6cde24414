// Whether an update says of differential privacy what its plan asks for, and tells of all that this site computed before (P4).
import type { ConsortiumStore } from '#consortium/store/index.ts';
import { privacyGuarantee } from '#federation/privacy/privacy-guarantee.ts';
import { type PrivatePlan, roundCost } from '#federation/privacy/round-cost.ts';
import type { ModelUpdate } from '#federation/records/model-update.ts';
import type { PrivacyStatement } from '#federation/records/privacy-statement.ts';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import { refusal } from './intake-error.ts';

export interface PrivacyCheck {
  readonly update: ModelUpdate;
  readonly plan: ResearchStudyPlan;
}

/** The same logarithms on two machines may differ in their last digits. */
const TOLERANCE = 1e-9;

/** @throws IntakeError OUT_OF_POLICY */
export function verifyPrivacy(store: ConsortiumStore, { update, plan }: PrivacyCheck): void {
  const { privacy } = plan;
  const stated = update.privacy;
  if (privacy === null || update.updateKind !== 'delta') {
    if (stated !== null)
      throw refusal('OUT_OF_POLICY', 'privacy', { expected: null, found: stated.mechanism });
    return;
  }
  if (stated === null)
    throw refusal('OUT_OF_POLICY', 'privacy', { expected: privacy.mechanism, found: null });
  verifySettings(stated, { privacy, training: plan.training });
  const most = 1 / update.patientCount;
  if (privacy.delta >= most)
    throw refusal('OUT_OF_POLICY', 'privacy.delta', { expected: most, found: privacy.delta });
  verifyTotal(store, { update, stated, plan: { privacy, training: plan.training } });
}

function verifySettings(stated: PrivacyStatement, { privacy, training }: PrivatePlan): void {
  const expected = {
    clippingNorm: privacy.clippingNorm,
    noiseMultiplier: privacy.noiseMultiplier,
    samplingRate: privacy.samplingRate,
    delta: privacy.delta,
    accountant: privacy.accountant,
    steps: training.localUpdates,
  };
  for (const field of Object.keys(expected) as (keyof typeof expected)[]) {
    if (stated[field] !== expected[field])
      throw refusal('OUT_OF_POLICY', `privacy.${field}`, { expected: expected[field], found: stated[field] });
  }
}

interface TotalCheck {
  readonly update: ModelUpdate;
  readonly stated: PrivacyStatement;
  readonly plan: PrivatePlan;
}

/** Stops a site whose ledger was lost, as after a restore from an old backup, from spending its budget a second time. */
function verifyTotal(store: ConsortiumStore, { update, stated, plan }: TotalCheck): void {
  const { privacy } = plan;
  const cost = roundCost(plan);
  const rounds = countTrained(store, update) + 1;
  const known = privacyGuarantee([{ ...cost, steps: cost.steps * rounds }], privacy).epsilon;
  if (stated.epsilonTotal < known * (1 - TOLERANCE))
    throw refusal('OUT_OF_POLICY', 'privacy.epsilonTotal', { expected: known, found: stated.epsilonTotal });
  if (stated.epsilonTotal > privacy.epsilonBudget)
    throw refusal('OUT_OF_POLICY', 'privacy.epsilonTotal', {
      expected: privacy.epsilonBudget,
      found: stated.epsilonTotal,
    });
}

/** Updates of training rounds that this site sent so far, of rounds that were given up or taken back too. */
function countTrained(store: ConsortiumStore, { researchStudyId, siteId }: ModelUpdate): number {
  const rows = store.all(
    store.query
      .selectFrom('received_update')
      .innerJoin('round', (join) =>
        join
          .onRef('round.research_study_id', '=', 'received_update.research_study_id')
          .onRef('round.round', '=', 'received_update.round')
          .onRef('round.attempt', '=', 'received_update.attempt'),
      )
      .select('received_update.update_digest')
      .where('received_update.research_study_id', '=', researchStudyId)
      .where('received_update.site_id', '=', siteId)
      .where('round.kind', '=', 'training'),
  );
  return rows.length;
}
