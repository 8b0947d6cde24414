import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aggregateRound } from '#federation/aggregation/aggregate-round.ts';
import type { FeatureSpecification } from '#federation/records/data-elements.ts';
import type { ReleasedStatistics } from '#federation/records/site-statistics.ts';
import { releaseStatistics, type StatisticsRows } from '#federation/statistics/release-statistics.ts';
import { type StatisticsPlan, statisticsLayout } from '#federation/statistics/statistics-layout.ts';
import { decodeStatistics, encodeStatistics } from '#federation/statistics/statistics-tensors.ts';
import { suppressTable } from '#federation/statistics/suppress-cells.ts';
import type { TensorMap } from '#federation/tensors/tensor.ts';
import { createTestPlan } from '#support/stored-subjects.ts';

const limit = 5;
/** age, sex, chol, exang, cp_2 and cp_3, the last two of one coded value. */
const plan: StatisticsPlan = {
  ...createTestPlan(),
  statistics: { minimumCell: limit, maximumCells: 8, histograms: [], noise: null },
};
const layout = layoutOf(plan);

function layoutOf(asked: StatisticsPlan) {
  const found = statisticsLayout(asked);
  if (found === undefined) throw new Error('a plan without statistics');
  return found;
}

interface Row {
  readonly age: number;
  readonly sex: boolean;
  readonly chol: number;
  readonly exang: boolean;
  /** 1 to 4. */
  readonly pain: number;
  readonly label: boolean;
}

const rare = fc.nat({ max: 20 }).map((drawn) => drawn === 0);
const row: fc.Arbitrary<Row> = fc.record({
  age: fc.integer({ min: 28, max: 77 }),
  sex: fc.oneof(rare, fc.boolean()),
  chol: fc.oneof(
    fc.constant(0),
    fc.integer({ min: 120, max: 400 }),
    fc.double({ noNaN: true, min: 3, max: 9 }),
  ),
  exang: rare,
  pain: fc.oneof(fc.constant(4), fc.integer({ min: 1, max: 4 })),
  label: fc.oneof(rare, fc.boolean()),
});
const rows = fc.array(row, { minLength: 10, maxLength: 60 });

function rowsOf(drawn: readonly Row[], missingCounts = [0, 0, 0, 0, 0, 0]): StatisticsRows {
  return {
    values: Float64Array.from(
      drawn.flatMap(({ age, sex, chol, exang, pain }) => [
        age,
        Number(sex),
        chol,
        Number(exang),
        Number(pain === 2),
        Number(pain === 3),
      ]),
    ),
    count: drawn.length,
    labels: drawn.map(({ label }) => Number(label)),
    missingCounts,
  };
}

const release = (drawn: readonly Row[]) => releaseStatistics(layout, rowsOf(drawn));

describe('a table of counts whose total is known', () => {
  it.each([2, 3, 4])(
    'tells no small count of %i cells, nor of some of them together, to a reader who knows the rule',
    (cells) => {
      const most = cells === 4 ? 16 : 22;
      const looks = new Map<string, number[][]>();
      for (const counts of tables(cells, most)) {
        const key = JSON.stringify([suppressTable(counts, limit), sum(counts)]);
        looks.set(key, [...(looks.get(key) ?? []), counts]);
      }
      const told: unknown[] = [];
      for (const alike of looks.values()) {
        const [counts = []] = alike;
        // Near the edge of what is enumerated the look-alikes with a larger number are lacking.
        if (Math.max(...counts) > most / 2 || sum(counts) < limit) continue;
        for (const some of subsets(cells)) {
          const together = (table: readonly number[]) => sum(some.map((cell) => table[cell] ?? 0));
          const count = together(counts);
          if (count > 0 && count < limit && alike.every((other) => together(other) === count))
            told.push([counts, some]);
        }
      }
      expect(told).toEqual([]);
    },
  );

  it.each([
    ['few have another code', [1, 3, 26, 0], [null, null, null, null]],
    ['enough have another code', [6, 3, 26, 4], [6, null, 26, null]],
  ])('%s', (_, counts, expected) => {
    expect(suppressTable(counts, limit)).toEqual(expected);
  });
});

describe('released statistics', () => {
  it('hold no small count, and none is a sum or difference of what is published', () => {
    fc.assert(
      fc.property(rows, (drawn) => {
        const released = release(drawn);
        for (const table of publishedTables(released)) {
          for (const some of subsets(table.length)) {
            const shown = sum(some.map((cell) => table[cell] ?? 0));
            for (const count of [shown, released.exampleCount - shown])
              expect(count === 0 || count >= limit).toBe(true);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it('are what the rows say wherever a number is there', () => {
    fc.assert(
      fc.property(rows, (drawn) => {
        const { features, labelCount, exampleCount } = release(drawn);
        expect(exampleCount).toBe(drawn.length);
        if (labelCount !== null) expect(labelCount).toBe(drawn.filter(({ label }) => label).length);
        const [age, sex, , , , third] = features;
        if (sex?.kind === 'counted' && sex.oneCount !== null)
          expect(sex.oneCount).toBe(drawn.filter((one) => one.sex).length);
        if (third?.kind === 'counted' && third.oneCount !== null)
          expect(third.oneCount).toBe(drawn.filter(({ pain }) => pain === 3).length);
        if (age?.kind === 'measured' && age.sums !== null)
          expect(sum(age.sums.sum)).toBe(sum(drawn.map((one) => one.age)));
      }),
      { numRuns: 40 },
    );
  });

  it('round missing values down, so that a few are none', () => {
    const drawn = Array.from({ length: 20 }, (_, index) => sampleRow(index));
    const { features } = releaseStatistics(layout, rowsOf(drawn, [4, 5, 9, 14, 0, 100]));
    expect(features.map(({ missingCount }) => missingCount)).toEqual([0, 5, 5, 10, 0, 100]);
  });

  it('come back from the tensors of an update as they were', () => {
    fc.assert(
      fc.property(rows, (drawn) => {
        const released = release(drawn);
        expect(decodeStatistics(layout, encodeStatistics(layout, released))).toEqual(released);
      }),
      { numRuns: 20 },
    );
  });

  it('have the bins of the plan where it names some', () => {
    const histograms = [{ feature: 'age', edges: [40, 50, 60, 70] }];
    const withBins = layoutOf({
      ...plan,
      statistics: { minimumCell: limit, maximumCells: 8, histograms, noise: null },
    });
    const drawn = Array.from({ length: 60 }, (_, index) => sampleRow(index));
    const [age] = releaseStatistics(withBins, rowsOf(drawn)).features;
    expect(age?.kind === 'measured' ? age.cells : []).toEqual([
      { from: 0, to: 0, count: 22 },
      { from: 1, to: 1, count: 12 },
      { from: 2, to: 2, count: 10 },
      { from: 3, to: 4, count: 16 },
    ]);
  });
});

describe('two measures of one code', () => {
  const [, , chol] = plan.dataElements.features;
  const features = [chol, { ...chol, name: 'highest', aggregation: 'max' }] as FeatureSpecification[];
  const twice = layoutOf({ ...plan, dataElements: { ...plan.dataElements, features } });
  const released = (different: number) => {
    const values = Array.from({ length: 60 }, (_, index) => 150 + ((index * 37) % 140));
    const paired = values.flatMap((value, index) => [value, index < different ? value + 7 : value]);
    const { features: found } = releaseStatistics(twice, {
      values: Float64Array.from(paired),
      count: values.length,
      labels: values.map(() => 0),
      missingCounts: [0, 0],
    });
    return found.map(
      (feature) => feature.kind === 'measured' && feature.cells.length > 0 && isWhole(feature),
    );
  };

  it.each([
    [0, [true, true]],
    [1, [true, false]],
    [4, [true, false]],
    [5, [true, true]],
  ])('of which %i subjects have different ones', (different, expected) => {
    expect(released(different)).toEqual(expected);
  });
});

describe('columns of a plan', () => {
  it('are of one coded value where code and window are the same', () => {
    const [age, , , , second, third] = plan.dataElements.features;
    const features = [
      second,
      third,
      { ...third, windowDays: { before: 1, after: 0 } },
      age,
    ] as FeatureSpecification[];
    expect(layoutOf({ ...plan, dataElements: { ...plan.dataElements, features } }).groups).toEqual([
      [0, 1],
      [2],
    ]);
  });
});

describe('a round', () => {
  const base: TensorMap = new Map([
    ['weights/bias', { shape: [1], data: Float32Array.of(0) }],
    ['weights/kernel', { shape: [6, 1], data: new Float32Array(6) }],
  ]);
  const updateOf = (drawn: readonly Row[], siteId: string) => ({
    siteId,
    exampleCount: drawn.length,
    payload: encodeStatistics(layout, release(drawn)),
  });

  it('of all sites has exactly the mean and deviation of all rows in one place, where nothing is withheld', () => {
    const sites = [0, 1, 2].map((site) =>
      Array.from({ length: 50 }, (_, index) => sampleRow(index * 3 + site)),
    );
    const parted = aggregateRound({
      kind: 'statistics',
      base,
      plan,
      updates: sites.map((drawn, site) => updateOf(drawn, `site-${site}`)),
    });
    const pooled = aggregateRound({
      kind: 'statistics',
      base,
      plan,
      updates: [updateOf(sites.flat(), 'all')],
    });
    expect(parted.statistics?.flatMap(({ features }) => features.map(isWhole))).toEqual(Array(18).fill(true));
    for (const name of ['normalisation/mean', 'normalisation/scale'])
      expect(parted.tensors.get(name)).toEqual(pooled.tensors.get(name));
    expect(parted.statistics?.map(({ siteId }) => siteId)).toEqual(['site-0', 'site-1', 'site-2']);
  });

  it('takes of a column the sites that released it, and 0 where none did', () => {
    const few = Array.from({ length: 30 }, (_, index) => ({ ...sampleRow(index), exang: index < 2 }));
    const many = Array.from({ length: 30 }, (_, index) => ({ ...sampleRow(index), exang: index < 15 }));
    const meanOf = (...sites: Row[][]) =>
      aggregateRound({
        kind: 'statistics',
        base,
        plan,
        updates: sites.map((drawn, site) => updateOf(drawn, `s${site}`)),
      }).tensors.get('normalisation/mean')?.data[3];
    expect(meanOf(few, many)).toBe(0.5);
    expect(meanOf(few)).toBe(0);
  });

  it('has no scale made of the rounding of units: divided by 38.67 or multiplied by its inverse', () => {
    const updates = [151 / 38.67, 151 * (1 / 38.67)].map((chol, site) =>
      updateOf(
        Array.from({ length: 20 }, (_, index) => ({ ...sampleRow(index), chol })),
        `site-${site}`,
      ),
    );
    const { tensors, statistics } = aggregateRound({ kind: 'statistics', base, plan, updates });
    expect(statistics?.map(({ features }) => features[2] !== undefined && isWhole(features[2]))).toEqual([
      true,
      true,
    ]);
    expect(tensors.get('normalisation/mean')?.data[2]).toBeCloseTo(151 / 38.67, 10);
    expect(tensors.get('normalisation/scale')?.data[2]).toBe(0);
  });

  const sent = encodeStatistics(layout, release(Array.from({ length: 50 }, (_, index) => sampleRow(index))));
  it.each<[string, string, number, number]>([
    ['a count that is not the statement’s', 'count', 0, 49],
    ['a fractional count', 'count', 0, 49.5],
    ['a small count of ones', 'oneCount', 1, 3],
    ['a small count of zeros', 'oneCount', 1, 48],
    ['a small count of those with none of the codes', 'oneCount', 4, 35],
    ['more codes than subjects', 'oneCount', 4, 45],
    ['a small count of a label', 'labelCount', 0, 1],
    ['a missing count that is not rounded', 'missingCount', 0, 3],
    ['a small cell', 'cells', 2, 4],
    ['cells of other rows', 'cells', 2, 100],
    ['a cell that ends before it begins', 'cells', 0, 100_000],
    ['a sum that no data have', 'sums', 16, 1e9],
    ['a sum in other parts', 'sums', 17, 0.5],
    ['a sum too large', 'sums', 20, 1e40],
    ['a count of ones in a measured column', 'oneCount', 0, 20],
    ['a cell of a counted column', 'cells', 8 * 3 + 2, 50],
    ['a sum that is said to be withheld', 'hasSums', 2, 0],
  ])('refuses %s', (_, name, at, value) => {
    const payload = structuredClone(sent);
    const data = payload.get(`statistics/${name}`)?.data;
    if (data === undefined || data[at] === value) throw new Error('nothing changed');
    data[at] = value;
    expect(() =>
      aggregateRound({
        kind: 'statistics',
        base,
        plan,
        updates: [{ siteId: 'a', exampleCount: 50, payload }],
      }),
    ).toThrow(expect.objectContaining({ code: 'BAD_TENSORS' }));
  });

  it.each([
    [45, 'taken'],
    [50, 'BAD_TENSORS'],
  ])('of whose 50 subjects %i have one code, another withheld, is %s', (others, outcome) => {
    const payload = structuredClone(sent);
    payload.get('statistics/oneCount')?.data.set([others, -1], 4);
    const close = () =>
      aggregateRound({
        kind: 'statistics',
        base,
        plan,
        updates: [{ siteId: 'a', exampleCount: 50, payload }],
      });
    if (outcome === 'taken') expect(close().statistics).toHaveLength(1);
    else expect(close).toThrow(expect.objectContaining({ code: outcome }));
  });
});

function sampleRow(index: number): Row {
  return {
    age: 30 + (index % 47),
    sex: index % 3 > 0,
    chol: 150 + ((index * 37) % 170),
    exang: index % 4 === 0,
    pain: 1 + (index % 4),
    label: index % 2 === 0,
  };
}

function isWhole(feature: ReleasedStatistics['features'][number]): boolean {
  return feature.kind === 'counted' ? feature.oneCount !== null : feature.sums !== null;
}

/** Counts that are parts of the same rows: what is published of one label, coded value, or measured feature. */
function publishedTables({ labelCount, features }: ReleasedStatistics): number[][] {
  const shown = (counts: readonly (number | null)[]) => counts.filter((count) => count !== null);
  const oneCounts = features.map((feature) => (feature.kind === 'counted' ? feature.oneCount : null));
  return [
    shown([labelCount]),
    ...layout.groups.map((group) => shown(group.map((column) => oneCounts[column] ?? null))),
    ...features.map((feature) =>
      feature.kind === 'measured' ? feature.cells.map(({ count }) => count) : [],
    ),
  ];
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

function subsets(size: number): number[][] {
  return Array.from({ length: 2 ** size }, (_, bits) =>
    Array.from({ length: size }, (__, cell) => cell).filter((cell) => (bits >> cell) & 1),
  );
}

function tables(cells: number, most: number): number[][] {
  if (cells === 0) return [[]];
  const shorter = tables(cells - 1, most);
  return Array.from({ length: most + 1 }, (_, count) => shorter.map((rest) => [count, ...rest])).flat();
}
