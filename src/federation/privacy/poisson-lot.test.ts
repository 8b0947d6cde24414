import { describe, expect, it } from 'vitest';
import { createKeystream } from '#federation/crypto/keystream.ts';
import { drawLot } from '#federation/privacy/poisson-lot.ts';
import { lotSizeFit } from '#support/lot-size-fit.ts';
import { refusalCode } from '#support/refusal-code.ts';

const patientCount = 60;
const samplingRate = 0.1;
const setting = { patientCount, samplingRate };
const stream = (seed: number) => createKeystream(new Uint8Array(32).fill(seed));

describe('a lot by Poisson sampling', () => {
  const one = stream(3);
  const lots = Array.from({ length: 2000 }, () => drawLot(patientCount, samplingRate, one));

  it('has a size of Binomial(N, q), in 2,000 draws', () => {
    const { statistic, limit } = lotSizeFit(
      lots.map(({ length }) => length),
      setting,
    );
    expect(statistic).toBeLessThan(limit);
  });

  it('is told by that from batches of a shuffled list, which are all of one size', () => {
    const { statistic, limit } = lotSizeFit(
      lots.map(() => patientCount * samplingRate),
      setting,
    );
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
