import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { measureColumn, normalisationOf } from './index.ts';

const matrix = (rows: readonly (readonly number[])[]) => ({
  values: Float64Array.from(rows.flat()),
  count: rows.length,
  width: rows[0]?.length ?? 1,
});

describe('the quality of a column', () => {
  it.each([
    ['counts what is there, missing and suspect', [0, 200, Number.NaN, 0], 0, [3, 1, 2, false]],
    ['calls one repeated value constant', [0, 0, Number.NaN], 0, [2, 1, 2, true]],
    ['does not call a single value constant', [5, Number.NaN], null, [1, 1, 0, false]],
    ['does not call an empty column constant', [Number.NaN], null, [0, 1, 0, false]],
  ])('%s', (_, values, flagValue, [presentCount, missingCount, flaggedCount, isConstant]) => {
    expect(measureColumn(Float64Array.from(values), flagValue)).toEqual({
      presentCount,
      missingCount,
      flaggedCount,
      isConstant,
    });
  });
});

describe('the normalisation of one site', () => {
  it('is mean and unbiased standard deviation', () => {
    const { mean, scale } = normalisationOf(
      matrix([
        [2, 7],
        [4, 7],
        [9, 7],
      ]),
    );
    expect([...mean]).toEqual([5, 7]);
    expect([...scale]).toEqual([Math.sqrt(13), 0]);
  });

  it('adds in row order, so that the same rows give the same bits', () => {
    // 1e16 + 1 + 1 is 1e16 from the left and 1e16 + 2 from the right.
    expect(normalisationOf(matrix([[1e16], [1], [1]])).mean[0]).toBe(1e16 / 3);
    expect(normalisationOf(matrix([[1], [1], [1e16]])).mean[0]).toBe((1e16 + 2) / 3);
  });

  it('has scale 0 for every constant column, whatever the rounding', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, min: -1e6, max: 1e6 }),
        fc.integer({ min: 1, max: 60 }),
        (value, count) => {
          expect(normalisationOf(matrix(Array.from({ length: count }, () => [value]))).scale[0]).toBe(0);
        },
      ),
    );
  });
});
