import { describe, expect, it } from 'vitest';
import { createInitialWeights, normaliseFeatures } from '#site/model/index.ts';

const zeros = { kind: 'zeros' as const };
const uniform = { kind: 'uniform' as const, bound: 0.25, seed: 'ab'.repeat(32) };

describe('initial weights', () => {
  it('are zeros where the plan says so', () => {
    const weights = createInitialWeights({
      kind: 'logistic-regression',
      inputCount: 3,
      initialisation: zeros,
    });
    expect([...weights.keys()]).toEqual(['weights/bias', 'weights/kernel']);
    expect(weights.get('weights/kernel')).toEqual({ shape: [3, 1], data: new Float32Array(3) });
    expect(weights.get('weights/bias')).toEqual({ shape: [1], data: new Float32Array(1) });
  });

  it('are uniform within the bound, the same for the same seed', () => {
    const specification = { kind: 'logistic-regression' as const, inputCount: 4000, initialisation: uniform };
    const kernel = Float32Array.from(createInitialWeights(specification).get('weights/kernel')?.data ?? []);
    const mean = kernel.reduce((total, value) => total + value, 0) / kernel.length;
    const variance = kernel.reduce((total, value) => total + value * value, 0) / kernel.length;
    expect(Math.max(...kernel)).toBeLessThan(0.25);
    expect(Math.min(...kernel)).toBeGreaterThanOrEqual(-0.25);
    // Five standard errors of the mean and of the variance (bound^2 / 3) of 4,000 uniform draws.
    expect(Math.abs(mean)).toBeLessThan((5 * 0.25) / Math.sqrt(3 * 4000));
    expect(Math.abs(variance - 0.25 ** 2 / 3)).toBeLessThan(5 * 0.25 ** 2 * Math.sqrt(4 / 45 / 4000));
    expect(createInitialWeights(specification).get('weights/kernel')?.data).toEqual(kernel);
    const other = createInitialWeights({
      ...specification,
      initialisation: { ...uniform, seed: 'cd'.repeat(32) },
    });
    expect(other.get('weights/kernel')?.data).not.toEqual(kernel);
  });
});

describe('normalisation', () => {
  it('subtracts the mean and divides by the scale, and gives 0 for a constant column', () => {
    const normalised = normaliseFeatures(Float64Array.of(1, 7, 3, 7), { mean: [2, 7], scale: [0.5, 0] });
    expect([...normalised]).toEqual([-2, 0, 2, 0]);
  });

  it('gives 0 for a column that is constant elsewhere and not here', () => {
    expect([...normaliseFeatures([5], { mean: [0], scale: [0] })]).toEqual([0]);
  });

  it.each([
    ['half a row', [1, 2, 3], [0, 0], [1, 1]],
    ['a scale of another width', [1, 2], [0, 0], [1]],
    ['no columns', [], [], []],
  ])('refuses %s', (_, features, mean, scale) => {
    expect(() => normaliseFeatures(features, { mean, scale })).toThrow(
      expect.objectContaining({ code: 'MODEL_EXAMPLES_MISMATCH' }),
    );
  });
});
