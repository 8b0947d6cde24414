// Admits a tf.js LayersModel topology: each layer by an allow-list of classes and of every key they may have. What is not on it -
// Lambda and custom layers first - is refused by the layer's name before anything is made (hostile plan, security.md E16).
import { z } from 'zod';
import type { Objective } from '#federation/records/model-specification.ts';
import { describeNetwork } from './describe-network.ts';
import { type ConfiguredLayer, readConfiguration } from './layer-configuration.ts';
import { INPUT, type Layer, type Network, type NetworkNode } from './network.ts';
import { NetworkError, quotable, refuseLayer } from './network-error.ts';

type Loss = Objective['loss'];

const MAX_LAYERS = 512;
const NODE_NAME = /^[a-zA-Z][a-zA-Z0-9]*(?:[._-][a-zA-Z0-9]+)*$/;

const name = z.string().max(64);
const listedLayer = z.strictObject({
  class_name: z.string().max(64),
  config: z.looseObject({ name: name.regex(NODE_NAME) }),
  name: name.optional(),
  inbound_nodes: z.unknown().optional(),
});
type ListedLayer = z.infer<typeof listedLayer>;

const layers = z.array(z.unknown()).min(1).max(MAX_LAYERS);
const end = z.tuple([z.tuple([name, z.literal(0), z.literal(0)])]);
const maker = { keras_version: z.string().max(64).optional(), backend: z.string().max(64).optional() };
const sequential = z.strictObject({
  class_name: z.literal('Sequential'),
  config: z.strictObject({ name: name.optional(), layers }),
  ...maker,
});
const functional = z.strictObject({
  class_name: z.enum(['Model', 'Functional']),
  config: z.strictObject({ name: name.optional(), layers, input_layers: end, output_layers: end }),
  ...maker,
});
const topology = z.discriminatedUnion('class_name', [sequential, functional]);

/** One call of the layer, and what it takes: [layer, call, output, arguments]. */
const oneCall = z.tuple([
  z
    .array(z.tuple([name, z.literal(0), z.literal(0), z.strictObject({})]))
    .min(1)
    .max(64),
]);
const axis = z.int().min(1).max(65_536);
const batchInputShape = z.union([z.tuple([z.null(), axis]), z.tuple([z.null(), axis, axis, axis])]);
const inputConfig = z.strictObject({
  name,
  batch_input_shape: batchInputShape,
  dtype: z.literal('float32').optional(),
  sparse: z.literal(false).optional(),
});

/**
 * The network that a topology describes, without the sigmoid or softmax that its loss has.
 * @throws NetworkError TOPOLOGY_MALFORMED, LAYER_REFUSED, SHAPES_DIFFER, NETWORK_TOO_LARGE.
 */
export function admitTopology(value: unknown, { loss }: Pick<Objective, 'loss'>): Network {
  requirePlainJson(value);
  const parsed = topology.safeParse(value);
  if (!parsed.success) throw malformed(parsed.error.issues[0]?.path ?? []);
  const listed = parsed.data.config.layers.map(listLayer);
  const { input, inputShape, others } = splitInput(listed);
  const configured = others.map(({ class_name: className, config }) =>
    readConfiguration(config.name, className, config),
  );
  const nodes = others.map((layer, index): NetworkNode => {
    const before = index === 0 ? INPUT : (others[index - 1]?.config.name ?? INPUT);
    const inputs = parsed.data.class_name === 'Sequential' ? [before] : inputsOf(layer, input);
    const isLast = index === others.length - 1;
    return {
      name: layer.config.name,
      layer: ownedByLoss(layer, configured[index], isLast ? loss : null),
      inputs,
    };
  });
  if (parsed.data.class_name !== 'Sequential') requireEnds(parsed.data.config, input, nodes.at(-1)?.name);
  requireLastAxes({ inputShape, nodes }, configured);
  return { inputShape, nodes };
}

const mostValues = 50_000;
const deepest = 16;
const prototypeKeys: readonly string[] = ['__proto__', 'constructor', 'prototype'];

/** Looks at all of it without recursion, so that no nesting is too deep to be refused. */
function requirePlainJson(value: unknown): void {
  const pending = [{ value, depth: 0 }];
  let count = 0;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { depth } = next;
    count += 1;
    if (count + pending.length > mostValues) throw malformed([], 'it has more values than any model');
    if (depth > deepest) throw malformed([], 'it is nested deeper than any model');
    if (typeof next.value !== 'object' || next.value === null) continue;
    if (Object.keys(next.value).some((key) => prototypeKeys.includes(key)))
      throw malformed([], 'it has a key that only a prototype has');
    for (const part of Object.values(next.value)) pending.push({ value: part, depth: depth + 1 });
  }
}

function listLayer(value: unknown, index: number): ListedLayer {
  const parsed = listedLayer.safeParse(value);
  if (!parsed.success) throw malformed(['config', 'layers', index, ...(parsed.error.issues[0]?.path ?? [])]);
  const layer = parsed.data;
  if (layer.name !== undefined && layer.name !== layer.config.name)
    throw refuseLayer(layer.config.name, 'has two names');
  return layer;
}

interface SplitLayers {
  /** Name of the InputLayer; undefined where a Sequential has none. */
  readonly input: string | undefined;
  readonly inputShape: readonly number[];
  readonly others: readonly ListedLayer[];
}

function splitInput(listed: readonly ListedLayer[]): SplitLayers {
  const [first, ...rest] = listed;
  if (first === undefined) throw malformed(['config', 'layers']);
  const extra = rest.find(
    ({ class_name, config }) => class_name === 'InputLayer' || 'batch_input_shape' in config,
  );
  if (extra !== undefined) throw refuseLayer(extra.config.name, 'is a second input');
  const isInput = first.class_name === 'InputLayer';
  const shape = isInput
    ? inputConfig.safeParse(first.config).data?.batch_input_shape
    : batchInputShape.safeParse(first.config.batch_input_shape).data;
  if (shape === undefined)
    throw refuseLayer(
      first.config.name,
      'names no shape of one example: a row, or an image of channels last',
    );
  const inputShape = shape.flatMap((size) => (size === null ? [] : [size]));
  return { input: isInput ? first.config.name : undefined, inputShape, others: isInput ? rest : listed };
}

function inputsOf({ config, inbound_nodes: inbound }: ListedLayer, input: string | undefined): string[] {
  const parsed = oneCall.safeParse(inbound);
  if (!parsed.success) throw refuseLayer(config.name, 'is not called once with the outputs of other layers');
  return parsed.data[0].map(([from]) => (from === input ? INPUT : from));
}

/** What each loss computes by itself, from the numbers before it. */
const lossActivations: Readonly<Record<Loss, 'sigmoid' | 'softmax' | null>> = {
  'binary-cross-entropy': 'sigmoid',
  'dice-and-binary-cross-entropy': 'sigmoid',
  'categorical-cross-entropy': 'softmax',
  'cox-partial-likelihood': null,
  'mean-squared-error': null,
};

/** `loss` is that of the output layer, and null for all others. */
function ownedByLoss(
  { config }: ListedLayer,
  configured: ConfiguredLayer | undefined,
  loss: Loss | null,
): Layer {
  if (configured === undefined) throw malformed(['config', 'layers']);
  const { layer, isSoftmax } = configured;
  const found = isSoftmax ? 'softmax' : 'activation' in layer ? layer.activation : 'linear';
  const owned = loss === null ? null : lossActivations[loss];
  if (found === 'softmax' && owned !== 'softmax')
    throw refuseLayer(
      config.name,
      'has a softmax, which only the output under categorical cross-entropy has',
    );
  if (loss === null || loss === 'mean-squared-error' || found === 'linear') return layer;
  if (found !== owned) throw refuseLayer(config.name, `its activation is not one that ${loss} is of`);
  return { ...layer, activation: 'linear' } as Layer;
}

function requireEnds(
  { input_layers: inputs, output_layers: outputs }: z.infer<typeof functional>['config'],
  input: string | undefined,
  output: string | undefined,
): void {
  if (inputs[0][0] !== input) throw refuseLayer(inputs[0][0], 'is not the first layer, though the input');
  if (outputs[0][0] !== output) throw refuseLayer(outputs[0][0], 'is not the last layer, though the output');
}

function requireLastAxes(network: Network, configured: readonly ConfiguredLayer[]): void {
  for (const [index, { name: node, inputShapes }] of describeNetwork(network).nodes.entries()) {
    const named = configured[index]?.axis ?? null;
    if (named !== null && named !== inputShapes[0]?.length)
      throw refuseLayer(node, 'its axis is not the last one');
  }
}

function malformed(path: readonly PropertyKey[], rule?: string): NetworkError {
  const field = path.map((part) => (typeof part === 'number' ? String(part) : quotable(part))).join('.');
  const what = rule ?? (field === '' ? 'all of it' : field);
  return new NetworkError('TOPOLOGY_MALFORMED', `the topology is no LayersModel: ${what}`, {
    details: { field },
  });
}
