import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createKeystream, type Keystream } from '#federation/crypto/keystream.ts';
import { ClippedSum, clippingFactor, type Release } from '#federation/privacy/clipped-sum.ts';
import { drawNoise, STEPS_PER_NORM } from '#federation/privacy/gaussian-noise.ts';
import { l2Norm, subtract } from '#federation/tensors/delta.ts';
import type { TensorMap } from '#federation/tensors/tensor.ts';
import { refusalCode } from '#support/refusal-code.ts';

const clippingNorm = 0.7;

const drawFrom =
  (keystream: Keystream): Release['draw'] =>
  (count, noiseMultiplier) =>
    drawNoise(count, noiseMultiplier, keystream);

function gradient(...values: readonly number[]): TensorMap {
  const filled = Array.from({ length: 5 }, (_value, index) => values[index] ?? 0);
  return new Map([
    ['dense/kernel', { shape: [2, 2], data: Float64Array.from(filled.slice(0, 4)) }],
    ['dense/bias', { shape: [1], data: Float64Array.from(filled.slice(4)) }],
  ]);
}

/** The noisy sum itself, under the same noise each time: what differs between two of them is what was added. */
function release(patients: readonly TensorMap[], seed = 1, expectedLot = 1): TensorMap {
  const sum = new ClippedSum(gradient(), clippingNorm);
  for (const patient of patients) sum.add(patient);
  return sum.release({
    noiseMultiplier: 1,
    expectedLot,
    draw: drawFrom(createKeystream(new Uint8Array(32).fill(seed))),
  });
}

function meanOf(images: readonly TensorMap[]): TensorMap {
  return new Map(
    [...gradient()].map(([name, { shape, data }]) => [
      name,
      {
        shape,
        data: data.map((_value, index) =>
          images.reduce((sum, image) => sum + (image.get(name)?.data[index] ?? 0) / images.length, 0),
        ),
      },
    ]),
  );
}

describe('the clipping factor', () => {
  it.each([
    [0, 1],
    [0.7, 1],
    [1.4, 0.5],
    [7e300, 1e-301],
    [Number.POSITIVE_INFINITY, 0],
    [Number.NaN, 0],
  ])('of the norm %d is %d', (norm, factor) => {
    expect(clippingFactor(norm, clippingNorm)).toBeCloseTo(factor, 12);
  });
});

describe('a clipped sum', () => {
  const images = Array.from({ length: 50 }, (_value, index) => gradient(3, -2, 0.1 * index, 1, 5));

  it('is moved by a patient with 50 images by no more than C', () => {
    const others = [gradient(0.1, 0.2), gradient(-4, 4, 4, 4, 4)];
    const moved = l2Norm(subtract(release([...others, meanOf(images)]), release(others)));
    expect(moved).toBeLessThanOrEqual(clippingNorm * (1 + 1e-6));
    expect(moved).toBeGreaterThan(clippingNorm * 0.9999);
  });

  it('would be moved by far more, were each image a unit', () => {
    expect(l2Norm(subtract(release(images), release([])))).toBeGreaterThan(40 * clippingNorm);
  });

  it('is moved by no patient by more than C, whatever their gradient', () => {
    fc.assert(
      fc.property(fc.array(fc.double(), { minLength: 5, maxLength: 5 }), (values) => {
        const moved = l2Norm(subtract(release([gradient(...values)]), release([])));
        return moved <= clippingNorm * (1 + 1e-9);
      }),
    );
  });

  it('keeps a gradient within C as it is, to a step of the grid', () => {
    const small = gradient(0.1, -0.2, 0.3, 0, -0.05);
    const kept = subtract(release([small]), release([]));
    for (const { data } of subtract(kept, small).values())
      for (const difference of data) expect(Math.abs(difference)).toBeLessThan(clippingNorm / STEPS_PER_NORM);
  });

  it('does not depend on the order of patients, to the last bit', () => {
    const patients = [gradient(1e-3, 3, 0.3), gradient(0.1, 1 / 3, -0.7), gradient(2 ** -30, -0.123)];
    expect(release([...patients].reverse())).toEqual(release(patients));
  });

  it('lies on the grid with its noise: its low bits are the same whoever is in it', () => {
    const step = clippingNorm / STEPS_PER_NORM;
    for (const patients of [[], [gradient(0.123456789, 1 / 3)], images]) {
      for (const { data } of release(patients).values())
        for (const value of data) expect(value).toBe(Math.round(value / step) * step);
    }
  });

  it('of an empty lot is noise alone', () => {
    const noise = drawNoise(5, 1, createKeystream(new Uint8Array(32).fill(1)));
    const step = clippingNorm / STEPS_PER_NORM;
    const released = release([]);
    expect([
      ...(released.get('dense/bias')?.data ?? []),
      ...(released.get('dense/kernel')?.data ?? []),
    ]).toEqual([...noise].map((steps) => steps * step));
  });

  it('is divided by the expected lot, not by the number of those in it', () => {
    const [sum, mean] = [release(images, 4), release(images, 4, 25)];
    for (const [name, { data }] of sum) {
      for (const [index, value] of data.entries())
        expect(mean.get(name)?.data[index]).toBeCloseTo(value / 25, 14);
    }
  });

  it('has the dtype of its parameters', () => {
    const single: TensorMap = new Map([['w', { shape: [2], data: Float32Array.of(0, 0) }]]);
    const sum = new ClippedSum(single, 1);
    sum.add(new Map([['w', { shape: [2], data: Float32Array.of(3, 4) }]]));
    const draw = drawFrom(createKeystream(new Uint8Array(32)));
    const released = sum.release({ noiseMultiplier: 0.01, expectedLot: 1, draw }).get('w')?.data;
    expect(released).toBeInstanceOf(Float32Array);
    expect(released?.[0]).toBeCloseTo(0.6, 1);
    expect(released?.[1]).toBeCloseTo(0.8, 1);
  });

  it('takes sums made elsewhere, rounded to the grid, under the same noise', () => {
    const patients = [gradient(0.1, -0.2), gradient(0, 0, 0.3, 0.1, 0.2)];
    const sum = new ClippedSum(gradient(), clippingNorm);
    // In name order: the bias first.
    sum.addClipped(Float64Array.of(0.2, 0.1, -0.2, 0.3, 0.1));
    const draw = drawFrom(createKeystream(new Uint8Array(32).fill(1)));
    const released = sum.release({ noiseMultiplier: 1, expectedLot: 1, draw });
    for (const { data } of subtract(released, release(patients)).values())
      for (const value of data) expect(Math.abs(value)).toBeLessThan((3 * clippingNorm) / STEPS_PER_NORM);
    expect(refusalCode(() => sum.addClipped(new Float64Array(4)))).toBe('BUG');
  });

  it('refuses a gradient of other tensors', () => {
    const sum = new ClippedSum(gradient(), 1);
    expect(refusalCode(() => sum.add(new Map()))).toBe('BAD_TENSORS');
  });

  it('leaves once, with noise and over an expected lot', () => {
    const draw = drawFrom(createKeystream(new Uint8Array(32)));
    const sum = new ClippedSum(gradient(), 1);
    const settings = { noiseMultiplier: 1, expectedLot: 1, draw };
    for (const bad of [{ noiseMultiplier: 0 }, { noiseMultiplier: Number.NaN }, { expectedLot: 0 }])
      expect(refusalCode(() => sum.release({ ...settings, ...bad }))).toBe('BUG');
    sum.release(settings);
    expect(refusalCode(() => sum.release(settings))).toBe('BUG');
    expect(refusalCode(() => new ClippedSum(gradient(), 0))).toBe('BUG');
  });
});
