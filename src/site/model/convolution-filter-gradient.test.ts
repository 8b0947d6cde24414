import { beforeAll, describe, expect, it } from 'vitest';
import { type Engine, loadEngine } from '#site/training/engine.ts';
import type { Tensor4D } from './tensorflow.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await loadEngine('wasm');
});

/** By definition: how much each place of the kernel saw, times the gradient where it saw it. In float64. */
function definition(
  x: number[][][],
  dy: number[][][],
  { size, stride, top }: { size: number; stride: number; top: number },
) {
  return Array.from({ length: size }, (_, row) =>
    Array.from({ length: size }, (_, column) =>
      (x[0]?.[0] ?? []).map((_, channel) =>
        (dy[0]?.[0] ?? []).map((_, filter) => {
          let sum = 0;
          for (const [y, line] of dy.entries())
            for (const [z, outputs] of line.entries())
              sum +=
                (x[y * stride + row - top]?.[z * stride + column - top]?.[channel] ?? 0) *
                (outputs[filter] ?? 0);
          return sum;
        }),
      ),
    ),
  );
}

describe('the gradient of a kernel on WebAssembly', () => {
  // Images are 7 by 7; `top` is the padding before the first row and column that TensorFlow's rule gives.
  it.each([
    { size: 3, stride: 1, padding: 'same', top: 1 },
    { size: 3, stride: 2, padding: 'same', top: 1 },
    { size: 2, stride: 1, padding: 'same', top: 0 },
    { size: 4, stride: 3, padding: 'same', top: 1 },
    { size: 3, stride: 1, padding: 'valid', top: 0 },
    { size: 3, stride: 2, padding: 'valid', top: 0 },
    { size: 1, stride: 1, padding: 'valid', top: 0 },
    { size: 7, stride: 1, padding: 'valid', top: 0 },
  ] as const)('of $size pixels, stride $stride, padding $padding is that of its definition', (window) => {
    const { tf } = engine;
    const { size, stride, padding } = window;
    const images = tf.randomUniform([1, 7, 7, 2], -1, 1, 'float32', 1) as Tensor4D;
    const kernel = tf.randomUniform([size, size, 2, 3], -1, 1, 'float32', 2) as Tensor4D;
    const convolve = (filter: typeof kernel) => tf.conv2d(images, filter, stride, padding);
    const dy = tf.randomUniform(convolve(kernel).shape, -1, 1, 'float32', 3) as typeof images;
    const found = tf.grad((filter) => convolve(filter as typeof kernel))(kernel, dy);
    const expected = definition(
      (images.arraySync() as number[][][][])[0] ?? [],
      (dy.arraySync() as number[][][][])[0] ?? [],
      window,
    ).flat(3);
    expect(found.shape).toEqual([size, size, 2, 3]);
    for (const [at, value] of [...found.dataSync()].entries())
      expect(value).toBeCloseTo(expected[at] ?? Number.NaN, 4);
  });
});
