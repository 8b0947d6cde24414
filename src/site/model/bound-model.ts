// A plan's model with its weights on the engine: variables to train, what they make of a batch, and the loss of each of its rows.
import type { Keystream } from '#federation/crypto/keystream.ts';
import { createNetwork } from '#federation/network/create-network.ts';
import {
  type DescribedNode,
  describeNetwork,
  type NetworkDescription,
  weightName,
} from '#federation/network/describe-network.ts';
import { INPUT } from '#federation/network/network.ts';
import { objectiveOf } from '#federation/network/objective.ts';
import type { ModelSpecification, Objective } from '#federation/records/model-specification.ts';
import { weightShapes } from '#federation/tensors/initial-weights.ts';
import { sortedNames, type Tensor, type TensorMap } from '#federation/tensors/tensor.ts';
import { applyLayer, type Tap } from './apply-layer.ts';
import { type DropoutMask, drawDropoutMasks } from './dropout-masks.ts';
import { ModelError } from './model-error.ts';
import { objectiveLosses } from './objective-losses.ts';
import type { Tensor as EngineTensor, Tensor1D, TensorFlow, Variable } from './tensorflow.ts';

/** Rows on the engine, as a step takes them. */
export interface Batch {
  /** [rows, ...shape of one example]. */
  readonly inputs: EngineTensor;
  /** As encodeTargets makes them. */
  readonly targets: EngineTensor;
  /** What each row's loss is multiplied by; absent: 1. */
  readonly weights?: Tensor1D | undefined;
  /** One for each dropout layer; absent: nothing is dropped. */
  readonly dropoutMasks?: readonly EngineTensor[] | undefined;
}

export interface BoundModel {
  readonly objective: Objective;
  /** In the order of their names, which is the order of an optimizer's slots. */
  readonly variables: readonly Variable[];
  /** What the last layer gives, before the loss's sigmoid or softmax: [rows, ...output shape]. */
  outputs(batch: Pick<Batch, 'inputs' | 'dropoutMasks'>): EngineTensor;
  /**
   * [rows]. Of survival times a row's loss depends on the other rows: the batch is the risk set.
   * @param tap called for each of `weightedLayers`, in their order
   */
  exampleLosses(batch: Batch, tap?: Tap): Tensor1D;
  /** The layers with weights, in the order in which they are computed. */
  readonly weightedLayers: readonly DescribedNode[];
  /** Probabilities of label 1, of each class or of each pixel; values; log hazard ratios. Of the shape of the outputs. */
  predict(inputs: EngineTensor): EngineTensor;
  /** What a step of so many rows drops; empty where the model drops nothing. */
  dropoutMasks(keystream: Pick<Keystream, 'nextUint32'>, rows: number): DropoutMask[];
  /** A copy of the weights as they stand. Asynchronous, as all that is read back: a GPU gives nothing at once. */
  readWeights(): Promise<TensorMap>;
  /** Frees the engine's memory. */
  dispose(): void;
}

/**
 * Puts `weights/*` of a global model on the engine; other tensors in the map are left alone. None of its functions reads a value
 * back or draws a number, so each can be recorded.
 * @throws ModelError MODEL_WEIGHTS_MISMATCH when names, shapes or types are not those of the plan's model, or a value is not finite.
 */
export function bindModel(tf: TensorFlow, model: ModelSpecification, weights: TensorMap): BoundModel {
  const network = describeNetwork(createNetwork(model));
  const objective = objectiveOf(model);
  const variables = createVariables(tf, weightShapes(model), weights);
  const outputs = (batch: Pick<Batch, 'inputs' | 'dropoutMasks'>, tap?: Tap): EngineTensor =>
    tf.tidy(() => runNetwork(tf, network, { variables, ...batch, tap }));
  return {
    objective,
    variables: [...variables.values()],
    weightedLayers: network.nodes.filter(({ weights: own }) => own.length > 0),
    outputs: (batch) => outputs(batch),
    exampleLosses: (batch, tap) =>
      tf.tidy(() => objectiveLosses(tf, objective, { ...batch, outputs: outputs(batch, tap) })),
    predict: (inputs) => tf.tidy(() => predictionOf(tf, objective, outputs({ inputs }))),
    dropoutMasks: (keystream, rows) => drawDropoutMasks(network, keystream, rows),
    readWeights: () => readTensors(variables),
    dispose: () => tf.dispose([...variables.values()]),
  };
}

type Variables = ReadonlyMap<string, Variable>;

function createVariables(
  tf: TensorFlow,
  shapes: ReadonlyMap<string, readonly number[]>,
  weights: TensorMap,
): Variables {
  checkWeights(shapes, weights);
  const variables = new Map<string, Variable>();
  for (const [name, shape] of shapes) {
    const values = required(weights, name).data;
    variables.set(
      name,
      tf.tidy(() => tf.variable(tf.tensor(values, [...shape], 'float32'))),
    );
  }
  return variables;
}

type NetworkRun = Pick<Batch, 'inputs' | 'dropoutMasks'> & {
  readonly variables: Variables;
  readonly tap?: Tap | undefined;
};

function runNetwork(
  tf: TensorFlow,
  { nodes }: NetworkDescription,
  { variables, inputs, dropoutMasks, tap }: NetworkRun,
): EngineTensor {
  const made = new Map<string, EngineTensor>([[INPUT, inputs]]);
  const masks = dropoutMasks?.values();
  let last = inputs;
  for (const node of nodes) {
    last = applyLayer(tf, node, {
      inputs: node.inputs.map((input) => required(made, input)),
      weight: (part) => required(variables, weightName(node.name, part)) as EngineTensor,
      mask: isDropout(node) ? masks?.next().value : undefined,
      tap,
    });
    made.set(node.name, last);
  }
  return last;
}

function isDropout({ layer }: DescribedNode): boolean {
  return layer.kind === 'dropout';
}

function predictionOf(tf: TensorFlow, { loss }: Objective, outputs: EngineTensor): EngineTensor {
  switch (loss) {
    case 'binary-cross-entropy':
    case 'dice-and-binary-cross-entropy':
      return tf.sigmoid(outputs);
    case 'categorical-cross-entropy':
      return tf.softmax(outputs);
    case 'mean-squared-error':
    case 'cox-partial-likelihood':
      return outputs;
  }
}

/** A global model is signed, but a plan may name another model than it holds; TensorFlow would broadcast wrong shapes silently. */
function checkWeights(shapes: ReadonlyMap<string, readonly number[]>, weights: TensorMap): void {
  const found = sortedNames(weights).filter((name) => name.startsWith('weights/'));
  const expected = [...shapes.keys()];
  const fits =
    found.join() === expected.join() &&
    expected.every((name) => isUsable(required(weights, name), shapes.get(name)));
  if (fits) return;
  throw new ModelError('MODEL_WEIGHTS_MISMATCH', 'the weights are not those of the plan’s model', {
    details: {
      expected: [...shapes],
      found: found.map((name) => [name, required(weights, name).shape]),
    },
  });
}

function isUsable({ data, shape }: Tensor, expected: readonly number[] | undefined): boolean {
  return data instanceof Float32Array && shape.join() === expected?.join() && data.every(Number.isFinite);
}

async function readTensors(variables: Variables): Promise<TensorMap> {
  const tensors = new Map<string, Tensor>();
  for (const [name, variable] of variables) {
    tensors.set(name, { shape: [...variable.shape], data: Float32Array.from(await variable.data()) });
  }
  return tensors;
}

function required<T>(entries: ReadonlyMap<string, T>, name: string): T {
  const entry = entries.get(name);
  if (entry === undefined)
    throw new ModelError('MODEL_WEIGHTS_MISMATCH', 'a weight is missing', { details: { expected: name } });
  return entry;
}
