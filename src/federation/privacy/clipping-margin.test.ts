import { describe, expect, it } from 'vitest';
import { createKeystream } from '#federation/crypto/keystream.ts';
import { clippingMargin } from '#federation/privacy/clipping-margin.ts';

const one = { weightCount: 1, rowsPerRun: 32, groupPatients: 64, rowLengths: 1, lengthSummands: 32 };

/** One after the other in float32, the order in which rounding errs most. */
function floatSum(values: readonly number[]): number {
  return values.reduce((sum, value) => Math.fround(sum + Math.fround(value)), 0);
}

describe('the clipping margin', () => {
  it('is more than one patient more moves a float32 sum beyond their own gradient', () => {
    const keystream = createKeystream(new Uint8Array(32).fill(8));
    const runs = Array.from({ length: 500 }, () => {
      // All patients at the bound and in one direction, so that partial sums are as large as they can be.
      const others = Array.from({ length: 31 }, () => 0.9 + 0.1 * keystream.nextDouble());
      const patient = 0.9 + 0.1 * keystream.nextDouble();
      const moved = floatSum([patient, ...others]) - floatSum(others);
      return Math.abs(moved - Math.fround(patient));
    });
    expect(Math.max(...runs)).toBeLessThan(clippingMargin({ ...one, groupPatients: 32 }));
    // Not for nothing: floats do err by a good part of it.
    expect(Math.max(...runs)).toBeGreaterThan(clippingMargin({ ...one, groupPatients: 32 }) / 1_000);
  });

  it('leaves room for half a step of the grid in each coordinate, with a patient and without', () => {
    const [small, large] = [clippingMargin(one), clippingMargin({ ...one, weightCount: 1_000_000 })];
    expect(large - small).toBeCloseTo((1_000 - 1) * 2 ** -20, 12);
  });

  it.each(['rowsPerRun', 'groupPatients', 'rowLengths', 'lengthSummands'] as const)(
    'grows with %s',
    (field) => {
      expect(clippingMargin({ ...one, [field]: 2 * one[field] })).toBeGreaterThan(clippingMargin(one));
    },
  );
});
