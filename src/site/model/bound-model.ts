// A plan's model with its weights on the engine: variables to train and the logits of a batch of rows.
import type { ModelSpecification } from '#federation/records/research-study-plan.ts';
import { weightShapes } from '#federation/tensors/initial-weights.ts';
import { sortedNames, type Tensor, type TensorMap } from '#federation/tensors/tensor.ts';
import { ModelError } from './model-error.ts';
import type { Tensor2D, TensorFlow, Variable } from './tensorflow.ts';

export interface BoundModel {
  /** In the order of their names, which is the order of an optimizer's slots. */
  readonly variables: readonly Variable[];
  /** Logit of label 1 for each row: [rows, inputs] to [rows, 1]. */
  logits(features: Tensor2D): Tensor2D;
  /** A copy of the weights as they stand. */
  readWeights(): TensorMap;
  /** Frees the engine's memory. */
  dispose(): void;
}

/**
 * Puts `weights/*` of a global model on the engine; other tensors in the map are left alone.
 * @throws ModelError MODEL_WEIGHTS_MISMATCH when names, shapes or types are not those of the plan's model, or a value is not finite.
 */
export function bindModel(tf: TensorFlow, model: ModelSpecification, weights: TensorMap): BoundModel {
  const shapes = weightShapes(model);
  checkWeights(shapes, weights);
  const variables = new Map<string, Variable>();
  for (const [name, shape] of shapes) {
    variables.set(
      name,
      tf.tidy(() => tf.variable(tf.tensor(required(weights, name).data, [...shape], 'float32'))),
    );
  }
  const kernel = required(variables, 'weights/kernel');
  const bias = required(variables, 'weights/bias');
  return {
    variables: [...variables.values()],
    logits: (features) => tf.tidy(() => tf.add(tf.matMul(features, kernel as unknown as Tensor2D), bias)),
    readWeights: () => readTensors(variables),
    dispose: () => tf.dispose([...variables.values()]),
  };
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

function readTensors(variables: ReadonlyMap<string, Variable>): TensorMap {
  const tensors = new Map<string, Tensor>();
  for (const [name, variable] of variables) {
    tensors.set(name, { shape: [...variable.shape], data: Float32Array.from(variable.dataSync()) });
  }
  return tensors;
}

function required<T>(entries: ReadonlyMap<string, T>, name: string): T {
  const entry = entries.get(name);
  if (entry === undefined)
    throw new ModelError('MODEL_WEIGHTS_MISMATCH', 'a weight is missing', { details: { expected: name } });
  return entry;
}
