// What a plan with differential privacy must keep to beside its privacy: nothing may pass by the noise. Held by the consortium before it
// publishes and by every site before it takes part.

import { objectiveOf } from '#federation/network/objective.ts';
import type { Contradiction } from '#federation/network/plan-contradiction.ts';
import { privacyGuarantee } from '#federation/privacy/privacy-guarantee.ts';
import { roundCost } from '#federation/privacy/round-cost.ts';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';

type CheckedPlan = Pick<ResearchStudyPlan, 'model' | 'normalisation' | 'privacy' | 'rounds' | 'training'>;

/** The first contradiction; undefined where there is none. Layers that mix the patients of a batch are in no plan at all. */
export function findPrivacyContradiction({
  model,
  normalisation,
  privacy,
  rounds,
  training,
}: CheckedPlan): Contradiction | undefined {
  if (privacy === null) return undefined;
  const { loss } = objectiveOf(model);
  if (loss === 'cox-partial-likelihood')
    return { field: 'model.kind', expected: 'a loss of one patient at a time', found: model.kind };
  // Mean and scale of the site's own patients would change every other patient's gradient with each of them.
  if (normalisation.scope === 'site')
    return { field: 'normalisation.scope', expected: 'federated', found: normalisation.scope };
  // A patient is one unit already; a weight that depends on how many rows others have would not be.
  if ('exampleWeighting' in model && model.exampleWeighting !== undefined)
    return { field: 'model.exampleWeighting', expected: null, found: model.exampleWeighting };
  const trainingRounds = rounds.filter((kind) => kind === 'training').length;
  const cost = roundCost({ privacy, training });
  const all = { ...cost, steps: cost.steps * trainingRounds };
  const { epsilon } = privacyGuarantee([all], privacy);
  // Else sites would stop in the middle of the study.
  if (epsilon <= privacy.epsilonBudget) return undefined;
  return { field: 'privacy.epsilonBudget', expected: `at least ${epsilon}`, found: privacy.epsilonBudget };
}
