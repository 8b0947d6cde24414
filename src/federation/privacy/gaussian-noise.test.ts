import { describe, expect, it } from 'vitest';
import { createKeystream } from '#federation/crypto/keystream.ts';
import { drawNoise, STEPS_PER_NORM } from '#federation/privacy/gaussian-noise.ts';

const stream = (seed: number) => createKeystream(new Uint8Array(32).fill(seed));

/** Φ to 1.5e-7 (Abramowitz and Stegun 7.1.26). */
function normalDistribution(x: number): number {
  const t = 1 / (1 + (0.3275911 * Math.abs(x)) / Math.SQRT2);
  const series =
    t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const upper = (series * Math.exp((-x * x) / 2)) / 2;
  return x < 0 ? upper : 1 - upper;
}

/** Probability of so great a Kolmogorov-Smirnov distance from N(0, 1), for many values. */
function kolmogorovSmirnov(values: Float64Array): number {
  const sorted = values.slice().sort();
  let distance = 0;
  for (const [index, value] of sorted.entries()) {
    const expected = normalDistribution(value);
    distance = Math.max(distance, (index + 1) / sorted.length - expected, expected - index / sorted.length);
  }
  const scaled = distance * Math.sqrt(sorted.length);
  let probability = 0;
  for (let k = 1; k <= 100; k += 1) probability += 2 * (-1) ** (k - 1) * Math.exp(-2 * (k * scaled) ** 2);
  return probability;
}

describe('noise', () => {
  const noiseMultiplier = 1.3;
  const draws = 1_000_000;
  const noise = drawNoise(draws, noiseMultiplier, stream(7));
  const standard = noise.map((steps) => steps / (STEPS_PER_NORM * noiseMultiplier));

  it('is whole steps of the grid, and so is its sum with other whole steps, as doubles of C too', () => {
    expect(noise.every((steps) => Number.isSafeInteger(steps))).toBe(true);
    const step = 0.7 / STEPS_PER_NORM;
    expect(noise.every((steps) => Math.round((steps * step) / step) === steps)).toBe(true);
  });

  it('is normal with standard deviation σC in a million draws', () => {
    expect(kolmogorovSmirnov(standard)).toBeGreaterThan(1e-3);
  });

  it('would not pass for that with a deviation off by one percent', () => {
    expect(kolmogorovSmirnov(standard.map((value) => value * 1.01))).toBeLessThan(1e-3);
  });

  it('has the moments of a normal distribution', () => {
    const moment = (power: number) => standard.reduce((sum, value) => sum + value ** power, 0) / draws;
    // Four standard errors of each moment's mean: √(E x^2k − (E x^k)²) of a normal distribution.
    expect(Math.abs(moment(1))).toBeLessThan(4 * Math.sqrt(1 / draws));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(4 * Math.sqrt(2 / draws));
    expect(Math.abs(moment(3))).toBeLessThan(4 * Math.sqrt(15 / draws));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(4 * Math.sqrt(96 / draws));
  });

  it('has neighbours that are not correlated, the two of one draw neither', () => {
    for (const lag of [1, 2, 3]) {
      let sum = 0;
      for (let index = lag; index < draws; index += 1)
        sum += (standard[index] ?? 0) * (standard[index - lag] ?? 0);
      expect(Math.abs(sum / draws)).toBeLessThan(4 / Math.sqrt(draws));
    }
  });

  it('shares nothing between two streams', () => {
    const other = drawNoise(10_000, noiseMultiplier, stream(8));
    let equal = 0;
    let product = 0;
    for (let index = 0; index < other.length; index += 1) {
      if (other[index] === noise[index]) equal += 1;
      product += ((other[index] ?? 0) / (STEPS_PER_NORM * noiseMultiplier)) * (standard[index] ?? 0);
    }
    // By chance two equal steps are met once in some five million pairs.
    expect(equal).toBe(0);
    expect(Math.abs(product / other.length)).toBeLessThan(4 / Math.sqrt(other.length));
  });

  it('goes on where the stream is, so that no two calls share any either', () => {
    const one = stream(9);
    const [first, second] = [drawNoise(1000, 1, one), drawNoise(1000, 1, one)];
    expect([...first].filter((steps, index) => steps === second[index])).toEqual([]);
  });

  it.each([0, 1, 2, 3])('has %d values where so many are asked for', (count) => {
    expect(drawNoise(count, 1, stream(1)).length).toBe(count);
  });
});
