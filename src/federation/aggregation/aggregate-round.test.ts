import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aggregateRound } from '#federation/aggregation/aggregate-round.ts';
import { payloadManifest } from '#federation/aggregation/payload-manifest.ts';
import type { SiteUpdate } from '#federation/aggregation/site-update.ts';
import { type ExactSums, sumExactly } from '#federation/statistics/exact-sums.ts';
import { requireStatisticsLayout } from '#federation/statistics/statistics-layout.ts';
import { encodeStatistics } from '#federation/statistics/statistics-tensors.ts';
import { encodeSafetensors } from '#federation/tensors/safetensors.ts';
import type { Tensor, TensorMap } from '#federation/tensors/tensor.ts';
import { samplePlan } from '#support/sample-plan.ts';

function weights(kernel: readonly number[], bias: number): TensorMap {
  return new Map<string, Tensor>([
    ['weights/bias', { shape: [1], data: Float32Array.of(bias) }],
    ['weights/kernel', { shape: [kernel.length, 1], data: Float32Array.from(kernel) }],
  ]);
}

const layout = requireStatisticsLayout(samplePlan);

/** What a site sends in a statistics round of the sample plan: sums of the first feature, and of the second how many have it. */
function statistics({ count, ...sums }: ExactSums, oneCount: number | null = null): TensorMap {
  const { sum, sumOfSquares } = sums;
  return encodeStatistics(layout, {
    exampleCount: count,
    labelCount: null,
    features: [
      {
        kind: 'measured',
        name: 'chol',
        missingCount: 0,
        cells: [],
        sums: { sum: [...sum], sumOfSquares: [...sumOfSquares] },
      },
      { kind: 'counted', name: 'exang', missingCount: 0, oneCount },
    ],
  });
}

const statisticsOf = (rows: readonly number[]): TensorMap => statistics(sumExactly(rows));

/** Sums that need not be those of any rows. */
const claimedSums = (count: number, sum: number, sumOfSquares: number): ExactSums => ({
  count,
  sum: [sum, 0, 0, 0],
  sumOfSquares: [sumOfSquares, 0, 0, 0],
});

function evaluation(exampleCount: number, correctCount: number, lossSum: number): TensorMap {
  return new Map<string, Tensor>([
    ['evaluation/exampleCount', { shape: [1], data: Float64Array.of(exampleCount) }],
    ['evaluation/correctCount', { shape: [1], data: Float64Array.of(correctCount) }],
    ['evaluation/lossSum', { shape: [1], data: Float64Array.of(lossSum) }],
  ]);
}

const values = (tensors: TensorMap, name: string): number[] => [...(tensors.get(name)?.data ?? [])];
const normalisation: TensorMap = new Map<string, Tensor>([
  ['normalisation/mean', { shape: [2], data: Float64Array.of(3, 4) }],
  ['normalisation/scale', { shape: [2], data: Float64Array.of(1, 0) }],
]);
const base: TensorMap = new Map([...weights([1, 10], 0.5), ...normalisation]);

describe('a training round', () => {
  it('adds the example-weighted mean of the deltas to the base', () => {
    // Worked by hand: shares 1/4 and 3/4; kernel 1 + (4·1 + 0·3)/4 = 2, 10 + (0·1 - 4·3)/4 = 7; bias 0.5 + (-2 + 6)/4 = 1.5.
    const outcome = aggregateRound({
      kind: 'training',
      base,
      updates: [
        { siteId: 'hungary', exampleCount: 30, payload: weights([0, -4], 2) },
        { siteId: 'cleveland', exampleCount: 10, payload: weights([4, 0], -2) },
      ],
    });
    expect(values(outcome.tensors, 'weights/kernel')).toEqual([2, 7]);
    expect(values(outcome.tensors, 'weights/bias')).toEqual([1.5]);
    expect([...outcome.weights]).toEqual([
      ['cleveland', 0.25],
      ['hungary', 0.75],
    ]);
    expect(outcome.evaluation).toBeNull();
  });

  it('leaves the normalisation as it is', () => {
    const { tensors } = aggregateRound({
      kind: 'training',
      base,
      updates: [{ siteId: 'a', exampleCount: 1, payload: weights([1, 1], 1) }],
    });
    expect(tensors.get('normalisation/mean')).toBe(base.get('normalisation/mean'));
    expect([...tensors.keys()]).toEqual([
      'normalisation/mean',
      'normalisation/scale',
      'weights/bias',
      'weights/kernel',
    ]);
  });

  it('rounds once, at the end', () => {
    // Each addend alone is lost when added to 1 in float32; their float64 sum is not.
    const tiny = 2 ** -25;
    const updates = ['a', 'b', 'c', 'd'].map((siteId) => ({
      siteId,
      exampleCount: 1,
      payload: weights([4 * tiny, 0], 0),
    }));
    const { tensors } = aggregateRound({ kind: 'training', base: weights([1, 0], 0), updates });
    expect(values(tensors, 'weights/kernel')[0]).toBe(Math.fround(1 + 4 * tiny));
    expect(Math.fround(1 + tiny)).toBe(1);
  });

  it('gives the same bytes whatever the order of arrival and of the maps', () => {
    const update = fc.record({
      exampleCount: fc.integer({ min: 1, max: 1000 }),
      kernel: fc.array(fc.float({ noNaN: true, min: Math.fround(-1e6), max: Math.fround(1e6) }), {
        minLength: 2,
        maxLength: 2,
      }),
      bias: fc.float({ noNaN: true, min: -1, max: 1 }),
    });
    fc.assert(
      fc.property(
        fc.array(update, { minLength: 2, maxLength: 8 }),
        fc.infiniteStream(fc.nat()),
        (parts, numbers) => {
          const updates: SiteUpdate[] = parts.map(({ exampleCount, kernel, bias }, index) => ({
            siteId: `site-${index * 7}`,
            exampleCount,
            payload: weights(kernel, bias),
          }));
          const shuffled = updates
            .map((one) => ({ one, key: numbers.next().value }))
            .sort((left, right) => left.key - right.key)
            .map(({ one }) => ({ ...one, payload: new Map([...one.payload].reverse()) }));
          const first = aggregateRound({ kind: 'training', base, updates });
          const second = aggregateRound({
            kind: 'training',
            base: new Map([...base].reverse()),
            updates: shuffled,
          });
          expect(encodeSafetensors(second.tensors)).toEqual(encodeSafetensors(first.tensors));
          expect([...second.weights]).toEqual([...first.weights]);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('keeps one order where another would give another sum', () => {
    const [large, small] = [2 ** 60, 4];
    // In float64 the order of these addends shows: 0 one way, 1 the other.
    expect(large / 4 + small / 4 - large / 4).toBe(0);
    expect(large / 4 - large / 4 + small / 4).toBe(1);
    const updates = [large, small, -large, 0].map((delta, index) => ({
      siteId: `site-${index}`,
      exampleCount: 1,
      payload: weights([delta, 0], 0),
    }));
    const orders = [updates, [...updates].reverse(), [...updates.slice(2), ...updates.slice(0, 2)]];
    for (const order of orders) {
      const { tensors } = aggregateRound({ kind: 'training', base: weights([0, 0], 0), updates: order });
      expect(values(tensors, 'weights/kernel')[0]).toBe(0);
    }
  });

  it('refuses a sum that leaves float32', () => {
    const updates = [{ siteId: 'a', exampleCount: 1, payload: weights([3e38, 0], 0) }];
    expect(() => aggregateRound({ kind: 'training', base: weights([3e38, 0], 0), updates })).toThrow(
      expect.objectContaining({ code: 'BAD_TENSORS' }),
    );
  });
});

describe('a statistics round', () => {
  const round = { kind: 'statistics', plan: samplePlan } as const;

  it('has the mean and unbiased deviation of all rows together', () => {
    // Rows 1,2,3 | 4: mean 2.5, variance (2.25+0.25+0.25+2.25)/3 = 5/3; the other column is withheld.
    const { tensors, weights: shares } = aggregateRound({
      ...round,
      base: weights([1, 2], 3),
      updates: [
        { siteId: 'b', exampleCount: 1, payload: statisticsOf([4]) },
        { siteId: 'a', exampleCount: 3, payload: statisticsOf([1, 2, 3]) },
      ],
    });
    expect(values(tensors, 'normalisation/mean')).toEqual([2.5, 0]);
    expect(values(tensors, 'normalisation/scale')).toEqual([Math.sqrt(5 / 3), 0]);
    expect(values(tensors, 'weights/kernel')).toEqual([1, 2]);
    expect([...shares]).toEqual([
      ['a', 0.75],
      ['b', 0.25],
    ]);
  });

  it('gives a constant column scale 0: of values that no double holds, and of a yes that everybody has', () => {
    const rows = 1000;
    const payload = statistics(sumExactly(Array<number>(rows).fill(0.1)), rows);
    const updates = [{ siteId: 'a', exampleCount: rows, payload }];
    const { tensors } = aggregateRound({ ...round, base: weights([0, 0], 0), updates });
    expect(values(tensors, 'normalisation/mean')).toEqual([0.1, 1]);
    expect(values(tensors, 'normalisation/scale')).toEqual([0, 0]);
  });

  it('agrees with two passes over the rows', () => {
    const value = fc.integer({ min: -200_000, max: 300_000 }).map((thousandths) => thousandths / 1000);
    const column = fc.array(value, { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(column, fc.nat(), (rows, cut) => {
        const parts = [
          rows.slice(0, 1 + (cut % (rows.length - 1))),
          rows.slice(1 + (cut % (rows.length - 1))),
        ];
        const updates = parts.map((part, index) => ({
          siteId: `s${index}`,
          exampleCount: part.length,
          payload: statisticsOf(part),
        }));
        const { tensors } = aggregateRound({ ...round, base: weights([0, 0], 0), updates });
        const mean = rows.reduce((sum, x) => sum + x, 0) / rows.length;
        const variance = rows.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (rows.length - 1);
        const scaleOfData = Math.max(0, ...rows.map(Math.abs));
        expect(Math.abs((values(tensors, 'normalisation/mean')[0] ?? 0) - mean)).toBeLessThanOrEqual(
          1e-12 * scaleOfData,
        );
        expect(
          Math.abs((values(tensors, 'normalisation/scale')[0] ?? 0) ** 2 - variance),
        ).toBeLessThanOrEqual(1e-11 * scaleOfData ** 2);
      }),
      { numRuns: 200 },
    );
  });

  const [first] = samplePlan.dataElements.features;
  const narrow = {
    ...samplePlan,
    dataElements: { ...samplePlan.dataElements, features: first === undefined ? [] : [first] },
  };
  const three = statisticsOf([1, 2, 3]);
  it.each<[string, TensorMap]>([
    ['a count that is not the statement’s', statisticsOf([1, 2, 3, 4])],
    ['a fractional count', statistics(claimedSums(2.5, 1, 1))],
    ['a square sum that no data have', statistics(claimedSums(3, 30, 100))],
    ['a negative square sum', statistics(claimedSums(3, 0, -1))],
    [
      'other columns',
      encodeStatistics(requireStatisticsLayout(narrow), { exampleCount: 3, labelCount: null, features: [] }),
    ],
    ['a tensor more', new Map([...three, ['note', { shape: [1], data: Float64Array.of(1) }]])],
    ['a tensor less', new Map([...three].slice(1))],
    [
      'plain sums, of which that of a yes or no is how many have it',
      new Map<string, Tensor>([
        ['statistics/count', { shape: [1], data: Float64Array.of(3) }],
        ['statistics/sum', { shape: [2], data: Float64Array.of(6, 1) }],
        ['statistics/sumOfSquares', { shape: [2], data: Float64Array.of(14, 1) }],
      ]),
    ],
  ])('refuses %s', (_, payload) => {
    const updates = [{ siteId: 'a', exampleCount: 3, payload }];
    expect(() => aggregateRound({ ...round, base, updates })).toThrow(
      expect.objectContaining({ code: 'BAD_TENSORS' }),
    );
  });

  it('is a bug under a plan that does not say how small a count may be', () => {
    const { statistics: _, ...plan } = samplePlan;
    const updates = [{ siteId: 'a', exampleCount: 3, payload: three }];
    expect(() => aggregateRound({ kind: 'statistics', plan, base, updates })).toThrow(
      expect.objectContaining({ code: 'BUG' }),
    );
  });

  it('stays finite whatever a hundred sites send that alone would pass', () => {
    const updates = Array.from({ length: 100 }, (_, index) => ({
      siteId: `site-${index}`,
      exampleCount: 10_000_000,
      payload: statistics(claimedSums(10_000_000, 9e21, 1e37)),
    }));
    const { tensors } = aggregateRound({ ...round, base, updates });
    expect(values(tensors, 'normalisation/mean')[0]).toBe(9e14);
    expect(values(tensors, 'normalisation/scale').every(Number.isFinite)).toBe(true);
  });

  it('refuses sums of one site that would overflow only with those of another', () => {
    const updates = [{ siteId: 'a', exampleCount: 10, payload: statistics(claimedSums(10, 0, 1.7e308)) }];
    expect(() => aggregateRound({ ...round, base, updates })).toThrow(
      expect.objectContaining({ code: 'BAD_TENSORS', details: expect.objectContaining({ feature: 'chol' }) }),
    );
  });
});

describe('an evaluation round', () => {
  it('lists what each site measured and leaves the model alone', () => {
    const outcome = aggregateRound({
      kind: 'evaluation',
      base,
      updates: [
        { siteId: 'b', exampleCount: 20, payload: evaluation(20, 15, 9.5) },
        { siteId: 'a', exampleCount: 10, payload: evaluation(10, 10, 0) },
      ],
    });
    expect(outcome.evaluation).toEqual([
      { siteId: 'a', exampleCount: 10, correctCount: 10, lossSum: 0 },
      { siteId: 'b', exampleCount: 20, correctCount: 15, lossSum: 9.5 },
    ]);
    expect(encodeSafetensors(outcome.tensors)).toEqual(encodeSafetensors(base));
  });

  it.each<[string, TensorMap]>([
    ['more correct than examples', evaluation(10, 11, 1)],
    ['a count that is not the statement’s', evaluation(11, 1, 1)],
    ['a negative loss', evaluation(10, 1, -1)],
    ['half a correct example', evaluation(10, 0.5, 1)],
    [
      'float32 values',
      new Map([...evaluation(10, 1, 1), ['evaluation/lossSum', { shape: [1], data: Float32Array.of(1) }]]),
    ],
  ])('refuses %s', (_, payload) => {
    expect(() =>
      aggregateRound({ kind: 'evaluation', base, updates: [{ siteId: 'a', exampleCount: 10, payload }] }),
    ).toThrow(expect.objectContaining({ code: 'BAD_TENSORS' }));
  });
});

describe('any round', () => {
  it.each<[string, readonly SiteUpdate[]]>([
    ['no update', []],
    [
      'one site twice',
      [1, 2].map((count) => ({ siteId: 'a', exampleCount: count, payload: weights([1, 1], 1) })),
    ],
    ['a site without examples', [{ siteId: 'a', exampleCount: 0, payload: weights([1, 1], 1) }]],
  ])('treats %s as a bug', (_, updates) => {
    expect(() => aggregateRound({ kind: 'training', base, updates })).toThrow(
      expect.objectContaining({ code: 'BUG' }),
    );
  });

  it('refuses more examples than can be counted', () => {
    const updates = ['a', 'b'].map((siteId) => ({
      siteId,
      exampleCount: Number.MAX_SAFE_INTEGER,
      payload: weights([1, 1], 1),
    }));
    expect(() => aggregateRound({ kind: 'training', base, updates })).toThrow(
      expect.objectContaining({ code: 'BAD_TENSORS' }),
    );
  });

  it.each<[string, TensorMap]>([
    ['an absent tensor', new Map([...weights([1, 1], 1)].slice(1))],
    [
      'a reshaped tensor',
      new Map([...weights([1, 1], 1), ['weights/kernel', { shape: [1, 2], data: Float32Array.of(1, 1) }]]),
    ],
    ['a tensor that training must not set', new Map([...weights([1, 1], 1), ...normalisation])],
  ])('refuses %s', (_, payload) => {
    expect(() =>
      aggregateRound({ kind: 'training', base, updates: [{ siteId: 'a', exampleCount: 1, payload }] }),
    ).toThrow(expect.objectContaining({ code: 'BAD_TENSORS' }));
  });

  it('asks for the tensors of its kind', () => {
    expect(payloadManifest({ kind: 'training' }, base).map(({ name }) => name)).toEqual([
      'weights/bias',
      'weights/kernel',
    ]);
    expect(payloadManifest({ kind: 'statistics', plan: samplePlan }, base)).toContainEqual({
      dtype: 'F64',
      name: 'statistics/sums',
      shape: [2, 2, 4],
    });
    expect(payloadManifest({ kind: 'evaluation' }, base)).toHaveLength(3);
  });
});
