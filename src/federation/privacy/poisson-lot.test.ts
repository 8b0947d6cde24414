import { describe, expect, it } from 'vitest';
import { createKeystream } from '#federation/crypto/keystream.ts';
import { drawLot } from '#federation/privacy/poisson-lot.ts';
import { refusalCode } from '#support/refusal-code.ts';

const patientCount = 60;
const samplingRate = 0.1;
const stream = (seed: number) => createKeystream(new Uint8Array(32).fill(seed));

function binomial(successes: number): number {
  let chance = (1 - samplingRate) ** patientCount;
  for (let k = 1; k <= successes; k += 1)
    chance *= (((patientCount - k + 1) / k) * samplingRate) / (1 - samplingRate);
  return chance;
}

/** χ² of lot sizes against Binomial(N, q), the sizes of either tail together, and what it exceeds once in a thousand. */
function sizeFit(sizes: readonly number[]): { readonly statistic: number; readonly limit: number } {
  const [low, high] = [1, 12];
  const bins = Array.from({ length: high - low + 1 }, () => ({ found: 0, expected: 0 }));
  const binOf = (size: number) =>
    bins[Math.min(high, Math.max(low, size)) - low] ?? { found: 0, expected: 0 };
  for (const size of sizes) binOf(size).found += 1;
  for (let size = 0; size <= patientCount; size += 1) binOf(size).expected += sizes.length * binomial(size);
  expect(Math.min(...bins.map(({ expected }) => expected))).toBeGreaterThan(5);
  const degrees = bins.length - 1;
  return {
    statistic: bins.reduce((sum, { found, expected }) => sum + (found - expected) ** 2 / expected, 0),
    // Wilson and Hilferty's approximation at the 99.9th percentile of a normal distribution.
    limit: degrees * (1 - 2 / (9 * degrees) + 3.09 * Math.sqrt(2 / (9 * degrees))) ** 3,
  };
}

describe('a lot by Poisson sampling', () => {
  const one = stream(3);
  const lots = Array.from({ length: 2000 }, () => drawLot(patientCount, samplingRate, one));

  it('has a size of Binomial(N, q), in 2,000 draws', () => {
    const { statistic, limit } = sizeFit(lots.map(({ length }) => length));
    expect(statistic).toBeLessThan(limit);
  });

  it('is told by that from batches of a shuffled list, which are all of one size', () => {
    const { statistic, limit } = sizeFit(lots.map(() => patientCount * samplingRate));
    expect(statistic).toBeGreaterThan(10 * limit);
  });

  it('has each patient as often as any other', () => {
    const expected = lots.length * samplingRate;
    const deviation = Math.sqrt(expected * (1 - samplingRate));
    for (let patient = 0; patient < patientCount; patient += 1) {
      const found = lots.filter((lot) => lot.includes(patient)).length;
      expect(Math.abs(found - expected)).toBeLessThan(4 * deviation);
    }
  });

  it('lets a patient miss an epoch, and be drawn twice in one', () => {
    const epoch = lots.slice(0, 1 / samplingRate);
    const times = Array.from(
      { length: patientCount },
      (_value, patient) => epoch.filter((lot) => lot.includes(patient)).length,
    );
    expect(Math.min(...times)).toBe(0);
    expect(Math.max(...times)).toBeGreaterThan(1);
  });

  it('may be empty, and is the whole cohort at rate 1', () => {
    expect(lots.some(({ length }) => length === 0)).toBe(true);
    expect(drawLot(5, 0, one)).toEqual([]);
    expect(drawLot(0, 0.5, one)).toEqual([]);
    expect(drawLot(5, 1, one)).toEqual([0, 1, 2, 3, 4]);
  });

  it.each([-0.1, 1.1, Number.NaN])('has no rate of %d', (rate) => {
    expect(refusalCode(() => drawLot(5, rate, one))).toBe('BAD_PRIVACY_SETTING');
  });
});
