// Every shape and weight of a network before any of it exists: what is too large, or does not fit, is refused here.
import { layerShape, type Shape, sizeOf } from './layer-shape.ts';
import {
  type Extent,
  INPUT,
  type Initialiser,
  type Layer,
  type Network,
  type NetworkNode,
} from './network.ts';
import { NetworkError, refuseLayer } from './network-error.ts';

/** Far above what a hospital's workstation trains, far below where sizes stop being exact. */
export const networkLimits = {
  nodes: 512,
  /** Numbers that are trained: 256 MiB of float32. */
  weights: 2 ** 26,
  /** Numbers that one example becomes on its way, over all layers. */
  activations: 2 ** 28,
  /** Of one axis: units, filters, pixels. */
  extent: 65_536,
};

export type WeightPart = 'kernel' | 'bias' | 'scale' | 'offset';

export interface WeightDescription {
  /** `weights/<node>/<part>`. */
  readonly name: string;
  readonly shape: Shape;
  readonly initialiser: Initialiser;
  /** Values that one output is made of, and outputs that one value goes into. */
  readonly fans: { readonly in: number; readonly out: number };
}

export interface DescribedNode extends NetworkNode {
  readonly inputShapes: readonly Shape[];
  readonly shape: Shape;
  readonly weights: readonly WeightDescription[];
}

export interface NetworkDescription {
  readonly nodes: readonly DescribedNode[];
  /** Of all nodes, in their order. */
  readonly weights: readonly WeightDescription[];
  readonly outputShape: Shape;
}

export function weightName(node: string, part: WeightPart): string {
  return node === '' ? `weights/${part}` : `weights/${node}/${part}`;
}

/** @throws NetworkError NETWORK_TOO_LARGE, SHAPES_DIFFER, LAYER_REFUSED. */
export function describeNetwork({ inputShape, nodes }: Network): NetworkDescription {
  if (nodes.length === 0 || nodes.length > networkLimits.nodes) throw tooLarge('layers', networkLimits.nodes);
  const shapes = new Map<string, Shape>([[INPUT, inputShape]]);
  const described: DescribedNode[] = [];
  let [weightCount, activationCount] = [0, sizeOf(inputShape)];
  for (const node of nodes) {
    const inputShapes = node.inputs.map((input) => requiredShape(shapes, node.name, input));
    const shape = layerShape(node.name, node.layer, inputShapes);
    if (shapes.has(node.name)) throw refuseLayer(node.name, 'has the name of another layer');
    if (shape.some((extent) => extent > networkLimits.extent && shape.length > 1))
      throw refuseLayer(node.name, 'is too large', 'NETWORK_TOO_LARGE');
    const weights = describeWeights(node, inputShapes[0] ?? []);
    weightCount += weights.reduce((sum, weight) => sum + sizeOf(weight.shape), 0);
    activationCount += sizeOf(shape);
    if (weightCount > networkLimits.weights) throw tooLarge('weights', networkLimits.weights, node.name);
    if (activationCount > networkLimits.activations)
      throw tooLarge('activations', networkLimits.activations, node.name);
    shapes.set(node.name, shape);
    described.push({ ...node, inputShapes, shape, weights });
  }
  requireAllRead(nodes);
  return {
    nodes: described,
    weights: described.flatMap(({ weights }) => weights),
    outputShape: described.at(-1)?.shape ?? [],
  };
}

function requiredShape(shapes: ReadonlyMap<string, Shape>, node: string, input: string): Shape {
  const shape = shapes.get(input);
  if (shape === undefined) throw refuseLayer(node, 'takes a layer that does not come before it');
  return shape;
}

/** A layer whose output nobody takes would have weights that never learn, and that every update carries. */
function requireAllRead(nodes: readonly NetworkNode[]): void {
  const taken = new Set(nodes.flatMap(({ inputs }) => inputs));
  const idle = nodes.slice(0, -1).find(({ name }) => !taken.has(name));
  if (idle !== undefined) throw refuseLayer(idle.name, 'leads nowhere');
}

function describeWeights({ name, layer }: NetworkNode, input: Shape): WeightDescription[] {
  const width = input.at(-1) ?? 0;
  switch (layer.kind) {
    case 'dense':
      return affine(name, layer, {
        shape: [width, layer.units],
        units: layer.units,
        in: width,
        out: layer.units,
      });
    case 'convolution':
    case 'transposed-convolution':
      return affine(name, layer, kernelOf(layer, width));
    case 'group-normalisation':
    case 'layer-normalisation': {
      const fans = { in: 1, out: 1 };
      return [
        { name: weightName(name, 'scale'), shape: [width], initialiser: { kind: 'ones' }, fans },
        { name: weightName(name, 'offset'), shape: [width], initialiser: { kind: 'zeros' }, fans },
      ];
    }
    default:
      return [];
  }
}

interface Kernel {
  readonly shape: Shape;
  readonly units: number;
  readonly in: number;
  readonly out: number;
}

/** [rows, columns, in, out]; of a transposed convolution [rows, columns, out, in]. */
function kernelOf(
  {
    kind,
    kernel,
    filters,
  }: { readonly kind: Layer['kind']; readonly kernel: Extent; readonly filters: number },
  channels: number,
): Kernel {
  const area = kernel[0] * kernel[1];
  const ends = kind === 'convolution' ? [channels, filters] : [filters, channels];
  return { shape: [...kernel, ...ends], units: filters, in: area * channels, out: area * filters };
}

/** The kernel before the bias: the order in which first weights are drawn. */
function affine(
  name: string,
  {
    kernelInitialiser,
    biasInitialiser,
  }: { readonly kernelInitialiser: Initialiser; readonly biasInitialiser: Initialiser | null },
  kernel: Kernel,
): WeightDescription[] {
  const fans = { in: kernel.in, out: kernel.out };
  const weights: WeightDescription[] = [
    { name: weightName(name, 'kernel'), shape: kernel.shape, initialiser: kernelInitialiser, fans },
  ];
  if (biasInitialiser !== null) {
    weights.push({
      name: weightName(name, 'bias'),
      shape: [kernel.units],
      initialiser: biasInitialiser,
      fans,
    });
  }
  return weights;
}

function tooLarge(what: string, expected: number, layer = ''): NetworkError {
  const at = layer === '' ? '' : ` at layer ${layer}`;
  return new NetworkError('NETWORK_TOO_LARGE', `the network has too many ${what}${at}`, {
    details: { layer, expected },
  });
}
