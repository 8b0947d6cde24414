import { describe, expect, it } from 'vitest';
import { formatInterval, scoreMajorityClass, wilsonInterval } from '#bench/federation/baseline.ts';
import { loadHeartSplit } from '#bench/federation/heart-split.ts';
import { heartAssets } from '#bench/package-root.ts';

describe('the majority class', () => {
  it('is right for 15 of the 16 Swiss test rows without any model', () => {
    expect(scoreMajorityClass(loadHeartSplit(heartAssets)).bySite.switzerland).toBe(15 / 16);
  });

  it('is chosen on training rows, never on the rows it is tested on', () => {
    const rows = (labels: readonly number[]) => ({
      features: new Float64Array(labels.length),
      labels: Float32Array.from(labels),
      count: labels.length,
      width: 1,
    });
    const score = scoreMajorityClass([
      { siteId: 'a', training: rows([0, 0, 1]), holdout: rows([1, 1, 1, 0]) },
      { siteId: 'b', training: rows([1, 1, 1]), holdout: rows([1, 0]) },
    ]);
    expect(score).toEqual({ bySite: { a: 1 / 4, b: 1 / 2 }, pooledTest: 4 / 6 });
  });
});

describe('the 95 % Wilson interval', () => {
  it.each([
    [15 / 16, 16, 0.7167, 0.9889], // Newcombe 1998, method 3
    [0.5, 100, 0.4038, 0.5962],
    [0, 10, 0, 0.2775],
    [1, 10, 0.7225, 1],
  ])('of %d over %d rows is known', (share, count, low, high) => {
    const [foundLow, foundHigh] = wilsonInterval(share, count);
    expect(foundLow).toBeCloseTo(low, 4);
    expect(foundHigh).toBeCloseTo(high, 4);
  });

  it('is printed with two digits', () => {
    expect(formatInterval(0.5, 100)).toBe('0.40–0.60');
  });
});
