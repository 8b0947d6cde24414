import { describe, expect, it } from 'vitest';
import { calibrateNoise } from '#federation/privacy/calibrate-noise.ts';
import { rdpEpsilon } from '#federation/privacy/rdp-accountant.ts';
import { refusalCode } from '#support/refusal-code.ts';

const target = { accountant: 'rdp', delta: 1e-4, samplingRate: 0.05, steps: 400 } as const;

describe('calibrated noise', () => {
  it.each([0.05, 0.5, 2, 40, 500])('for epsilon %d is enough, and hardly more than that', (targetEpsilon) => {
    const noiseMultiplier = calibrateNoise({ ...target, targetEpsilon });
    const epsilonAt = (noise: number) => rdpEpsilon([{ ...target, noiseMultiplier: noise }], 1e-4).epsilon;
    expect(epsilonAt(noiseMultiplier)).toBeLessThanOrEqual(targetEpsilon);
    expect(epsilonAt(noiseMultiplier * 0.9998)).toBeGreaterThan(targetEpsilon);
  });

  it('counts what was spent before', () => {
    const spent = [{ noiseMultiplier: 1, samplingRate: 0.05, steps: 100 }];
    const noiseMultiplier = calibrateNoise({ ...target, targetEpsilon: 4, spent });
    expect(noiseMultiplier).toBeGreaterThan(calibrateNoise({ ...target, targetEpsilon: 4 }));
    expect(rdpEpsilon([...spent, { ...target, noiseMultiplier }], 1e-4).epsilon).toBeLessThanOrEqual(4);
  });

  it.each([
    ['that is 0', 0, []],
    ['that is no number', Number.NaN, []],
    ['that was spent already', 1, [{ noiseMultiplier: 0.5, samplingRate: 0.5, steps: 100 }]],
  ])('is refused for a target %s', (_, targetEpsilon, spent) => {
    expect(refusalCode(() => calibrateNoise({ ...target, targetEpsilon, spent }))).toBe(
      'BAD_PRIVACY_SETTING',
    );
  });
});
