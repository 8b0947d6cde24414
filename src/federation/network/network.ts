// A model as data: layers in the order in which they are computed. What a plan names becomes one of these, and nothing else is
// ever built, so that site and consortium agree on every weight and no code travels with a plan.

/** Height and width, in pixels. */
export type Extent = readonly [number, number];
export type Padding = 'same' | 'valid';
export type Activation = 'linear' | 'relu' | 'tanh' | 'sigmoid' | 'elu' | 'softplus';

/**
 * What a weight is before training. `variance-scaling`: uniform with the variance `scale / fan`; scale 1 and the average fan is
 * Glorot and Bengio 2010, scale 2 and the fan in is He et al. 2015. `uniform`: in [-bound, bound).
 */
export type Initialiser =
  | { readonly kind: 'zeros' }
  | { readonly kind: 'ones' }
  | { readonly kind: 'uniform'; readonly bound: number }
  | { readonly kind: 'variance-scaling'; readonly scale: number; readonly fan: 'in' | 'out' | 'average' };

interface Affine {
  readonly activation: Activation;
  readonly kernelInitialiser: Initialiser;
  /** null: no bias. */
  readonly biasInitialiser: Initialiser | null;
}

interface Convolution extends Affine {
  readonly filters: number;
  readonly kernel: Extent;
  readonly strides: Extent;
  readonly padding: Padding;
}

/** Shapes are of one example: [width] of a row, [rows, columns, channels] of an image (NHWC). */
export type Layer =
  | (Affine & { readonly kind: 'dense'; readonly units: number })
  | (Convolution & { readonly kind: 'convolution' | 'transposed-convolution' })
  /** Wu and He 2018: each example by itself, the channels in `groups`; then a scale and an offset for each channel. */
  | { readonly kind: 'group-normalisation'; readonly groups: number; readonly epsilon: number }
  /** Over the last axis. */
  | { readonly kind: 'layer-normalisation'; readonly epsilon: number }
  | { readonly kind: 'activation'; readonly activation: Activation }
  | {
      readonly kind: 'max-pooling' | 'average-pooling';
      readonly size: Extent;
      readonly strides: Extent;
      readonly padding: Padding;
    }
  | { readonly kind: 'global-max-pooling' | 'global-average-pooling' }
  /** Repeats each pixel. */
  | { readonly kind: 'upsampling'; readonly size: Extent }
  | { readonly kind: 'flatten' }
  /** Off unless a mask is given; a kept value is divided by what is kept on average. */
  | { readonly kind: 'dropout'; readonly rate: number }
  | { readonly kind: 'add' }
  /** Along the last axis. */
  | { readonly kind: 'concatenation' };

export type LayerKind = Layer['kind'];

export interface NetworkNode {
  /** Different for each node, and the first part of its weights' names; empty where the network is this one layer. */
  readonly name: string;
  readonly layer: Layer;
  /** Names of earlier nodes, or the network's input. */
  readonly inputs: readonly string[];
}

/** Name of the network's input among the inputs of a node. */
export const INPUT = '#input';

export interface Network {
  /** Shape of one example. */
  readonly inputShape: readonly number[];
  /** Each after those it takes; the last one is the output, before the loss's own sigmoid or softmax. */
  readonly nodes: readonly NetworkNode[];
}

export const glorot: Initialiser = { kind: 'variance-scaling', scale: 1, fan: 'average' };
export const he: Initialiser = { kind: 'variance-scaling', scale: 2, fan: 'in' };
export const zeros: Initialiser = { kind: 'zeros' };

/** He's variance where a ReLU follows, Glorot's elsewhere. */
export function initialiserBefore(activation: Activation): Initialiser {
  return activation === 'relu' ? he : glorot;
}
