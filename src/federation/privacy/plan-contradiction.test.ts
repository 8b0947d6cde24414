import { describe, expect, it } from 'vitest';
import { findPrivacyContradiction } from '#federation/privacy/plan-contradiction.ts';
import type { PrivacySpecification } from '#federation/records/privacy-plan.ts';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import { sampleModel } from '#support/model-samples.ts';
import { samplePlan } from '#support/sample-plan.ts';

const privacy: PrivacySpecification = {
  mechanism: 'dp-sgd',
  unit: 'patient',
  adjacency: 'add-or-remove-one-patient',
  clippingNorm: 1,
  noiseMultiplier: 1.2,
  samplingRate: 0.1,
  delta: 1e-3,
  epsilonBudget: 8,
  accountant: 'rdp',
};
const plan: ResearchStudyPlan = {
  ...samplePlan,
  privacy,
  normalisation: { scope: 'federated' },
  training: { ...samplePlan.training, localUpdates: 10 },
  rounds: ['statistics', 'training', 'training', 'evaluation'],
};

describe('a plan with differential privacy', () => {
  it('has no contradiction where nothing passes by the noise', () => {
    expect(findPrivacyContradiction(plan)).toBeUndefined();
    expect(
      findPrivacyContradiction({ ...plan, privacy: null, normalisation: { scope: 'site' } }),
    ).toBeUndefined();
  });

  it.each<[string, Partial<ResearchStudyPlan>, string]>([
    ['a loss of risk sets', { model: sampleModel('cox') }, 'model.kind'],
    ["the site's own normalisation", { normalisation: { scope: 'site' } }, 'normalisation.scope'],
    [
      'rows weighed by who else is there',
      { model: { ...sampleModel('mlp'), exampleWeighting: 'per-subject' } as ResearchStudyPlan['model'] },
      'model.exampleWeighting',
    ],
    [
      // 100 steps at noise 1.2 and rate 0.1 cost 4.0164 (security.md P5), 500 far more than 8.
      'more rounds than its budget has',
      { training: { ...plan.training, localUpdates: 250 } },
      'privacy.epsilonBudget',
    ],
  ])('is refused with %s', (_case, changes, field) => {
    expect(findPrivacyContradiction({ ...plan, ...changes })).toMatchObject({ field });
  });

  it('may spend its budget to the last', () => {
    const all = { ...plan, training: { ...plan.training, localUpdates: 50 } };
    expect(
      findPrivacyContradiction({ ...all, privacy: { ...privacy, epsilonBudget: 4.02 } }),
    ).toBeUndefined();
    expect(findPrivacyContradiction({ ...all, privacy: { ...privacy, epsilonBudget: 4.01 } })).toMatchObject({
      field: 'privacy.epsilonBudget',
    });
  });
});
