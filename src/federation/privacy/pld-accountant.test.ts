import { describe, expect, it } from 'vitest';
import { pldEpsilon } from '#federation/privacy/pld-accountant.ts';
import { rdpEpsilon } from '#federation/privacy/rdp-accountant.ts';
import { deltaOfStep, deltaOfTwoSteps, type Setting } from '#support/step-tradeoff.ts';

const worstOf = (
  delta: (setting: Setting, direction: 'add' | 'remove', epsilon: number) => number,
  setting: Setting,
  epsilon: number,
): number => Math.max(delta(setting, 'remove', epsilon), delta(setting, 'add', epsilon));

describe('epsilon by the privacy loss distribution', () => {
  it.each([
    [{ noiseMultiplier: 1, samplingRate: 0.01 }, 1e-5],
    [{ noiseMultiplier: 0.3, samplingRate: 0.001 }, 1e-6],
    [{ noiseMultiplier: 0.3, samplingRate: 0.001 }, 1e-4],
    [{ noiseMultiplier: 2, samplingRate: 0.5 }, 1e-3],
    [{ noiseMultiplier: 0.7, samplingRate: 0.9 }, 1e-9],
    [{ noiseMultiplier: 4, samplingRate: 1 }, 1e-7],
  ])('of one step of %o at delta %d is the one of the densities', (setting, delta) => {
    const epsilon = pldEpsilon([{ ...setting, steps: 1 }], delta);
    const reached = worstOf(deltaOfStep, setting, epsilon);
    expect(reached / delta).toBeLessThan(1 + 1e-6);
    expect(reached / delta).toBeGreaterThan(0.999);
  });

  it.each([
    [{ noiseMultiplier: 0.8, samplingRate: 0.05 }, 1e-4],
    [{ noiseMultiplier: 0.4, samplingRate: 0.01 }, 1e-3],
    [{ noiseMultiplier: 1.5, samplingRate: 0.6 }, 1e-6],
  ])('of two steps of %o at delta %d is the one of all pairs of outcomes', (setting, delta) => {
    const epsilon = pldEpsilon([{ ...setting, steps: 2 }], delta);
    const reached = worstOf(deltaOfTwoSteps, setting, epsilon);
    expect(reached / delta).toBeLessThan(1 + 1e-4);
    expect(reached / delta).toBeGreaterThan(0.998);
  });

  it.each([
    [1, 1, 1e-5],
    [10, 100, 1e-5],
    [20, 10_000, 1e-8],
    [0.5, 3, 1e-12],
    [100, 50, 1e-3],
  ])(
    'of full batches at noise %d is that of one Gaussian, after %d steps',
    (noiseMultiplier, steps, delta) => {
      const epsilon = pldEpsilon([{ noiseMultiplier, samplingRate: 1, steps }], delta);
      const joined = { noiseMultiplier: noiseMultiplier / Math.sqrt(steps), samplingRate: 1 };
      const reached = deltaOfStep(joined, 'remove', epsilon);
      expect(reached / delta).toBeLessThan(1 + 1e-6);
      expect(reached / delta).toBeGreaterThan(0.999);
    },
  );

  // Roots of Φ(1/2 − ε) − e^ε Φ(−1/2 − ε) = δ, found with 150 digits by mpmath.
  it.each([
    [1e-5, 4.37717809568],
    [1e-20, 9.51093624057],
    [1e-50, 15.2478654323],
    [1e-100, 21.6275080936],
  ])('of sixteen steps at noise 4 is the exact one, and above it, at delta %d', (delta, exact) => {
    const epsilon = pldEpsilon([{ noiseMultiplier: 4, samplingRate: 1, steps: 16 }], delta);
    expect(epsilon).toBeGreaterThanOrEqual(exact);
    expect(epsilon).toBeLessThan(exact + 1e-5);
  });

  it('is below that of RDP where the best order lies in the gap above 63', () => {
    const spend = { noiseMultiplier: 3.6, samplingRate: 3.7e-4, steps: 49_545 };
    // So many small losses add up to nearly one Gaussian's (Bu, Dong, Long, Su 2020).
    const mu = spend.samplingRate * Math.sqrt(spend.steps * Math.expm1(1 / spend.noiseMultiplier ** 2));
    const nearly = pldEpsilon([{ noiseMultiplier: 1 / mu, samplingRate: 1, steps: 1 }], 2.3e-10);
    expect(Math.abs(pldEpsilon([spend], 2.3e-10) / nearly - 1)).toBeLessThan(0.01);
    expect(pldEpsilon([spend], 2.3e-10)).toBeLessThan(0.8 * rdpEpsilon([spend], 2.3e-10).epsilon);
  });

  it('neither depends on the order of rounds nor on how a round is cut', () => {
    const [first, second] = [
      { noiseMultiplier: 1, samplingRate: 0.02, steps: 300 },
      { noiseMultiplier: 2, samplingRate: 0.1, steps: 40 },
    ];
    const whole = pldEpsilon([first, second], 1e-5);
    expect(pldEpsilon([second, { ...first, steps: 100 }, { ...first, steps: 200 }], 1e-5)).toBeCloseTo(
      whole,
      9,
    );
  });

  it('grows with steps and rate, falls with noise and delta', () => {
    const base = { noiseMultiplier: 1.1, samplingRate: 0.02, steps: 400 };
    const epsilon = pldEpsilon([base], 1e-5);
    expect(pldEpsilon([{ ...base, steps: 401 }], 1e-5)).toBeGreaterThan(epsilon);
    expect(pldEpsilon([{ ...base, samplingRate: 0.0201 }], 1e-5)).toBeGreaterThan(epsilon);
    expect(pldEpsilon([{ ...base, noiseMultiplier: 1.11 }], 1e-5)).toBeLessThan(epsilon);
    expect(pldEpsilon([base], 1.1e-5)).toBeLessThan(epsilon);
  });

  it.each([
    [{ noiseMultiplier: 0.01, samplingRate: 0.5, steps: 1000 }, 1e-5],
    [{ noiseMultiplier: 1000, samplingRate: 1e-3, steps: 1 }, 1e-12],
    [{ noiseMultiplier: 1, samplingRate: 0.01, steps: 1000 }, 1e-100],
    [{ noiseMultiplier: 1, samplingRate: 0.01, steps: 10_000_000 }, 1e-5],
    [{ noiseMultiplier: 1, samplingRate: 1, steps: 1_000_000_000 }, 1e-5],
    [{ noiseMultiplier: 1, samplingRate: 1 - 2 ** -53, steps: 10 }, 1e-5],
    [{ noiseMultiplier: 1, samplingRate: 1e-12, steps: 1000 }, 1e-5],
    [{ noiseMultiplier: 1, samplingRate: 0.01, steps: 1000 }, 0.5],
  ])('of the extreme %o at delta %d is a number, no more than that of RDP', (spend, delta) => {
    const epsilon = pldEpsilon([spend], delta);
    expect(Number.isFinite(epsilon)).toBe(true);
    expect(epsilon).toBeGreaterThanOrEqual(0);
    expect(epsilon).toBeLessThanOrEqual(rdpEpsilon([spend], delta).epsilon);
  });
});
