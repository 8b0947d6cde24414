import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromSteps, nearestRatio, toSteps } from '#federation/statistics/exact-number.ts';
import { areSumsOfData, poolSums, sumExactly } from '#federation/statistics/exact-sums.ts';

const clinical = fc.oneof(
  fc.integer({ min: -1000, max: 1_000_000 }),
  fc.integer({ min: -200_000, max: 300_000 }).map((thousandths) => thousandths / 1000),
  fc.double({ noNaN: true, min: -1e9, max: 1e9 }).filter((value) => value === 0 || Math.abs(value) > 1e-6),
);
const rows = fc.array(clinical, { minLength: 1, maxLength: 60 });

describe('a double as whole steps', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(fromSteps(toSteps(value))).toBe(value === 0 ? 0 : value);
      }),
    );
  });

  it.each([
    [1n, 3n, 1 / 3],
    [-2n, 3n, -2 / 3],
    [10n, 1n, 10],
    // Half-way between two doubles: to the even one; a little more: up.
    [2n ** 53n + 1n, 1n, 2 ** 53],
    [2n ** 54n + 3n, 2n, 2 ** 53 + 2],
  ])('%s / %s is rounded once', (numerator, denominator, expected) => {
    expect(nearestRatio(numerator, denominator)).toBe(expected);
  });

  it('divides whole numbers as IEEE 754 does', () => {
    const whole = fc.integer({ min: 1, max: 2 ** 50 });
    fc.assert(
      fc.property(whole, whole, (left, right) => {
        expect(nearestRatio(BigInt(left), BigInt(right))).toBe(left / right);
      }),
    );
  });
});

describe('exact sums', () => {
  it('lose nothing where a sum of doubles does', () => {
    expect(2 ** 60 + 1 + 1).toBe(2 ** 60);
    const { sum, sumOfSquares } = sumExactly([2 ** 60, 1, 1]);
    expect(sum).toEqual([2 ** 60, 2, 0, 0]);
    expect(sumOfSquares).toEqual([2 ** 120, 2, 0, 0]);
    expect(poolSums([sumExactly([0.1, 0.1, 0.1])])).toEqual({ count: 3, mean: 0.1, variance: 0 });
  });

  it.each([1, 10, 100, 1000])(
    'of decimals in steps of 1/%i say no more than their sums in steps',
    (scale) => {
      const alike = [
        [0, 4, 5],
        [1, 2, 6],
      ].map((added) => sumExactly(added.map((steps) => (151 + steps) / scale)));
      expect(alike[0]).toEqual(alike[1]);
    },
  );

  it('of one decimal at every site have no variance', () => {
    const sites = [13, 7, 6].map((rows) => sumExactly(Array<number>(rows).fill(0.1)));
    expect(poolSums(sites)).toEqual({ count: 26, mean: 0.1, variance: 0 });
    expect(sites.every(areSumsOfData)).toBe(true);
  });

  it('have the mean and unbiased variance of a hand-worked case', () => {
    expect(poolSums([sumExactly([1, 2, 3]), sumExactly([4])])).toEqual({
      count: 4,
      mean: 2.5,
      variance: 5 / 3,
    });
    expect(poolSums([sumExactly([7])])).toEqual({ count: 1, mean: 7, variance: 0 });
    expect(poolSums([])).toBeUndefined();
  });

  it('are the same bits in any order and however the rows are spread over sites', () => {
    fc.assert(
      fc.property(rows, fc.infiniteStream(fc.nat({ max: 3 })), (values, numbers) => {
        const sites: number[][] = [[], [], [], []];
        for (const value of values) sites[numbers.next().value]?.push(value);
        const backwards = sumExactly(values.toReversed());
        expect(backwards).toEqual(sumExactly(values));
        expect(poolSums(sites.map(sumExactly).reverse())).toEqual(poolSums([backwards]));
      }),
    );
  });

  it('are those of whole-number arithmetic', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -1e6, max: 1e6 }), { minLength: 2, maxLength: 50 }),
        (values) => {
          const n = BigInt(values.length);
          const sum = values.reduce((total, value) => total + BigInt(value), 0n);
          const squares = values.reduce((total, value) => total + BigInt(value) ** 2n, 0n);
          const pooled = poolSums([sumExactly(values)]);
          expect(pooled?.mean).toBe(nearestRatio(sum, n));
          expect(pooled?.variance).toBe(nearestRatio(n * squares - sum * sum, n * (n - 1n)));
        },
      ),
    );
  });

  it('tells sums that no data have', () => {
    fc.assert(fc.property(rows, (values) => areSumsOfData(sumExactly(values))));
    expect(areSumsOfData({ count: 3, sum: [30, 0, 0, 0], sumOfSquares: [299, 0, 0, 0] })).toBe(false);
    expect(areSumsOfData({ count: 3, sum: [0, 0, 0, 0], sumOfSquares: [-1, 0, 0, 0] })).toBe(false);
  });
});
