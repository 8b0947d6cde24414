// The examples on the engine: uploaded once for a job, batches are gathered from them by row number.
import {
  type Batch,
  type BoundModel,
  coxLikelihoodTerms,
  encodeTargets,
  exampleWeights,
  inputShapeOf,
  type Tensor,
  type Tensor1D,
  type TensorFlow,
} from '#site/model/index.ts';
import type { Examples, TrainingJob } from '#site/ports.ts';
import { TrainingError } from './training-error.ts';

export interface ResidentExamples {
  /** [count, ...shape of one example]. */
  readonly inputs: Tensor;
  /** As encodeTargets makes them. */
  readonly targets: Tensor;
  /** [count]; null where every example weighs the same. */
  readonly weights: Tensor1D | null;
  /** As they were uploaded. */
  readonly examples: Examples;
}

/** @throws TrainingError BAD_TRAINING_JOB when the examples do not have the model's shape or hold something else than finite numbers with labels of its loss. */
export function uploadExamples(
  tf: TensorFlow,
  specification: TrainingJob['model'],
  { examples, objective }: { readonly examples: Examples; readonly objective: BoundModel['objective'] },
): ResidentExamples {
  const { features, labels, count, shape, subjects } = examples;
  const expected = inputShapeOf(specification);
  if (shape.join() !== expected.join()) throw badExamples('the shape is not the model’s', expected, shape);
  const width = shape.reduce((product, extent) => product * extent, 1);
  if (count === 0 || features.length !== count * width || (subjects?.length ?? count) !== count)
    throw badExamples('the arrays do not have the stated sizes', count * width, features.length);
  if (!features.every(Number.isFinite))
    throw badExamples('a feature is not finite', 'numbers', 'another value');
  const targets = encodeTargets(objective, { labels, count, shape });
  if (targets === undefined)
    throw badExamples('the labels are not those of the loss', objective.loss, labels.length);
  const weights = exampleWeights(specification, examples);
  return {
    inputs: tf.tensor(features, [count, ...shape]),
    targets: tf.tensor(targets.data, targets.shape),
    weights: weights === null ? null : tf.tensor1d(weights),
    examples,
  };
}

function badExamples(rule: string, expected: unknown, found: unknown): TrainingError {
  return new TrainingError('BAD_TRAINING_JOB', `the examples are refused: ${rule}`, {
    details: { field: 'examples', rule, expected, found },
  });
}

/** The rows of a batch. The caller frees them. */
export function takeBatch(
  tf: TensorFlow,
  { inputs, targets, weights }: ResidentExamples,
  rows: Tensor1D,
): Batch {
  return {
    inputs: tf.gather(inputs, rows),
    targets: tf.gather(targets, rows),
    weights: weights === null ? undefined : tf.gather(weights, rows),
  };
}

/** Numbers of the inputs that are evaluated at once: a few images, or thousands of rows. */
const CHUNK_VALUES = 2 ** 18;

/** What the model says of every example, one after the other. */
export function predictions(
  tf: TensorFlow,
  model: BoundModel,
  resident: ResidentExamples,
): Promise<Float32Array> {
  return inChunks(tf, resident, ({ inputs }) => model.predict(inputs));
}

/** Loss of every example; of survival times with all examples as the risk set. */
export async function exampleLosses(
  tf: TensorFlow,
  model: BoundModel,
  resident: ResidentExamples,
): Promise<Float32Array> {
  const { objective } = model;
  if (objective.loss !== 'cox-partial-likelihood')
    return inChunks(tf, resident, (batch) => model.exampleLosses(batch));
  const survival = { timesAndEvents: resident.examples.labels };
  return Float32Array.from(
    coxLikelihoodTerms(await predictions(tf, model, resident), survival, objective.ties),
  );
}

async function inChunks(
  tf: TensorFlow,
  resident: ResidentExamples,
  compute: (batch: Batch) => Tensor,
): Promise<Float32Array> {
  const { count, features } = resident.examples;
  const size = Math.max(1, Math.floor((CHUNK_VALUES * count) / features.length));
  const parts: Float32Array[] = [];
  for (let start = 0; start < count; start += size) {
    const rows = Math.min(size, count - start);
    const part = tf.tidy(() => compute(sliceBatch(tf, resident, { start, rows })));
    try {
      parts.push(Float32Array.from(await part.data()));
    } finally {
      part.dispose();
    }
  }
  return join(parts);
}

function sliceBatch(
  tf: TensorFlow,
  { inputs, targets, weights }: ResidentExamples,
  { start, rows }: { readonly start: number; readonly rows: number },
): Batch {
  const slice = <T extends Tensor>(whole: T): T =>
    tf.slice(whole, [start, ...whole.shape.slice(1).map(() => 0)], [rows, ...whole.shape.slice(1)]);
  return {
    inputs: slice(inputs),
    targets: slice(targets),
    weights: weights === null ? undefined : slice(weights),
  };
}

function join(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Summed in float64. */
export function sum(values: Float32Array): number {
  return values.reduce((total, value) => total + value, 0);
}
