import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commonCells, countBins, mergeBins } from '#federation/statistics/cells.ts';
import { quantileOf } from '#federation/statistics/quantiles.ts';
import { GAMMA, histogramBins, RELATIVE_ERROR, sketchBins } from '#federation/statistics/value-bins.ts';

const value = fc.oneof(
  fc.integer({ min: -50, max: 400 }),
  fc.double({ noNaN: true, min: -1e6, max: 1e6 }),
  fc.constantFrom(0, 1e-9, -1e-9, 1e16, -1e16, 1e-12),
);
const values = fc.array(value, { minLength: 1, maxLength: 80 });
const cellsOf = (column: readonly number[], minimum: number, bins = sketchBins) =>
  mergeBins(countBins(column, bins), bins, minimum);
const lowerQuantile = (column: readonly number[], share: number) =>
  column.toSorted((left, right) => left - right)[Math.floor(share * (column.length - 1))] ?? Number.NaN;

describe('the bins of the sketch', () => {
  it('have the error of the paper: (gamma - 1) / (gamma + 1), below one in a hundred', () => {
    expect(RELATIVE_ERROR).toBeCloseTo(0.00990099, 8);
    for (const [lower, upper] of [[1, GAMMA]] as const) {
      const middle = (2 * upper) / (GAMMA + 1);
      expect((middle - lower) / lower).toBeCloseTo(RELATIVE_ERROR, 12);
      expect((upper - middle) / upper).toBeCloseTo(RELATIVE_ERROR, 12);
    }
  });

  it.each([
    ['zero', 0, 0],
    ['the bound of zero', 1e-9, 0],
    ['the first above it', 1.01e-9, 1],
    ['the bound of the first', 1e-9 * GAMMA, 1],
    ['just below zero', -1e-9, -1],
    ['too large', 1e300, sketchBins.last],
    ['too small', -1e300, sketchBins.first],
  ])('%s', (_, found, bin) => {
    expect(sketchBins.binOf(found)).toBe(bin);
  });

  it.each([
    ['sketch', sketchBins],
    ['histogram', histogramBins([-3, 0, 0.5, 200])],
  ])('of a %s hold what is above the bin before and not above its own bound', (_, bins) => {
    fc.assert(
      fc.property(value, (found) => {
        const bin = bins.binOf(found);
        expect(bin).toBeGreaterThanOrEqual(bins.first);
        expect(bin).toBeLessThanOrEqual(bins.last);
        expect(found).toBeLessThanOrEqual(bins.upperOf(bin));
        if (bin > bins.first) expect(found).toBeGreaterThan(bins.upperOf(bin - 1));
      }),
    );
  });
});

describe('merged bins', () => {
  it('close as soon as there are enough, and end at infinity', () => {
    const bins = histogramBins([1, 2, 3, 4]);
    expect(cellsOf([1, 1, 2, 3, 3, 4, 9], 3, bins)).toEqual([
      { from: 0, to: 1, count: 3 },
      { from: 2, to: 4, count: 4 },
    ]);
    expect(cellsOf([1, 1], 3, bins)).toEqual([]);
    // Three in one bin: its own bounds are nobody's alone.
    expect(cellsOf([2, 2, 2], 3, bins)).toEqual([{ from: 1, to: 1, count: 3 }]);
  });

  it('hold every subject once and never fewer than the minimum', () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 20 }), (column, minimum) => {
        const cells = cellsOf(column, minimum);
        expect(cells.every(({ count }) => count >= minimum)).toBe(true);
        const total = cells.reduce((sum, { count }) => sum + count, 0);
        expect(total).toBe(column.length < minimum ? 0 : column.length);
      }),
    );
  });

  it('do not tell how many are in a bin below the minimum to a reader who knows the rule', () => {
    // Every table of up to 9 subjects in four bins, by what is shown of it.
    const bins = histogramBins([1, 2, 3]);
    const limit = 3;
    const looks = new Map<string, number[][]>();
    for (const counts of tables(4, 9)) {
      const cells = mergeBins(new Map(counts.map((count, bin) => [bin, count])), bins, limit);
      const shown = JSON.stringify([cells, cells.length === 0 ? sum(counts) : null]);
      looks.set(shown, [...(looks.get(shown) ?? []), counts]);
    }
    for (const alike of looks.values()) {
      for (const [bin, count] of (alike[0] ?? []).entries()) {
        if (count === 0 || count >= limit) continue;
        expect(alike.some((other) => other[bin] !== count)).toBe(true);
      }
    }
  });

  it('of several sites add up to cells that end where all of them end', () => {
    const bins = histogramBins([1, 2, 3, 4]);
    const left = cellsOf([1, 1, 2, 2, 3, 3, 4], 2, bins);
    const right = cellsOf([1, 2, 2, 2, 3, 3, 3, 9], 3, bins);
    expect(commonCells([left, right, []], bins)).toEqual([
      { from: 0, to: 1, count: 8 },
      { from: 2, to: 4, count: 7 },
    ]);
  });
});

describe('a quantile', () => {
  it('is within the stated relative error where no bin was merged', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true, min: 1e-6, max: 1e9 }), { minLength: 3, maxLength: 99 }),
        fc.double({ noNaN: true, min: 0, max: 1 }),
        (column, share) => {
          // The smallest and largest bin are open: other values bound them here.
          const found =
            quantileOf([cellsOf([-1, ...column, 1e12], 1)], sketchBins, share).estimate ?? Number.NaN;
          const exact = lowerQuantile([-1, ...column, 1e12], share);
          if (exact === -1 || exact === 1e12) return;
          expect(Math.abs(found - exact)).toBeLessThanOrEqual(RELATIVE_ERROR * exact * (1 + 1e-12));
        },
      ),
    );
  });

  it('of all rows is between its bounds, whatever each site merged, and in any order of sites', () => {
    const sites = fc.array(fc.tuple(values, fc.integer({ min: 1, max: 9 })), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(sites, fc.double({ noNaN: true, min: 0, max: 1 }), (drawn, share) => {
        const released = drawn.map(([column, minimum]) => cellsOf(column, minimum));
        const counted = drawn
          .filter((_, index) => (released[index]?.length ?? 0) > 0)
          .flatMap(([column]) => column);
        const found = quantileOf(released, sketchBins, share);
        expect(quantileOf(released.toReversed(), sketchBins, share)).toEqual(found);
        expect(commonCells(released.toReversed(), sketchBins)).toEqual(commonCells(released, sketchBins));
        if (counted.length === 0) {
          expect(found).toEqual({ estimate: null, lower: null, upper: null });
          return;
        }
        const exact = lowerQuantile(counted, share);
        expect(exact).toBeGreaterThanOrEqual(found.lower ?? Number.NEGATIVE_INFINITY);
        expect(exact).toBeLessThanOrEqual(found.upper ?? Number.POSITIVE_INFINITY);
      }),
    );
  });
});

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

function tables(bins: number, most: number): number[][] {
  if (bins === 0) return [[]];
  return Array.from({ length: most + 1 }, (_, count) =>
    tables(bins - 1, most - count).map((rest) => [count, ...rest]),
  ).flat();
}
