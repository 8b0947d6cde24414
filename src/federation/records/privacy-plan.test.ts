import { describe, expect, it } from 'vitest';
import { requireSmallDelta } from '#federation/privacy/privacy-budget.ts';
import { defaultDelta, privacySpecification } from '#federation/records/privacy-plan.ts';
import { refusalCode } from '#support/refusal-code.ts';

const specification = {
  mechanism: 'dp-sgd',
  unit: 'patient',
  adjacency: 'add-or-remove-one-patient',
  clippingNorm: 1,
  noiseMultiplier: 1.2,
  samplingRate: 0.1,
  delta: 1e-4,
  epsilonBudget: 8,
  accountant: 'rdp',
};

describe('what a plan says about differential privacy', () => {
  it('is read as it was written, with or without a warning of its own', () => {
    for (const written of [specification, { ...specification, warnAboveEpsilon: 2 }])
      expect(privacySpecification.parse(written)).toEqual(written);
  });

  it.each([
    ['another mechanism', { mechanism: 'dp-ftrl' }],
    ['rows as units', { unit: 'row' }],
    ['another adjacency', { adjacency: 'replace-one-patient' }],
    ['no adjacency', { adjacency: undefined }],
    ['no clipping', { clippingNorm: 0 }],
    ['endless clipping', { clippingNorm: Number.POSITIVE_INFINITY }],
    ['no noise', { noiseMultiplier: 0 }],
    ['next to no noise', { noiseMultiplier: 0.001 }],
    ['noise that is no number', { noiseMultiplier: Number.NaN }],
    ['nobody sampled', { samplingRate: 0 }],
    ['a rate above 1', { samplingRate: 1.1 }],
    ['delta 0', { delta: 0 }],
    ['delta 1', { delta: 1 }],
    ['no budget', { epsilonBudget: 0 }],
    ['an endless budget', { epsilonBudget: Number.POSITIVE_INFINITY }],
    ['another accountant', { accountant: 'none' }],
    ['a warning above the budget', { warnAboveEpsilon: 9 }],
    ['a field that nobody knows', { epsilon: 1 }],
  ])('is refused with %s', (_, change) => {
    expect(privacySpecification.safeParse({ ...specification, ...change }).success).toBe(false);
  });

  it('has a default delta that any cohort of that size may use', () => {
    for (const patientCount of [1, 10, 303, 50_000])
      expect(refusalCode(() => requireSmallDelta(defaultDelta(patientCount), patientCount))).toBe('none');
  });
});
