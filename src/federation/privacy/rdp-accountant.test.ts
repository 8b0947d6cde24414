import { describe, expect, it } from 'vitest';
import { RDP_ORDERS, rdpEpsilon } from '#federation/privacy/rdp-accountant.ts';
import { renyiDivergence } from '#federation/privacy/renyi-divergence.ts';
import { refusalCode } from '#support/refusal-code.ts';
import { outcomes } from '#support/step-tradeoff.ts';

describe('the orders', () => {
  it('are those of the field, each once and rising', () => {
    expect(RDP_ORDERS.length).toBe(156);
    expect(RDP_ORDERS.slice(0, 3)).toEqual([1.1, 1.2, 1.3]);
    expect(RDP_ORDERS.slice(97, 101)).toEqual([10.8, 10.9, 11, 12]);
    expect(RDP_ORDERS.slice(-5)).toEqual([63, 128, 256, 512, 1024]);
    expect([...new Set(RDP_ORDERS)].sort((left, right) => left - right)).toEqual(RDP_ORDERS);
  });
});

describe('a Rényi divergence', () => {
  it.each([
    [1.1, 1, 0.01],
    [1.9, 0.4, 0.3],
    [3.7, 0.7, 0.05],
    [7, 2, 0.9],
    [10.9, 5, 0.5],
  ])('at order %d, noise %d and rate %d is that of the densities', (order, noiseMultiplier, samplingRate) => {
    const setting = { noiseMultiplier, samplingRate };
    const moment = outcomes(setting, 'add', 400).reduce(
      (sum, { loss, chance }) => sum + Math.exp(-order * loss) * chance,
      0,
    );
    const direct = Math.log(moment) / (order - 1);
    expect(renyiDivergence(order, setting) / direct).toBeCloseTo(1, 5);
  });

  it('rises with its order through whole and fractional ones, at any noise', () => {
    for (const noiseMultiplier of [0.02, 0.049, 0.051, 0.3, 1, 30]) {
      for (const samplingRate of [1e-4, 0.3, 0.999]) {
        const setting = { noiseMultiplier, samplingRate };
        const curve = RDP_ORDERS.map((order) => renyiDivergence(order, setting));
        for (let index = 1; index < curve.length; index += 1)
          expect(curve[index]).toBeGreaterThanOrEqual((curve[index - 1] ?? 0) * (1 - 1e-9));
      }
    }
  });

  it('is that of the Gaussian where everybody is drawn', () => {
    expect(renyiDivergence(3.5, { noiseMultiplier: 2, samplingRate: 1 })).toBe(3.5 / 8);
  });
});

describe('settings that no accountant takes', () => {
  const spend = { noiseMultiplier: 1, samplingRate: 0.1, steps: 10 };

  it.each([
    ['no noise', { ...spend, noiseMultiplier: 0 }, 1e-5, 'NO_NOISE'],
    ['next to no noise', { ...spend, noiseMultiplier: 0.0099 }, 1e-5, 'NO_NOISE'],
    ['negative noise', { ...spend, noiseMultiplier: -1 }, 1e-5, 'BAD_PRIVACY_SETTING'],
    ['noise that is no number', { ...spend, noiseMultiplier: Number.NaN }, 1e-5, 'BAD_PRIVACY_SETTING'],
    ['endless noise', { ...spend, noiseMultiplier: Number.POSITIVE_INFINITY }, 1e-5, 'BAD_PRIVACY_SETTING'],
    ['a negative rate', { ...spend, samplingRate: -0.1 }, 1e-5, 'BAD_PRIVACY_SETTING'],
    ['a rate above 1', { ...spend, samplingRate: 1.01 }, 1e-5, 'BAD_PRIVACY_SETTING'],
    ['a rate that is no number', { ...spend, samplingRate: Number.NaN }, 1e-5, 'BAD_PRIVACY_SETTING'],
    ['half a step', { ...spend, steps: 0.5 }, 1e-5, 'BAD_PRIVACY_SETTING'],
    ['negative steps', { ...spend, steps: -1 }, 1e-5, 'BAD_PRIVACY_SETTING'],
    ['delta 0', spend, 0, 'BAD_PRIVACY_SETTING'],
    ['delta 1', spend, 1, 'BAD_PRIVACY_SETTING'],
    ['a delta that is no number', spend, Number.NaN, 'BAD_PRIVACY_SETTING'],
  ])('%s is refused', (_, bad, delta, code) => {
    expect(refusalCode(() => rdpEpsilon([spend, bad], delta))).toBe(code);
  });

  it('without noise cost nothing where nobody is drawn', () => {
    const idle = { ...spend, noiseMultiplier: 0, samplingRate: 0 };
    expect(rdpEpsilon([spend, idle], 1e-5)).toEqual(rdpEpsilon([spend], 1e-5));
  });
});
