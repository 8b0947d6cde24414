import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { valueAggregation } from '#federation/records/data-elements.ts';
import { aggregateValues } from './aggregate-values.ts';

const subject = (...facts: readonly (readonly [day: number, value: number])[]) => ({
  days: Int32Array.from(facts, ([day]) => day),
  values: Float64Array.from(facts, ([, value]) => value),
  count: facts.length,
});

describe('the values of a subject', () => {
  const three = subject([0, 4], [10, 1], [20, 7]);
  it.each([
    ['last', 7],
    ['first', 4],
    ['mean', 4],
    ['min', 1],
    ['max', 7],
    // Worked by hand: sum of (day - 10)(value - 4) = 0 + 0 + 30 - 0 = 30, of squares 200.
    ['slope', 0.15],
  ] as const)('become their %s', (aggregation, expected) => {
    expect(aggregateValues(aggregation, three)).toBeCloseTo(expected, 12);
  });

  it.each(valueAggregation.options)('have no %s where there are none', (aggregation) => {
    expect(aggregateValues(aggregation, subject())).toBeNaN();
  });

  it('have no slope on a single day', () => {
    expect(aggregateValues('slope', subject([5, 1], [5, 9]))).toBeNaN();
  });

  it('have the slope of the line they lie on', () => {
    const line = fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: -100, max: 100 }));
    const days = fc.uniqueArray(fc.integer({ min: 0, max: 3_650 }), { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(line, days, ([slope, start], on) => {
        const facts = on
          .toSorted((left, right) => left - right)
          .map((day) => [day, start + slope * day] as const);
        expect(aggregateValues('slope', subject(...facts))).toBeCloseTo(slope, 6);
      }),
      { seed: 4 },
    );
  });

  it('look at no place beyond their count', () => {
    const { days, values } = subject([0, 2], [1, 4], [2, 1_000]);
    expect(valueAggregation.options.map((one) => aggregateValues(one, { days, values, count: 2 }))).toEqual([
      4, 2, 3, 2, 4, 2,
    ]);
  });
});
