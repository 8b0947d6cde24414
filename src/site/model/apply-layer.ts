// One layer of a network on the engine, in operations that every engine has with their gradients. Nothing here looks at a value or
// draws a number, so that a step can be recorded as a graph.
import type { DescribedNode } from '#federation/network/describe-network.ts';
import type { Activation, Extent, Layer } from '#federation/network/network.ts';
import { normaliseGroups } from './group-normalisation.ts';
import type { Tensor, Tensor2D, Tensor4D, TensorFlow } from './tensorflow.ts';

export interface LayerInputs {
  /** Batches: [rows, ...shape] each. */
  readonly inputs: readonly Tensor[];
  /** The layer's weight of that part. */
  readonly weight: (part: 'kernel' | 'bias' | 'scale' | 'offset') => Tensor;
  /** Of a dropout layer: what each value is multiplied by; absent: 1. */
  readonly mask?: Tensor | undefined;
  /** Of a layer with weights: stands between its sums and what comes after them. */
  readonly tap?: Tap | undefined;
}

/**
 * Sees what a layer's weights meet, [rows, ...], and the sums that come of it, before bias and activation; gives the sums that are
 * gone on with. A normalisation meets its standardised values.
 */
export type Tap = (operand: Tensor, sums: Tensor) => Tensor;

type LayerOf<Kind extends Layer['kind']> = Extract<Layer, { kind: Kind }>;

export function applyLayer(tf: TensorFlow, node: DescribedNode, given: LayerInputs): Tensor {
  const { layer } = node;
  const [x] = given.inputs as [Tensor];
  const images = x as Tensor4D;
  switch (layer.kind) {
    case 'dense':
    case 'convolution':
    case 'transposed-convolution': {
      const own = weightedSums(tf, x, { ...node, layer }, given.weight('kernel'));
      const sums = given.tap?.(x, own) ?? own;
      const biased = layer.biasInitialiser === null ? sums : tf.add(sums, given.weight('bias'));
      return activate(tf, biased, layer.activation);
    }
    case 'group-normalisation': {
      const [scale, offset] = [given.weight('scale'), given.weight('offset')];
      const { groups: groupCount, epsilon } = layer;
      if (given.tap === undefined)
        return normaliseGroups(tf, { x: images, scale, offset, groupCount, epsilon });
      const [ones, zeros] = [tf.onesLike(scale), tf.zerosLike(offset)];
      return scaled(
        tf,
        normaliseGroups(tf, { x: images, scale: ones, offset: zeros, groupCount, epsilon }),
        given,
      );
    }
    case 'layer-normalisation':
      return scaled(tf, standardised(tf, x, [x.rank - 1], layer.epsilon), given);
    case 'activation':
      return activate(tf, x, layer.activation);
    case 'max-pooling':
      return tf.maxPool(images, [...layer.size], [...layer.strides], layer.padding);
    case 'average-pooling':
      return tf.avgPool(images, [...layer.size], [...layer.strides], layer.padding);
    case 'global-max-pooling':
      return tf.max(images, [1, 2]);
    case 'global-average-pooling':
      return tf.mean(images, [1, 2]);
    case 'upsampling':
      return repeatPixels(tf, images, layer.size);
    case 'flatten':
      return tf.reshape(x, [x.shape[0] ?? 0, ...node.shape]);
    case 'dropout':
      return given.mask === undefined ? x : tf.mul(x, given.mask);
    case 'add':
      return given.inputs.reduce((sum, other) => tf.add(sum, other));
    case 'concatenation':
      return tf.concat([...given.inputs], x.rank - 1);
  }
}

type Weighted = LayerOf<'dense' | 'convolution' | 'transposed-convolution'>;

function weightedSums(
  tf: TensorFlow,
  x: Tensor,
  { layer, shape }: { readonly layer: Weighted; readonly shape: readonly number[] },
  kernel: Tensor,
): Tensor {
  if (layer.kind === 'dense') return tf.matMul(x as Tensor2D, kernel as Tensor2D);
  const [images, filters, strides] = [
    x as Tensor4D,
    kernel as Tensor4D,
    [...layer.strides] as [number, number],
  ];
  if (layer.kind === 'convolution') return tf.conv2d(images, filters, strides, layer.padding);
  const outputShape = [images.shape[0], ...shape] as Tensor4D['shape'];
  return tf.conv2dTranspose(images, filters, outputShape, strides, layer.padding);
}

function activate(tf: TensorFlow, x: Tensor, activation: Activation): Tensor {
  return activation === 'linear' ? x : tf[activation](x);
}

/** (x - mean) / sqrt(variance + epsilon) over the axes, with the variance of the values as they are (biased). */
function standardised(tf: TensorFlow, x: Tensor, axes: number[], epsilon: number): Tensor {
  const centred = tf.sub(x, tf.mean(x, axes, true));
  const variance = tf.mean(tf.square(centred), axes, true);
  return tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon)));
}

function scaled(tf: TensorFlow, x: Tensor, { weight, tap }: LayerInputs): Tensor {
  const sums = tf.add(tf.mul(x, weight('scale')), weight('offset'));
  return tap?.(x, sums) ?? sums;
}

/** By broadcasting, rows before columns: tf.js's own nearest resizing has a wrong gradient in its plain backend. */
function repeatPixels(tf: TensorFlow, x: Tensor4D, [down, across]: Extent): Tensor {
  const [count, rows, columns, channels] = x.shape;
  const rowsOfPixels = tf.reshape(x, [count * rows, 1, columns * channels]);
  const taller = tf.mul(rowsOfPixels, tf.ones([1, down, 1]));
  const pixels = tf.reshape(taller, [count * rows * down * columns, 1, channels]);
  return tf.reshape(tf.mul(pixels, tf.ones([1, across, 1])), [
    count,
    rows * down,
    columns * across,
    channels,
  ]);
}
