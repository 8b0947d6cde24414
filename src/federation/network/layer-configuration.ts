// The layers of tf.js that a plan may carry, and every key that the configuration of each may have (tf.js 4.22, toJSON(null, false)).
// A key that is not here is refused: what it would change is not computed here.
import { z } from 'zod';
import type { Activation, Extent, Initialiser, Layer } from './network.ts';
import { refuseLayer } from './network-error.ts';

/** A layer of a topology, with the activation that tf.js gives it; none of ours is `softmax`. */
export interface ConfiguredLayer {
  readonly layer: Layer;
  /** Axis that the configuration names, counted from the batch; null: the last one. */
  readonly axis: number | null;
  readonly isSoftmax: boolean;
}

const activation = z.enum(['linear', 'relu', 'tanh', 'sigmoid', 'elu', 'softplus', 'softmax']);
const units = z.int().min(1).max(65_536);
const extent = z.int().min(1).max(64);
const pair = z.tuple([extent, extent]);
const none = z.null().optional();
const seed = z.number().nullable().optional();
const every = {
  name: z.string().max(64),
  trainable: z.literal(true).optional(),
  dtype: z.literal('float32').optional(),
  /** Of the first layer of a Sequential. */
  batch_input_shape: z.unknown().optional(),
};
const channelsLast = { data_format: z.literal('channels_last').nullable().optional() };
const padding = z.enum(['same', 'valid']);

const zerosInitialiser = z.strictObject({ class_name: z.literal('Zeros'), config: z.strictObject({}) });
const onesInitialiser = z.strictObject({ class_name: z.literal('Ones'), config: z.strictObject({}) });
const seededInitialiser = z.strictObject({ seed });
const kernelInitialiser = z.discriminatedUnion('class_name', [
  z.strictObject({
    class_name: z.literal('VarianceScaling'),
    config: z.strictObject({
      scale: z.number().gt(0).max(100),
      mode: z.enum(['fan_in', 'fan_out', 'fan_avg']),
      distribution: z.enum(['uniform', 'normal', 'truncated_normal']),
      seed,
    }),
  }),
  z.strictObject({
    class_name: z.enum(['GlorotUniform', 'GlorotNormal', 'HeUniform', 'HeNormal']),
    config: seededInitialiser,
  }),
]);

const affine = {
  activation,
  use_bias: z.boolean(),
  kernel_initializer: kernelInitialiser,
  bias_initializer: zerosInitialiser,
  kernel_regularizer: none,
  bias_regularizer: none,
  activity_regularizer: none,
  kernel_constraint: none,
  bias_constraint: none,
};
const convolution = z.strictObject({
  ...every,
  ...channelsLast,
  ...affine,
  filters: units,
  kernel_size: pair,
  strides: pair,
  padding,
  dilation_rate: z.tuple([z.literal(1), z.literal(1)]).optional(),
});
const pooling = z.strictObject({ ...every, ...channelsLast, pool_size: pair, strides: pair, padding });
const plain = z.strictObject(every);
const ofImages = z.strictObject({ ...every, ...channelsLast });
const dropout = z.strictObject({ ...every, rate: z.number().gt(0).max(0.9), noise_shape: none, seed });
const layerNormalisation = z.strictObject({
  ...every,
  axis: z.union([z.int(), z.tuple([z.int()])]),
  epsilon: z.number().gt(0).max(1),
  center: z.literal(true),
  scale: z.literal(true),
  beta_initializer: zerosInitialiser,
  gamma_initializer: onesInitialiser,
  beta_regularizer: none,
  gamma_regularizer: none,
});

type Reader = (config: unknown) => Partial<ConfiguredLayer> & { readonly layer: Layer };

/** Parses a configuration before it is read. */
function reader<Config>(schema: z.ZodType<Config>, read: (config: Config) => ReturnType<Reader>): Reader {
  return (config) => read(schema.parse(config));
}

const readers: Readonly<Record<string, Reader>> = {
  Dense: reader(z.strictObject({ ...every, ...affine, units }), (config) => ({
    layer: { kind: 'dense', units: config.units, ...affinePart(config) },
    isSoftmax: config.activation === 'softmax',
  })),
  Conv2D: reader(convolution, (config) => convolutionLayer('convolution', config)),
  Conv2DTranspose: reader(convolution, (config) => convolutionLayer('transposed-convolution', config)),
  MaxPooling2D: reader(pooling, (config) => poolingLayer('max-pooling', config)),
  AveragePooling2D: reader(pooling, (config) => poolingLayer('average-pooling', config)),
  GlobalMaxPooling2D: reader(ofImages, () => ({ layer: { kind: 'global-max-pooling' } })),
  GlobalAveragePooling2D: reader(ofImages, () => ({ layer: { kind: 'global-average-pooling' } })),
  UpSampling2D: reader(
    z.strictObject({ ...every, ...channelsLast, size: pair, interpolation: z.literal('nearest') }),
    ({ size }) => ({ layer: { kind: 'upsampling', size } }),
  ),
  Flatten: reader(ofImages, () => ({ layer: { kind: 'flatten' } })),
  Dropout: reader(dropout, ({ rate }) => ({ layer: { kind: 'dropout', rate } })),
  Activation: reader(z.strictObject({ ...every, activation }), (config) => ({
    layer: { kind: 'activation', activation: ours(config.activation) },
    isSoftmax: config.activation === 'softmax',
  })),
  ReLU: reader(z.strictObject({ ...every, max_value: none }), () => ({
    layer: { kind: 'activation', activation: 'relu' },
  })),
  Add: reader(plain, () => ({ layer: { kind: 'add' } })),
  Concatenate: reader(z.strictObject({ ...every, axis: z.int() }), ({ axis }) => ({
    layer: { kind: 'concatenation' },
    axis: named(axis),
  })),
  LayerNormalization: reader(layerNormalisation, ({ axis, epsilon }) => ({
    layer: { kind: 'layer-normalisation', epsilon },
    axis: named(typeof axis === 'number' ? axis : axis[0]),
  })),
};

/** Names of the classes that are admitted, in order. */
export const admittedLayers: readonly string[] = Object.keys(readers).sort();

/** @throws NetworkError LAYER_REFUSED naming the layer and the key. */
export function readConfiguration(name: string, className: string, config: unknown): ConfiguredLayer {
  const read = Object.hasOwn(readers, className) ? readers[className] : undefined;
  if (read === undefined)
    throw refuseLayer(name, `${reasonAgainst(className)}; admitted are ${admittedLayers.join(', ')}`);
  try {
    return { axis: null, isSoftmax: false, ...read(config) };
  } catch (error) {
    if (error instanceof z.ZodError)
      throw refuseLayer(name, `its configuration is not admitted: ${whereOf(error)}`);
    throw error;
  }
}

/** The class as a refusal names it, and why where the reason is not only that nobody has built it. */
function reasonAgainst(className: string): string {
  const known = /^[A-Za-z0-9]{1,40}$/.test(className) ? className : 'its class';
  if (className.startsWith('BatchNormalization')) return `${known} mixes the patients of a batch`;
  return className === 'Lambda' ? `${known} carries code` : `${known} is not admitted`;
}

/** The key that is wrong: one of ours, or that one is there which is not. */
function whereOf(error: z.ZodError): string {
  const [issue] = error.issues;
  const path = issue?.path.filter((part) => typeof part === 'string').join('.') ?? '';
  if (issue?.code === 'unrecognized_keys')
    return `${path === '' ? 'it' : path} has a key that no such layer has`;
  return path === '' ? 'it is no object' : path;
}

function ours(name: z.infer<typeof activation>): Activation {
  return name === 'softmax' ? 'linear' : name;
}

/** null for the last axis, as -1 counts. */
function named(axis: number): number | null {
  return axis === -1 ? null : axis;
}

type AffineConfig = {
  [Key in 'activation' | 'use_bias' | 'kernel_initializer']: z.infer<(typeof affine)[Key]>;
};

function affinePart(config: AffineConfig) {
  return {
    activation: ours(config.activation),
    kernelInitialiser: initialiserOf(config.kernel_initializer),
    biasInitialiser: config.use_bias ? ({ kind: 'zeros' } as const) : null,
  };
}

/** Drawn uniformly whatever the distribution: the variance is the plan's, the numbers come from the plan's seed. */
function initialiserOf(initialiser: z.infer<typeof kernelInitialiser>): Initialiser {
  const kind = 'variance-scaling';
  switch (initialiser.class_name) {
    case 'GlorotNormal':
    case 'GlorotUniform':
      return { kind, scale: 1, fan: 'average' };
    case 'HeNormal':
    case 'HeUniform':
      return { kind, scale: 2, fan: 'in' };
    case 'VarianceScaling': {
      const { scale, mode } = initialiser.config;
      return { kind, scale, fan: mode === 'fan_in' ? 'in' : mode === 'fan_out' ? 'out' : 'average' };
    }
  }
}

function convolutionLayer(
  kind: 'convolution' | 'transposed-convolution',
  config: z.infer<typeof convolution>,
): ReturnType<Reader> {
  const { filters, kernel_size: kernel, strides, padding: edges } = config;
  return {
    layer: { kind, filters, kernel, strides, padding: edges, ...affinePart(config) },
    isSoftmax: config.activation === 'softmax',
  };
}

function poolingLayer(
  kind: 'max-pooling' | 'average-pooling',
  config: z.infer<typeof pooling>,
): ReturnType<Reader> {
  const size: Extent = config.pool_size;
  return { layer: { kind, size, strides: config.strides, padding: config.padding } };
}
