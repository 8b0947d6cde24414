import type { Tensor, Tensor4D } from '@tensorflow/tfjs-node';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadEngine } from '#site/training/engine.ts';
import { normaliseGroups } from './group-normalisation.ts';

const { tf } = await loadEngine(process.env.TFJS_NATIVE);

beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

it('normalises as moments over each group do, with the same gradients', () => {
  const x = tf.add(tf.randomNormal([3, 4, 5, 6], 0, 2, 'float32', 1), 3);
  const scale = tf.randomNormal([6], 0, 1, 'float32', 2);
  const offset = tf.randomNormal([6], 0, 1, 'float32', 3);
  const dy = tf.randomNormal([3, 4, 5, 6], 0, 1, 'float32', 4);
  const composed = (input: Tensor, gains: Tensor, shifts: Tensor): Tensor => {
    const grouped = tf.reshape(input, [3, 20, 2, 3]);
    const { mean, variance } = tf.moments(grouped, [1, 3], true);
    const normalised = tf.mul(tf.sub(grouped, mean), tf.rsqrt(tf.add(variance, 1e-5)));
    return tf.add(tf.mul(tf.reshape(normalised, [3, 4, 5, 6]), gains), shifts);
  };
  const fused = (input: Tensor, gains: Tensor, shifts: Tensor): Tensor =>
    normaliseGroups(tf, { x: input as Tensor4D, scale: gains, offset: shifts, groupCount: 2, epsilon: 1e-5 });
  const all = (compute: typeof fused): Tensor[] => [
    compute(x, scale, offset),
    ...tf.grads((a, b, c) => compute(a as Tensor, b as Tensor, c as Tensor))([x, scale, offset], dy),
  ];
  const [found, expected] = [all(fused), all(composed)];
  expect(found).toHaveLength(4);
  for (const [at, tensor] of found.entries()) {
    const reference = expected[at]?.dataSync() ?? [];
    expect(tensor.shape).toEqual(expected[at]?.shape);
    for (const [index, value] of tensor.dataSync().entries()) {
      expect(value).toBeCloseTo(reference[index] ?? Number.NaN, 4);
    }
  }
});
