import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadEngine } from '#site/training/engine.ts';
import { createOptimizer } from '#site/training/optimizer.ts';

const { tf, info } = await loadEngine(process.env.TFJS_NATIVE);
const isNative = info.name === 'tensorflow';
if (!isNative) process.stderr.write(`native kernels are not tested: ${info.reason}\n`);

beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

const noise = <T extends Tensor>(shape: number[], seed: number): T =>
  tf.randomNormal(shape, 0, 1, 'float32', seed) as unknown as T;

function expectClose(found: Tensor, expected: Tensor): void {
  expect(found.shape).toEqual(expected.shape);
  const [left, right] = [found.dataSync(), expected.dataSync()];
  let largest = 0;
  for (const [at, value] of left.entries()) {
    const reference = right[at] ?? Number.NaN;
    largest = Math.max(largest, Math.abs(value - reference) / (1 + Math.abs(reference)));
  }
  expect(largest).toBeLessThan(2e-6);
}

describe.skipIf(!isNative)('native kernels', () => {
  it('give the gradient of relu: that of the output where the input is above 0, else 0', () => {
    const x = tf.tensor1d([-2, -0, 0, 1e-30, 3]);
    const gradient = tf.grad((input) => tf.relu(input))(x, tf.tensor1d([1, 2, 3, 4, 5]));
    expect([...gradient.dataSync()]).toEqual([0, 0, 0, 4, 5]);
  });

  it.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])('multiply matrices, transposed or not (%s, %s)', (transposeA, transposeB) => {
    const a = noise<Tensor2D>(transposeA ? [5, 3] : [3, 5], 1);
    const b = noise<Tensor2D>(transposeB ? [4, 5] : [5, 4], 2);
    const [left, right] = [transposeA ? tf.transpose(a) : a, transposeB ? tf.transpose(b) : b];
    const products = tf.mul(tf.expandDims(left, 2), tf.expandDims(right, 0));
    expectClose(tf.matMul(a, b, transposeA, transposeB), tf.sum(products, 1));
  });

  it('multiply batches of matrices as before', () => {
    const [a, b] = [noise([2, 3, 5], 1), noise([2, 5, 4], 2)];
    const first = tf.matMul(tf.squeeze(tf.slice(a, 0, 1), [0]), tf.squeeze(tf.slice(b, 0, 1), [0]));
    expectClose(tf.squeeze(tf.slice(tf.matMul(a, b), 0, 1), [0]), first);
  });

  it('gather rows, and refuse a number that is no row’s', () => {
    const matrix = tf.tensor2d([1, 2, 3, 4], [2, 2]);
    expect([...tf.gather(matrix, tf.tensor1d([1, 0, 1], 'int32')).dataSync()]).toEqual([3, 4, 1, 2, 3, 4]);
    expect([...tf.gather(matrix, tf.tensor1d([1], 'int32'), 1).dataSync()]).toEqual([2, 4]);
    for (const row of [2, -1]) expect(() => tf.gather(matrix, tf.tensor1d([row], 'int32'))).toThrow();
  });

  it('give all gradients of batch normalisation as its formula does', () => {
    const x = noise<Tensor4D>([3, 4, 4, 5], 1);
    const [mean, offset, scale] = [noise([5], 2), noise([5], 3), noise([5], 4)] as Tensor1D[];
    const variance = tf.add(tf.square(noise<Tensor1D>([5], 5)), 0.5) as Tensor1D;
    const dy = noise<Tensor4D>([3, 4, 4, 5], 6);
    const inputs = [x, mean, variance, offset, scale] as Tensor[];
    const native = tf.grads((...[a, b, c, d, e]) =>
      tf.batchNorm(a as Tensor4D, b as Tensor1D, c as Tensor1D, d as Tensor1D, e as Tensor1D, 1e-3),
    )(inputs, dy);
    const composed = tf.grads((...[a, b, c, d, e]) => {
      const normalised = tf.mul(tf.sub(a as Tensor, b as Tensor), tf.rsqrt(tf.add(c as Tensor, 1e-3)));
      return tf.add(tf.mul(normalised, e as Tensor), d as Tensor);
    })(inputs, dy);
    for (const [at, gradient] of native.entries()) expectClose(gradient, composed[at] as Tensor);
  });

  it('take a step of Adam as its paper has it, from any step on', () => {
    const [start, gradient] = [noise([7, 3], 1), noise([7, 3], 2)];
    const slots = [noise([7, 3], 3), tf.square(noise([7, 3], 4))];
    const stored = slots.map((slot) => ({ shape: [7, 3], data: slot.dataSync() as Float32Array }));
    const weight = tf.variable(start);
    const state = { iterationCount: 6, slots: stored };
    const optimizer = createOptimizer(
      tf,
      { kind: 'adam', learningRate: 0.01 },
      { variables: [weight], state },
    );
    const { rate, epsilon } = optimizer.coefficients(7) as { rate: number; epsilon: number };
    optimizer.update([gradient], { rate: tf.scalar(rate), epsilon: tf.scalar(epsilon) });
    // Kingma and Ba 2015, algorithm 1, at t = 7.
    const first = tf.add(tf.mul(slots[0] as Tensor, 0.9), tf.mul(gradient, 0.1));
    const second = tf.add(tf.mul(slots[1] as Tensor, 0.999), tf.mul(tf.square(gradient), 0.001));
    const [corrected, spread] = [tf.div(first, 1 - 0.9 ** 7), tf.div(second, 1 - 0.999 ** 7)];
    const expected = tf.sub(start, tf.mul(0.01, tf.div(corrected, tf.add(tf.sqrt(spread), 1e-8))));
    expectClose(weight, expected);
    expectClose(optimizer.slots[0] as Tensor, first);
    expectClose(optimizer.slots[1] as Tensor, second);
    optimizer.dispose();
    weight.dispose();
  });
});
