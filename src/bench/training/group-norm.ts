// Group normalisation (Wu and He 2018) with its gradient written out: seven passes over the feature map in all, where the composed
// gradient of moments takes about thirty.
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-node';
import type { TensorFlow } from '#site/model/index.ts';

export interface GroupNorm {
  /** [rows, height, width, channels] */
  readonly x: Tensor4D;
  /** [channels] each. */
  readonly scale: Tensor;
  readonly offset: Tensor;
  readonly groupCount: number;
}

const epsilon = 1e-5; // as in PyTorch

export function groupNorm(tf: TensorFlow, { x, scale, offset, groupCount }: GroupNorm): Tensor4D {
  const [rows, height, width, channels] = x.shape;
  const area = height * width;
  const groupSize = channels / groupCount;
  /** Sums over the channels of each group, put back at every channel: [rows, channels] to [rows, channels]. */
  const overGroup = (values: Tensor): Tensor => {
    const sums = tf.sum(tf.reshape(values, [rows, groupCount, groupSize]), 2, true);
    return tf.reshape(tf.tile(sums, [1, 1, groupSize]), [rows, channels]);
  };
  const everywhere = (values: Tensor): Tensor => tf.reshape(values, [rows, 1, 1, channels]);
  const normalise = tf.customGrad((input, gamma, beta, save) => {
    const [given, gains] = [input as Tensor4D, gamma as Tensor];
    const mean = tf.div(overGroup(tf.mean(given, [1, 2])), groupSize);
    const squares = tf.mean(tf.squaredDifference(given, everywhere(mean)), [1, 2]);
    const inverse = tf.rsqrt(tf.add(tf.div(overGroup(squares), groupSize), epsilon));
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
    const sums = tf.sum(dy, [1, 2]);
    const products = tf.mul(tf.sub(tf.sum(tf.mul(dy, given), [1, 2]), tf.mul(mean, sums)), inverse);
    const count = area * groupSize;
    const meanGradient = tf.div(overGroup(tf.mul(sums, gains)), count);
    const slope = tf.mul(inverse, tf.div(overGroup(tf.mul(products, gains)), count));
    const onDy = tf.mul(inverse, gains);
    const onInput = tf.neg(tf.mul(inverse, slope));
    const constant = tf.sub(tf.mul(tf.mul(mean, inverse), slope), tf.mul(inverse, meanGradient));
    const fromInput = tf.add(tf.mul(given, everywhere(onInput)), everywhere(constant));
    const dx = tf.add(tf.mul(dy, everywhere(onDy)), fromInput);
    return [dx, tf.sum(products, 0), tf.sum(sums, 0)];
  };
  return normalise(x, scale, offset) as Tensor4D;
}
