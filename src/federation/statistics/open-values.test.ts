import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { poolSums, sumExactly } from '#federation/statistics/exact-sums.ts';
import { type ColumnRelease, releaseColumn } from '#federation/statistics/open-values.ts';
import { histogramBins, sketchBins } from '#federation/statistics/value-bins.ts';

const limit = 5;
const rule = { bins: sketchBins, limit, maximumCells: 64 };
const release = (values: readonly number[]) => releaseColumn(Float64Array.from(values), rule);

describe('the sums of a column', () => {
  it('do not leave where they are an equation with one solution: a score of which two subjects have 2', () => {
    const scores = [...Array<number>(20).fill(0), ...Array<number>(12).fill(1), 2, 2];
    expect(release(scores).areSumsOpen).toBe(false);
    expect(release(scores).cells.map(({ count }) => count)).toEqual([20, 14]);
  });

  it('leave where no value is rare', () => {
    const scores = [...Array<number>(20).fill(0), ...Array<number>(12).fill(1), ...Array<number>(6).fill(2)];
    expect(release(scores)).toMatchObject({
      areSumsOpen: true,
      cells: [{ count: 20 }, { count: 18 }],
    });
    expect(release(Array<number>(10).fill(7))).toEqual({
      cells: [{ from: sketchBins.binOf(7), to: sketchBins.binOf(7), count: 10 }],
      areSumsOpen: true,
    });
  });

  it('leave of a measured column, with its cells', () => {
    const values = Array.from({ length: 120 }, (_, index) => 150 + ((index * 37) % 140));
    const { cells, areSumsOpen } = release(values);
    expect(areSumsOpen).toBe(true);
    expect(cells.length).toBeGreaterThan(5);
    expect(poolSums([sumExactly(values)])?.count).toBe(120);
  });

  it('do not leave of fewer subjects than a cell holds, and neither do cells', () => {
    expect(release([1, 2, 3, 4, 5, 6, 7, 8, 9])).toEqual({ cells: [], areSumsOpen: false });
  });

  it('leave with no more cells than the plan allows', () => {
    const values = Float64Array.from({ length: 1000 }, (_, index) => index + 1);
    expect(releaseColumn(values, { ...rule, maximumCells: 8 }).cells.length).toBeLessThanOrEqual(8);
  });
});

describe('a reader who tries every data of small whole numbers', () => {
  it('never learns how many subjects have a value that fewer than the limit have', () => {
    // What is shown of each table of counts of the values 0 to `most`: count, sum, sum of squares and cells.
    for (const [most, subjects] of [
      [2, 24],
      [3, 21],
      [4, 16],
    ] as const) {
      const looks = new Map<string, number[][]>();
      for (const counts of tables(most + 1, subjects)) {
        const values = counts.flatMap((count, value) => Array<number>(count).fill(value));
        const shown = JSON.stringify(shownOf(values, release(values)));
        looks.set(shown, [...(looks.get(shown) ?? []), counts]);
      }
      const told = [...looks].filter(([, alike]) =>
        (alike[0] ?? []).some(
          (count, value) => count > 0 && count < limit && alike.every((other) => other[value] === count),
        ),
      );
      expect(told).toEqual([]);
    }
  });
});

describe('a reader who solves the equations', () => {
  it('finds for every rare value of a released column data with another number of it', () => {
    // Whole numbers that have a bin each, in two cells: all data between the smallest and the largest that have these sums.
    const whole = Array.from({ length: 16 }, (_, index) => 4 + index);
    const column = fc.oneof(
      fc.array(fc.constantFrom(...whole), { minLength: 20, maxLength: 29 }),
      // Many with one value and one or two with each of the others: what is rare is soon all that is left.
      fc
        .tuple(
          fc.constantFrom(...whole),
          fc.integer({ min: 8, max: 14 }),
          fc.subarray(whole, { minLength: 11, maxLength: 14 }),
        )
        .map(([common, count, others]) => [...Array<number>(count).fill(common), ...others]),
    );
    let solvedCount = 0;
    fc.assert(
      fc.property(column, (values) => {
        const { cells, areSumsOpen } = release(values);
        const [first, second] = cells;
        if (!areSumsOpen || first === undefined || second === undefined || first.from === first.to) return;
        solvedCount += 1;
        const isPossible = solve(values, first.count);
        for (const value of new Set(values)) {
          const count = values.filter((other) => other === value).length;
          const others = Array.from({ length: values.length }, (_, number) => number).filter(
            (one) => one !== count,
          );
          if (count < limit) expect(others.some((other) => isPossible(value, other))).toBe(true);
        }
      }),
      { seed: 3, numRuns: 12 },
    );
    expect(solvedCount).toBeGreaterThan(2);
  });
});

describe('a column in another unit', () => {
  const fives = 5;
  const centimetresOfInch = 2.54;
  const kilogramsOfPound = 0.45359237;
  it.each([fives, centimetresOfInch, kilogramsOfPound])(
    'keeps its sums where the same numbers in steps of 1 and not of %d keep theirs',
    (step) => {
      const drawn = fc.array(fc.integer({ min: 60, max: 75 }), { minLength: 20, maxLength: 36 });
      fc.assert(
        fc.property(drawn, fc.subarray([62, 65, 68, 70, 72]), (numbers, cuts) => {
          const isOpenIn = (unit: number) =>
            releaseColumn(
              Float64Array.from(numbers, (number) => number * unit),
              { ...rule, bins: histogramBins([60, ...cuts].map((cut) => (cut + 0.5) * unit)) },
            ).areSumsOpen;
          expect(isOpenIn(step)).toBe(isOpenIn(1));
        }),
        { numRuns: 300 },
      );
    },
  );
});

describe('a column of many values', () => {
  const measured = (parts: number) => Array.from({ length: 60 }, (_, index) => 50 + (index * 7) / parts);

  it.each([
    ['whole numbers', 1],
    ['numbers without a last decimal', 3],
  ])(
    'of %s keeps its sums where one value stands far out: the sum of squares would be its square',
    (_, parts) => {
      const values = measured(parts);
      expect(release([...values, 100_000])).toMatchObject({ areSumsOpen: false });
      expect(release([...values, 100_000]).cells.at(-1)?.count).toBeGreaterThanOrEqual(2 * limit);
    },
  );

  it('lets them leave where none does', () => {
    expect(release(measured(3)).areSumsOpen).toBe(true);
    expect(release(Array.from({ length: 3000 }, (_, index) => index / 2)).areSumsOpen).toBe(true);
  });

  it('answers in a moment where the search for other data finds none among two thousand values', () => {
    // Three far out: what a step of one does to the sum of squares no step of the others undoes.
    const values = Array.from({ length: 1900 }, (_, index) => 1000 + index);
    expect(release([...values, 30_000, 29_000, 28_000]).areSumsOpen).toBe(false);
  });
});

/** Whether so many subjects can have this value, by all that leaves and by the rule that ends the first cell. */
function solve(values: readonly number[], firstCount: number): (value: number, count: number) => boolean {
  const sorted = values.toSorted((left, right) => left - right);
  const [least = 0, end = 0, most = 0] = [sorted[0], sorted[firstCount - 1], sorted.at(-1)];
  const wanted = sumsOf(values);
  const fewestAtEnd = firstCount - 2 * limit + 1;
  /** Sums that the first cell can have, with so many of one value fixed. */
  const firstSums = (value?: number, count = 0) => {
    const free = between(least, end - 1).filter((other) => other !== value);
    const counts = value === end ? [count] : between(fewestAtEnd, firstCount);
    const fixed = value === undefined || value === end ? 0 : count;
    return counts
      .filter((atEnd) => atEnd >= fewestAtEnd && atEnd + fixed <= firstCount)
      .flatMap((atEnd) =>
        [...sumsOfSome(free, firstCount - atEnd - fixed)].map(
          (sum) => sum + atEnd * sumsOf([end]) + fixed * sumsOf([value ?? 0]),
        ),
      );
  };
  const secondCount = values.length - firstCount;
  const secondSums = (value?: number, count = 0) => {
    const free = between(end + 1, most).filter((other) => other !== value);
    return [...sumsOfSome(free, secondCount - count)].map((sum) => sum + count * sumsOf([value ?? 0]));
  };
  const [allFirst, allSecond] = [new Set(firstSums()), new Set(secondSums())];
  return (value, count) =>
    value <= end
      ? firstSums(value, count).some((sum) => allSecond.has(wanted - sum))
      : secondSums(value, count).some((sum) => allFirst.has(wanted - sum));
}

/** Sums that so many subjects with these values can have. */
function sumsOfSome(values: readonly number[], subjects: number): ReadonlySet<number> {
  if (subjects < 0) return new Set();
  const reached = Array.from({ length: subjects + 1 }, (_, used) => new Set(used === 0 ? [0] : []));
  for (const value of values) {
    for (let used = 1; used <= subjects; used += 1)
      for (const sum of reached[used - 1] ?? []) reached[used]?.add(sum + sumsOf([value]));
  }
  return reached[subjects] ?? new Set();
}

/** Sum and sum of squares in one number; neither reaches a million here. */
function sumsOf(values: readonly number[]): number {
  return total(values) * 1e6 + total(values.map((value) => value ** 2));
}

function between(from: number, to: number): number[] {
  return Array.from({ length: Math.max(to - from + 1, 0) }, (_, index) => from + index);
}

function shownOf(values: readonly number[], { cells, areSumsOpen }: ColumnRelease): unknown {
  return [
    cells,
    values.length,
    areSumsOpen ? [total(values), total(values.map((value) => value ** 2))] : null,
  ];
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** Every way to spread exactly `subjects` over so many values. */
function tables(width: number, subjects: number): number[][] {
  if (width === 1) return [[subjects]];
  return Array.from({ length: subjects + 1 }, (_, count) =>
    tables(width - 1, subjects - count).map((rest) => [count, ...rest]),
  ).flat();
}
