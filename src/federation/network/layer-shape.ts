// The shape of what a layer gives, from the shapes it takes. Numbers only: a layer of any size costs nothing here.

import type { Extent, Layer, Padding } from './network.ts';
import { refuseLayer } from './network-error.ts';

export type Shape = readonly number[];

/** Number of values of a shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** @throws NetworkError SHAPES_DIFFER when the layer cannot take these. */
export function layerShape(name: string, layer: Layer, inputs: readonly Shape[]): Shape {
  const differ = (rule: string) => refuseLayer(name, rule, 'SHAPES_DIFFER');
  const [input, ...others] = inputs;
  if (input === undefined) throw differ('takes nothing');
  if (layer.kind === 'add') {
    if (others.length === 0 || others.some((other) => other.join() !== input.join()))
      throw differ('adds two or more inputs of one shape');
    return input;
  }
  if (layer.kind === 'concatenation') return joinedShape(inputs, differ);
  if (others.length > 0) throw differ('takes one input');
  return singleShape(layer, input, differ);
}

type Differ = (rule: string) => Error;
type Single = Exclude<Layer, { kind: 'add' | 'concatenation' }>;

function singleShape(layer: Single, input: Shape, differ: Differ): Shape {
  switch (layer.kind) {
    case 'dense':
      if (input.length !== 1) throw differ('takes rows; flatten or pool the images before');
      return [layer.units];
    case 'convolution':
      return slide(image(input, differ), { ...layer, size: layer.kernel }, differ).with(2, layer.filters);
    case 'transposed-convolution':
      return spread(image(input, differ), layer).with(2, layer.filters);
    case 'max-pooling':
    case 'average-pooling':
      return slide(image(input, differ), layer, differ);
    case 'upsampling': {
      const [rows, columns, channels] = image(input, differ);
      return [rows * layer.size[0], columns * layer.size[1], channels];
    }
    case 'global-max-pooling':
    case 'global-average-pooling':
      return [image(input, differ)[2]];
    case 'group-normalisation':
      if (image(input, differ)[2] % layer.groups !== 0) throw differ('groups do not divide the channels');
      return input;
    case 'flatten':
      return [sizeOf(input)];
    case 'layer-normalisation':
    case 'activation':
    case 'dropout':
      return input;
  }
}

function image(input: Shape, differ: Differ): [number, number, number] {
  const [rows, columns, channels] = input;
  if (rows === undefined || columns === undefined || channels === undefined || input.length !== 3)
    throw differ('takes images of rows, columns and channels');
  return [rows, columns, channels];
}

interface Window {
  readonly size: Extent;
  readonly strides: Extent;
  readonly padding: Padding;
}

function slide([rows, columns, channels]: [number, number, number], window: Window, differ: Differ) {
  const along = (extent: number, axis: 0 | 1) => {
    const reach = window.padding === 'same' ? extent : extent - window.size[axis] + 1;
    if (reach < 1) throw differ('its window is larger than the image');
    return Math.ceil(reach / window.strides[axis]);
  };
  return [along(rows, 0), along(columns, 1), channels];
}

/** As tf.js: a valid transposed convolution covers what its kernels reach. */
function spread(
  [rows, columns, channels]: [number, number, number],
  {
    kernel,
    strides,
    padding,
  }: { readonly kernel: Extent; readonly strides: Extent; readonly padding: Padding },
) {
  const along = (extent: number, axis: 0 | 1) =>
    extent * strides[axis] + (padding === 'same' ? 0 : Math.max(kernel[axis] - strides[axis], 0));
  return [along(rows, 0), along(columns, 1), channels];
}

function joinedShape(inputs: readonly Shape[], differ: Differ): Shape {
  const rank = inputs[0]?.length ?? 0;
  const outer = (shape: Shape) => shape.slice(0, -1).join();
  if (
    inputs.length < 2 ||
    inputs.some((shape) => shape.length !== rank || outer(shape) !== outer(inputs[0] ?? []))
  )
    throw differ('joins two or more inputs that differ in their last axis alone');
  return [...(inputs[0] ?? []).slice(0, -1), inputs.reduce((sum, shape) => sum + (shape.at(-1) ?? 0), 0)];
}
