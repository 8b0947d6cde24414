// Group normalisation (Wu and He 2018) with its gradient written out: seven passes over the feature map in all, where the composed
// gradient of moments takes about thirty.
import type { Tensor, Tensor4D, TensorFlow } from './tensorflow.ts';

export interface GroupNormalisation {
  /** [rows, height, width, channels] */
  readonly x: Tensor4D;
  /** [channels] each. */
  readonly scale: Tensor;
  readonly offset: Tensor;
  readonly groupCount: number;
  /** Added to the variance. */
  readonly epsilon: number;
}

export function normaliseGroups(
  tf: TensorFlow,
  { x, scale, offset, groupCount, epsilon }: GroupNormalisation,
): Tensor4D {
  const [rows, height, width, channels] = x.shape;
  const area = height * width;
  const groupSize = channels / groupCount;
  /** Means over the channels of each group, put back at every channel: [rows, channels] to [rows, channels]. */
  const overGroup = (values: Tensor): Tensor => {
    const means = tf.mean(tf.reshape(values, [rows, groupCount, groupSize]), 2, true);
    return tf.reshape(tf.tile(means, [1, 1, groupSize]), [rows, channels]);
  };
  const everywhere = (values: Tensor): Tensor => tf.reshape(values, [rows, 1, 1, channels]);
  const normalise = tf.customGrad((input, gamma, beta, save) => {
    const [given, gains] = [input as Tensor4D, gamma as Tensor];
    const mean = overGroup(tf.mean(given, [1, 2]));
    const squares = tf.mean(tf.squaredDifference(given, everywhere(mean)), [1, 2]);
    const inverse = tf.rsqrt(tf.add(overGroup(squares), epsilon));
    const factor = tf.mul(inverse, gains);
    const shift = tf.sub(beta as Tensor, tf.mul(mean, factor));
    (save as (tensors: Tensor[]) => void)([given, gains, mean, inverse]);
    const gradFunc = (dy: Tensor, saved: Tensor[]): Tensor[] =>
      gradients(dy, saved as [Tensor, Tensor, Tensor, Tensor]);
    return { value: tf.add(tf.mul(given, everywhere(factor)), everywhere(shift)), gradFunc };
  });
  const gradients = (
    dy: Tensor,
    [given, gains, mean, inverse]: [Tensor, Tensor, Tensor, Tensor],
  ): Tensor[] => {
    const offsets = tf.mean(dy, [1, 2]);
    const products = tf.mul(tf.sub(tf.mean(tf.mul(dy, given), [1, 2]), tf.mul(mean, offsets)), inverse);
    const meanGradient = overGroup(tf.mul(offsets, gains));
    const slope = tf.mul(inverse, overGroup(tf.mul(products, gains)));
    const onDy = tf.mul(inverse, gains);
    const onInput = tf.mul(inverse, slope);
    const constant = tf.sub(tf.mul(inverse, meanGradient), tf.mul(mean, onInput));
    // Neither nested sums nor products with constants: TensorFlow's graph optimiser takes those in another order, which rounds otherwise
    // than eager steps do.
    const fromInput = tf.add(tf.mul(given, everywhere(onInput)), everywhere(constant));
    const dx = tf.sub(tf.mul(dy, everywhere(onDy)), fromInput);
    return [dx, tf.mul(tf.sum(products, 0), area), tf.mul(tf.sum(offsets, 0), area)];
  };
  return normalise(x, scale, offset) as Tensor4D;
}
