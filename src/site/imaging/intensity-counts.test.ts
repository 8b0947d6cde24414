import { describe, expect, it } from 'vitest';
import { IntensityCounter, type IntensityCounts, mostIntensities, percentileOf } from './intensity-counts.ts';

function countsOf(...images: readonly (readonly number[] | Float32Array)[]): IntensityCounts {
  const counter = new IntensityCounter();
  for (const image of images) expect(counter.add(Float32Array.from(image))).toBe(true);
  return counter.counts();
}

/** The definition, by sorting everything. */
function percentileBySort(values: readonly number[], percent: number): number {
  const sorted = Float32Array.from(values).sort();
  return sorted[Math.max(1, Math.ceil((percent * sorted.length) / 100)) - 1] ?? Number.NaN;
}

/** A multiplicative generator, for tests that want many numbers. */
function* drawn(seed: number): Generator<number> {
  for (let state = seed; ; state = (state * 48_271) % 2_147_483_647) yield state / 2_147_483_647;
}

const many = (count: number, seed: number, make: (share: number) => number): number[] =>
  drawn(seed)
    .take(count)
    .map((share) => make(share))
    .toArray();

describe('the percentile of intensities', () => {
  it.each<[string, readonly number[], number, number]>([
    ['the middle of three', [30, 10, 20], 50, 20],
    ['the highest', [30, 10, 20], 100, 30],
    ['the lower of two at half', [1, 2], 50, 1],
    ['of negative and positive ones', [-1000, -5.5, 0, 40], 75, 0],
    ['of both zeros', [-0, 0, 0, -0], 60, 0],
    ['of one pixel', [7.25], 99.5, 7.25],
    ['that 995 of 1000 do not exceed', Array.from({ length: 1000 }, (_, at) => at), 99.5, 994],
  ])('is by rank: %s', (_, values, percent, expected) => {
    expect(percentileOf(countsOf(values), percent)).toBe(expected);
  });

  it.each([50, 75, 90, 99, 99.5, 99.9, 100])('is what sorting all pixels gives, at %d', (percent) => {
    const stored = many(20_000, 3, (share) => Math.floor(share * share * 4096) * 0.37 - 1024);
    expect(percentileOf(countsOf(stored), percent)).toBe(percentileBySort(stored, percent));
  });

  it('does not depend on the order of images, nor on how they are put together', () => {
    const images = [1, 2, 3, 4].map((seed) => many(3000, seed, (share) => Math.round(share * 900) - 200));
    const forward = countsOf(...images);
    expect(countsOf(...images.toReversed())).toEqual(forward);
    const merged = new IntensityCounter();
    for (const image of images.toReversed()) merged.merge(countsOf(image));
    expect(merged.counts()).toEqual(forward);
  });

  it('is of nothing where a pixel is no number', () => {
    for (const broken of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
      expect(new IntensityCounter().add(Float32Array.of(1, broken, 2))).toBe(false);
  });
});

describe('more different intensities than are told apart', () => {
  const values = many(300_000, 11, (share) => (share - 0.3) * 1e4);

  it('share their highest bits, in memory that does not grow', () => {
    const { shift, keys } = countsOf(values);
    expect(shift).toBeGreaterThan(0);
    expect(keys.length).toBeLessThanOrEqual(mostIntensities);
    const counts = countsOf(values);
    const exact = percentileBySort(values, 99.5);
    const found = percentileOf(counts, 99.5);
    expect(found).toBeLessThanOrEqual(exact);
    expect(Math.abs(found - exact) / exact).toBeLessThan(2 ** (shift - 23));
  });

  it('come out the same in any order, and in any parts', () => {
    const whole = countsOf(values);
    expect(countsOf(values.toReversed())).toEqual(whole);
    const parts = [values.slice(0, 1000), values.slice(1000, 200_000), values.slice(200_000)];
    const merged = new IntensityCounter();
    for (const part of parts) merged.merge(countsOf(part));
    expect(merged.counts()).toEqual(whole);
  });

  it('are forgotten when the counter is cleared', () => {
    const counter = new IntensityCounter();
    counter.add(Float32Array.from(values));
    counter.clear();
    counter.add(Float32Array.of(3, 1, 3));
    expect(counter.counts()).toEqual(countsOf([3, 1, 3]));
  });
});
