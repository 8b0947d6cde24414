import { describe, expect, it } from 'vitest';
import { discretiseStep, type LossDistribution } from '#federation/privacy/privacy-loss-distribution.ts';
import { deltaOfStep } from '#support/step-tradeoff.ts';

const settings = [
  { noiseMultiplier: 1, samplingRate: 0.01 },
  { noiseMultiplier: 0.3, samplingRate: 0.001 },
  { noiseMultiplier: 3, samplingRate: 0.7 },
  { noiseMultiplier: 1.5, samplingRate: 1 },
];

function deltaOnGrid({ first, masses }: LossDistribution, spacing: number, epsilon: number): number {
  return masses.reduce((sum, mass, index) => {
    const loss = (first + index) * spacing;
    return loss > epsilon ? sum - Math.expm1(epsilon - loss) * mass : sum;
  }, 0);
}

describe('losses on a grid', () => {
  it.each(settings)('of %o keep the mass of both distributions', (setting) => {
    const spacing = 0.001;
    const step = discretiseStep(setting, { spacing, tail: 8 });
    for (const { first, masses } of [step.remove, step.add]) {
      const mass = masses.reduce((sum, value) => sum + value, 0);
      const other = masses.reduce(
        (sum, value, index) => sum + value * Math.exp(-(first + index) * spacing),
        0,
      );
      expect(Math.abs(mass - 1)).toBeLessThan(1e-9);
      expect(Math.abs(other - 1)).toBeLessThan(1e-9);
    }
  });

  it.each(settings)(
    'of %o give away what the step does at grid points, and no less between them',
    (setting) => {
      for (const spacing of [0.5, 0.01]) {
        const step = discretiseStep(setting, { spacing, tail: 8 });
        for (const direction of ['remove', 'add'] as const) {
          for (const epsilon of [-0.313, -0.1, 0, 0.004, 0.26, 0.5, 1.333, 4]) {
            const onGrid = deltaOnGrid(step[direction], spacing, epsilon);
            const inStep = deltaOfStep(setting, direction, epsilon);
            expect(onGrid).toBeGreaterThanOrEqual(inStep * (1 - 1e-7) - 1e-12);
            const isGridPoint = Number.isInteger(Math.round((epsilon / spacing) * 1e6) / 1e6);
            // Between them lies a chord of a convex curve whose slope is at most 1.
            expect(onGrid - inStep).toBeLessThan(isGridPoint ? 1e-7 : spacing / 4);
          }
        }
      }
    },
  );
});
