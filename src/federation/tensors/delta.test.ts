import canonicalize from 'canonicalize';
import { describe, expect, it } from 'vitest';
import { utf8 } from '#base/bytes.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { areFinite, l2Norm, largestMagnitude, subtract, tensorL2Norm } from '#federation/tensors/delta.ts';
import { requireManifest, tensorManifest, tensorManifestDigest } from '#federation/tensors/manifest.ts';
import type { Tensor, TensorMap } from '#federation/tensors/tensor.ts';

const kernel = (...values: number[]): Tensor => ({
  shape: [values.length, 1],
  data: Float32Array.from(values),
});
const model = (kernelValues: number[], bias: number): TensorMap =>
  new Map([
    ['weights/kernel', kernel(...kernelValues)],
    ['weights/bias', { shape: [1], data: Float32Array.of(bias) }],
  ]);

describe('a delta', () => {
  it('is the difference, rounded once', () => {
    const delta = subtract(model([1.5, -2], 0.25), model([1, 2], 0.5));
    expect([...(delta.get('weights/kernel')?.data ?? [])]).toEqual([0.5, -4]);
    expect([...(delta.get('weights/bias')?.data ?? [])]).toEqual([-0.25]);
    expect(delta.get('weights/kernel')?.data).toBeInstanceOf(Float32Array);
    expect([...delta.keys()]).toEqual(['weights/bias', 'weights/kernel']);
    // 0.1 and 0.3 as float32; their float64 difference rounded to float32.
    const [found] = subtract(model([0.1], 0), model([0.3], 0)).get('weights/kernel')?.data ?? [];
    expect(found).toBe(Math.fround(Math.fround(0.1) - Math.fround(0.3)));
  });

  it.each<[string, TensorMap]>([
    ['lacks a tensor', new Map([['weights/kernel', kernel(1, 2)]])],
    ['has one more', new Map([...model([1, 2], 0), ['extra', kernel(1)]])],
    ['has another shape', model([1, 2, 3], 0)],
    [
      'has another dtype',
      new Map([...model([1, 2], 0), ['weights/bias', { shape: [1], data: Float64Array.of(1) }]]),
    ],
    [
      'has the same values in another shape',
      new Map([...model([1, 2], 0), ['weights/kernel', { shape: [1, 2], data: Float32Array.of(1, 2) }]]),
    ],
  ])('is refused from a model that %s', (_, other) => {
    expect(() => subtract(other, model([1, 2], 0))).toThrow(expect.objectContaining({ code: 'BAD_TENSORS' }));
    expect(() => requireManifest(other, tensorManifest(model([1, 2], 0)))).toThrow(
      expect.objectContaining({ code: 'BAD_TENSORS' }),
    );
  });
});

describe('sizes', () => {
  it('are those of hand-worked cases', () => {
    expect(l2Norm(model([2, 4, 5], 6))).toBe(9);
    expect(tensorL2Norm(kernel(3, -4))).toBe(5);
    expect(largestMagnitude(kernel(3, -4))).toBe(4);
    expect(l2Norm(new Map())).toBe(0);
  });

  it('say when a value is not finite', () => {
    expect(areFinite(model([1], 2))).toBe(true);
    expect(areFinite(model([1], Number.NaN))).toBe(false);
    expect(areFinite(model([Number.POSITIVE_INFINITY], 0))).toBe(false);
    expect(l2Norm(model([Number.NaN], 0))).toBeNaN();
  });
});

describe('a manifest', () => {
  it('is digested as RFC 8785 JSON', () => {
    const manifest = [
      { name: 'weights/bias', shape: [1], dtype: 'F32' },
      { name: 'weights/kernel', shape: [2, 1], dtype: 'F32' },
    ];
    expect(tensorManifestDigest(model([1, 2], 3))).toBe(sha256Hex(utf8(canonicalize(manifest) ?? '')));
  });

  it('does not depend on values or on the order of the map, but on names, shapes and dtypes', () => {
    const digest = tensorManifestDigest(model([1, 2], 3));
    expect(tensorManifestDigest(new Map([...model([7, 8], 9)].reverse()))).toBe(digest);
    expect(tensorManifestDigest(model([1, 2, 3], 3))).not.toBe(digest);
  });
});
