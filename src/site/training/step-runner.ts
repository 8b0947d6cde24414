// Takes gradient steps on batches of resident examples: as a recorded graph of several steps at a time where native TensorFlow runs, else one
// by one. Both take the same step.
import type { Tensor, Variable } from '@tensorflow/tfjs-node';
import type { TrainingSettings } from '#federation/records/training-settings.ts';
import type { DropoutMask, TensorFlow } from '#site/model/index.ts';
import { adjustGradients } from './gradient-rules.ts';
import { compileStep } from './graph/compiled-step.ts';
import type { StepDefinition, Tensors } from './graph/step-recording.ts';
import type { Optimizer } from './optimizer.ts';
import { FEW_STEPS, uploadInputs } from './runnable-step.ts';
import { TrainingError } from './training-error.ts';

/** What is trained: a function that recorded steps may call, see TrainingStep. */
export interface TrainedModel {
  readonly variables: readonly Variable[];
  /** Loss of each row times its weight, [rows]. The batch has the names of the examples, `weights` [rows], and one mask for each drop. */
  exampleLosses(batch: Tensors, dropoutMasks: readonly Tensor[]): Tensor;
}

export interface StepRunnerOptions {
  readonly model: TrainedModel;
  readonly optimizer: Optimizer;
  /** On the engine; one example for each index of the first axis. */
  readonly examples: Tensors;
  /** Of a full batch; the last one of an epoch is filled up with rows of weight 0. */
  readonly batchSize: number;
  /** What a step of that many rows drops, drawn anew for each; of the same shapes each time. */
  readonly drawDropoutMasks: (rows: number) => readonly DropoutMask[];
  readonly training: Pick<TrainingSettings, 'gradientClipNorm' | 'weightDecay'>;
  /** Steps to come; a few are taken eagerly, for to make a graph costs as much. */
  readonly stepCount: number;
  /** In how many parts a batch is taken, eagerly and one after the other, for less memory; 1 where it is not said. */
  readonly microBatchCount?: number;
}

export interface StepRunner {
  readonly execution: 'graph' | 'eager';
  /** How many batches `run` takes at a time; the last call may give fewer. */
  readonly stepsPerRun: number;
  /** Steps with numbers from `firstStep` on (see Optimizer.coefficients). Gives the mean loss of each batch before its step. */
  run(batches: readonly Int32Array[], firstStep: number): Promise<Float32Array>;
  dispose(): void;
}

type DrawnOptions = StepRunnerOptions & { readonly masks: readonly { readonly shape: number[] }[] };

function maskName(at: number): string {
  return `mask-${at}`;
}

/** Leaves the eager way open when a step cannot be recorded. */
export function createStepRunner(tf: TensorFlow, options: StepRunnerOptions): StepRunner {
  // Shapes alone: what these would drop is thrown away, so that a recorded and an eager step draw the same.
  const masks = options
    .drawDropoutMasks(0)
    .map(({ shape }) => ({ shape: [options.batchSize, ...shape.slice(1)] }));
  const definition = defineStep(tf, { ...options, masks });
  // TensorFlow would compute the parts of a recorded step side by side.
  if (options.stepCount < FEW_STEPS || (options.microBatchCount ?? 1) > 1)
    return createEagerRunner(tf, definition, options);
  try {
    return createGraphRunner(tf, definition, options);
  } catch (error) {
    if (error instanceof TrainingError && error.code === 'TRAINING_STEP_NOT_RECORDABLE') {
      return createEagerRunner(tf, definition, options);
    }
    throw error;
  }
}

/** One gradient step: batch by row numbers, weighted mean of the losses, gradients, optimizer. */
function defineStep(
  tf: TensorFlow,
  { model, optimizer, examples, batchSize, masks, training, microBatchCount = 1 }: DrawnOptions,
): StepDefinition {
  const variables = [...model.variables];
  const scalar = { shape: [], dtype: 'float32' } as const;
  return {
    shared: examples,
    stepwise: {
      rows: { shape: [batchSize], dtype: 'int32' },
      weights: { shape: [batchSize], dtype: 'float32' },
      ...Object.fromEntries(masks.map(({ shape }, at) => [maskName(at), { shape, dtype: 'float32' }])),
      ...Object.fromEntries(optimizer.coefficientNames.map((name) => [name, scalar])),
    },
    state: [...variables, ...optimizer.slots],
    step: (resident, { rows, weights, ...coefficients }) => {
      const dropoutMasks = masks.map((_, at) => coefficients[maskName(at)] as Tensor);
      const part: BatchPart = { rows: rows as Tensor, weights: weights as Tensor, dropoutMasks };
      const { loss, gradients } = splitGradients(tf, { model, variables, resident, part, microBatchCount });
      optimizer.update(adjustGradients(tf, gradients, { variables, training }), coefficients);
      return { loss };
    },
  };
}

interface BatchPart {
  readonly rows: Tensor;
  readonly weights: Tensor;
  readonly dropoutMasks: readonly Tensor[];
}

interface BatchGradients {
  readonly loss: Tensor;
  /** In the order of the variables. */
  readonly gradients: readonly Tensor[];
}

interface SplitBatch {
  readonly model: TrainedModel;
  readonly variables: readonly Variable[];
  readonly resident: Tensors;
  readonly part: BatchPart;
  readonly microBatchCount: number;
}

/** Loss and gradients of a batch are sums over its rows: those of its parts, added up. */
function splitGradients(tf: TensorFlow, { part, microBatchCount, ...split }: SplitBatch): BatchGradients {
  if (microBatchCount === 1) return batchGradients(tf, { part, ...split });
  const rowCount = part.rows.shape[0] ?? 0;
  const starts = Array.from({ length: microBatchCount + 1 }, (_, at) =>
    Math.floor((at * rowCount) / microBatchCount),
  );
  let total: BatchGradients | undefined;
  for (const [at, start] of starts.slice(0, -1).entries()) {
    const length = (starts[at + 1] ?? start) - start;
    const before = total;
    const [loss, ...gradients] = tf.tidy(() => {
      const cut = (whole: Tensor): Tensor => tf.slice(whole, [start], [length]);
      const { rows, weights, dropoutMasks } = part;
      const cutPart = { rows: cut(rows), weights: cut(weights), dropoutMasks: dropoutMasks.map(cut) };
      const own = batchGradients(tf, { part: cutPart, ...split });
      const values = [own.loss, ...own.gradients];
      const sums = before === undefined ? [] : [before.loss, ...before.gradients];
      return values.map((value, index) => {
        const sum = sums[index];
        return sum === undefined ? value : tf.add(sum, value);
      });
    }) as [Tensor, ...Tensor[]];
    if (before !== undefined) tf.dispose([before.loss, ...before.gradients]);
    total = { loss, gradients };
  }
  return total as BatchGradients;
}

function batchGradients(
  tf: TensorFlow,
  { model, variables, resident, part }: Omit<SplitBatch, 'microBatchCount'>,
): BatchGradients {
  const batch = Object.fromEntries(
    Object.entries(resident).map(([name, tensor]) => [name, tf.gather(tensor, part.rows as never)]),
  );
  const { value, grads } = tf.variableGrads(
    () => tf.sum(model.exampleLosses({ ...batch, weights: part.weights }, part.dropoutMasks)),
    [...variables],
  );
  return { loss: value, gradients: variables.map(({ name }) => grads[name] as Tensor) };
}

function createGraphRunner(
  tf: TensorFlow,
  definition: StepDefinition,
  { optimizer, batchSize, drawDropoutMasks }: StepRunnerOptions,
): StepRunner {
  const compiled = compileStep(tf, definition);
  const { stepsPerRun } = compiled;
  const runOnce = (batches: readonly Int32Array[], firstStep: number): Float32Array => {
    const inputs = stepInputs(optimizer, { batches, batchSize, firstStep, drawDropoutMasks });
    return compiled.run(inputs, batches.length).loss as Float32Array;
  };
  return {
    execution: 'graph',
    stepsPerRun,
    run: async (batches, firstStep) => {
      if (batches.length === stepsPerRun) return runOnce(batches, firstStep);
      return Float32Array.from(batches, (batch, at) => runOnce([batch], firstStep + at)[0] ?? Number.NaN);
    },
    dispose: () => compiled.dispose(),
  };
}

function createEagerRunner(
  tf: TensorFlow,
  { step, shared, stepwise }: StepDefinition,
  { optimizer, batchSize, drawDropoutMasks }: StepRunnerOptions,
): StepRunner {
  const takeStep = (batch: Int32Array, firstStep: number): Tensor =>
    tf.tidy(() => {
      const values = stepInputs(optimizer, { batches: [batch], batchSize, firstStep, drawDropoutMasks });
      return step(shared, uploadInputs(tf, stepwise, values)).loss as Tensor;
    });
  return {
    execution: 'eager',
    stepsPerRun: 1,
    run: async (batches, firstStep) => {
      const losses: number[] = [];
      for (const [at, batch] of batches.entries()) {
        const loss = takeStep(batch, firstStep + at);
        try {
          losses.push((await loss.data())[0] ?? Number.NaN);
        } finally {
          loss.dispose();
        }
      }
      return Float32Array.from(losses);
    },
    dispose: () => {},
  };
}

interface StepBatches extends Pick<StepRunnerOptions, 'drawDropoutMasks'> {
  readonly batches: readonly Int32Array[];
  readonly batchSize: number;
  readonly firstStep: number;
}

/** A row of a short batch weighs 1 / rows, so that the gradient is the mean over its rows; what fills it up weighs nothing. */
function stepInputs(
  optimizer: Optimizer,
  { batches, batchSize, firstStep, drawDropoutMasks }: StepBatches,
): Record<string, Float32Array | Int32Array> {
  const rows = new Int32Array(batches.length * batchSize);
  const weights = new Float32Array(rows.length);
  for (const [at, batch] of batches.entries()) {
    const start = at * batchSize;
    // Filled with a row of its own: a row of weight 0 must still have a finite loss.
    rows.fill(batch[0] ?? 0, start, start + batchSize).set(batch, start);
    weights.fill(1 / batch.length, start, start + batch.length);
  }
  const inputs: Record<string, Float32Array | Int32Array> = { rows, weights };
  for (const [step] of batches.entries()) {
    for (const [at, { data }] of drawDropoutMasks(batchSize).entries()) {
      const drawn = inputs[maskName(at)] ?? new Float32Array(data.length * batches.length);
      drawn.set(data, step * data.length);
      inputs[maskName(at)] = drawn;
    }
  }
  for (const name of optimizer.coefficientNames) {
    inputs[name] = Float32Array.from(batches, (_, at) => optimizer.coefficients(firstStep + at)[name] ?? 0);
  }
  return inputs;
}
