// The networks that `consilium bench training` measures, in plain TensorFlow.js: two on rows, a convolutional one and a
// U-Net on images. bench_models.py has the same ones for PyTorch.
import type { Tensor, Tensor2D, Tensor4D, Variable } from '@tensorflow/tfjs-node';
import type { TensorFlow } from '#site/model/index.ts';
import { groupNorm } from './group-norm.ts';

export interface BenchNetwork {
  readonly variables: Variable[];
  /** Loss of each row, [rows], from features and targets of a batch. */
  exampleLosses(batch: Readonly<Record<string, Tensor>>): Tensor;
}

export interface BenchModel {
  readonly featureShape: readonly number[];
  readonly targetShape: readonly number[];
  create(tf: TensorFlow): BenchNetwork;
}

export type BenchModelName = 'logistic' | 'mlp' | 'cnn' | 'u-net';

export const benchModels: Readonly<Record<BenchModelName, BenchModel>> = {
  logistic: { featureShape: [32], targetShape: [1], create: createLogistic },
  mlp: { featureShape: [32], targetShape: [1], create: createMlp },
  cnn: { featureShape: [64, 64, 1], targetShape: [1], create: createCnn },
  'u-net': { featureShape: [128, 128, 1], targetShape: [128, 128, 1], create: createUNet },
};

/** Makes weights one after the other, the same ones for each call: He's normal distribution over the inputs of an output. */
function createWeights(tf: TensorFlow) {
  const variables: Variable[] = [];
  const add = (value: () => Tensor): Variable => {
    const variable = tf.tidy(() => tf.variable(value()));
    variables.push(variable);
    return variable;
  };
  return {
    variables,
    kernel: (shape: number[], inputCount: number) =>
      add(() => tf.truncatedNormal(shape, 0, Math.sqrt(2 / inputCount), 'float32', 1 + variables.length)),
    constant: (size: number, value: number) => add(() => tf.fill([size], value)),
  };
}

type Weights = ReturnType<typeof createWeights>;
type Layer<T extends Tensor> = (x: T) => T;

function dense(tf: TensorFlow, weights: Weights, [from, to]: readonly [number, number]): Layer<Tensor2D> {
  const kernel = weights.kernel([from, to], from) as unknown as Tensor2D;
  const bias = weights.constant(to, 0);
  return (x) => tf.add(tf.matMul(x, kernel), bias);
}

function convolution(
  tf: TensorFlow,
  weights: Weights,
  [from, to]: readonly [number, number],
): Layer<Tensor4D> {
  const kernel = weights.kernel([3, 3, from, to], 9 * from) as unknown as Tensor4D;
  return (x) => tf.conv2d(x, kernel, 1, 'same');
}

/** Cross-entropy of 0/1 targets from logits. */
function logitLosses(tf: TensorFlow, logits: Tensor, targets: Tensor): Tensor {
  return tf.sub(tf.softplus(logits), tf.mul(logits, targets));
}

function createLogistic(tf: TensorFlow): BenchNetwork {
  const weights = createWeights(tf);
  const layer = dense(tf, weights, [32, 1]);
  return {
    variables: weights.variables,
    exampleLosses: ({ features, targets }) => logitLosses(tf, layer(features as Tensor2D), targets as Tensor),
  };
}

/** 32-128-64-1: 12,545 weights. */
function createMlp(tf: TensorFlow): BenchNetwork {
  const weights = createWeights(tf);
  const first = dense(tf, weights, [32, 128]);
  const second = dense(tf, weights, [128, 64]);
  const last = dense(tf, weights, [64, 1]);
  return {
    variables: weights.variables,
    exampleLosses: ({ features, targets }) => {
      const logits = last(tf.relu(second(tf.relu(first(features as Tensor2D)))));
      return tf.reshape(logitLosses(tf, logits, targets as Tensor), [-1]);
    },
  };
}

/** Two convolutions of 16 and 32 filters, each with max-pooling, then 64 hidden units: 529,217 weights. */
function createCnn(tf: TensorFlow): BenchNetwork {
  const weights = createWeights(tf);
  const layer = (from: number, to: number): Layer<Tensor4D> => {
    const convolve = convolution(tf, weights, [from, to]);
    const bias = weights.constant(to, 0);
    return (x) => tf.maxPool(tf.relu(tf.add(convolve(x), bias)) as Tensor4D, 2, 2, 'same');
  };
  const [first, second] = [layer(1, 16), layer(16, 32)];
  const hidden = dense(tf, weights, [16 * 16 * 32, 64]);
  const last = dense(tf, weights, [64, 1]);
  return {
    variables: weights.variables,
    exampleLosses: ({ features, targets }) => {
      const flat = tf.reshape(second(first(features as Tensor4D)), [-1, 16 * 16 * 32]) as Tensor2D;
      return tf.reshape(logitLosses(tf, last(tf.relu(hidden(flat))), targets as Tensor), [-1]);
    },
  };
}

const levels = [16, 32, 64, 128, 256] as const;
const groupCount = 8;

/** Ronneberger's U-Net from 16 filters on, four poolings, each convolution with group normalisation: 1.94 million weights. */
function createUNet(tf: TensorFlow): BenchNetwork {
  const weights = createWeights(tf);
  const layer = (from: number, to: number): Layer<Tensor4D> => {
    const convolve = convolution(tf, weights, [from, to]);
    const [scale, offset] = [weights.constant(to, 1), weights.constant(to, 0)];
    return (x) => tf.relu(groupNorm(tf, { x: convolve(x), scale, offset, groupCount }));
  };
  const block = (from: number, to: number): Layer<Tensor4D> => {
    const [first, second] = [layer(from, to), layer(to, to)];
    return (x) => second(first(x));
  };
  const doubled = (from: number, to: number): Layer<Tensor4D> => {
    const kernel = weights.kernel([2, 2, to, from], from) as unknown as Tensor4D;
    const bias = weights.constant(to, 0);
    return (x) => {
      const [rows, height, width] = x.shape;
      return tf.add(tf.conv2dTranspose(x, kernel, [rows, 2 * height, 2 * width, to], 2, 'same'), bias);
    };
  };
  const down = levels.map((width, level) => block(level === 0 ? 1 : (levels[level - 1] as number), width));
  const up = levels.slice(0, -1).map((width, level) => {
    return { double: doubled(levels[level + 1] as number, width), block: block(2 * width, width) };
  });
  const kernel = weights.kernel([1, 1, levels[0], 1], levels[0]) as unknown as Tensor4D;
  const bias = weights.constant(1, 0);
  const logits = (x: Tensor4D): Tensor => {
    const skipped: Tensor4D[] = [];
    let y = x;
    for (const [level, apply] of down.entries()) {
      y = apply(level === 0 ? y : tf.maxPool(y, 2, 2, 'same'));
      skipped.push(y);
    }
    for (const [level, { double, block: apply }] of [...up.entries()].reverse()) {
      y = apply(tf.concat([skipped[level] as Tensor4D, double(y)], 3));
    }
    return tf.add(tf.conv2d(y, kernel, 1, 'same'), bias);
  };
  return {
    variables: weights.variables,
    exampleLosses: ({ features, targets }) =>
      diceAndEntropy(tf, logits(features as Tensor4D), targets as Tensor),
  };
}

/** 1 - Dice coefficient, and the mean cross-entropy of the pixels; both for each image. */
function diceAndEntropy(tf: TensorFlow, logits: Tensor, targets: Tensor): Tensor {
  const axes = [1, 2, 3];
  const probabilities = tf.sigmoid(logits);
  const overlap = tf.sum(tf.mul(probabilities, targets), axes);
  const total = tf.add(tf.sum(probabilities, axes), tf.sum(targets, axes));
  const dice = tf.div(tf.add(tf.mul(overlap, 2), 1), tf.add(total, 1));
  return tf.add(tf.sub(1, dice), tf.mean(logitLosses(tf, logits, targets), axes));
}
