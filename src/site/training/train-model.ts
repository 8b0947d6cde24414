// The local updates of one training round: mini-batch gradient steps on the engine, interruptible, with finite results or none.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { concatBytes, utf8 } from '#base/bytes.ts';
import { sha256 } from '#federation/crypto/digest.ts';
import { createKeystream, type Keystream } from '#federation/crypto/keystream.ts';
import type { BoundModel, Tensor1D, Tensor2D, TensorFlow, Variable } from '#site/model/index.ts';
import type { TrainingJob, TrainingProgress, TrainingResult } from '#site/ports.ts';
import { createBatchOrder } from './batch-order.ts';
import { adjustGradients } from './gradient-rules.ts';
import { createOptimizer, readOptimizer } from './optimizer.ts';
import { decodeOptimizerState, encodeOptimizerState } from './optimizer-state.ts';
import { exampleLosses, type ResidentExamples, sum, takeBatch } from './resident-examples.ts';
import { TrainingError } from './training-error.ts';
import { uploadJob } from './uploaded-job.ts';

export interface TrainingControl {
  readonly onProgress: (progress: TrainingProgress) => void;
  readonly isCancelled: () => boolean;
}

const longestTurnMs = 20; // how long the process is deaf to a cancel
const progressIntervalMs = 50;

/**
 * Runs the job's local updates and returns new weights. Frees all it put on the engine, whatever happens.
 * @throws TrainingError TRAINING_CANCELLED, TRAINING_DIVERGED, BAD_TRAINING_JOB; ModelError MODEL_WEIGHTS_MISMATCH.
 */
export async function trainModel(
  tf: TensorFlow,
  job: TrainingJob,
  control: TrainingControl,
): Promise<TrainingResult> {
  const { model, examples, dispose } = uploadJob(tf, job);
  try {
    return await trainResident(tf, { job, model, examples, control });
  } finally {
    dispose();
  }
}

interface ResidentJob {
  readonly job: TrainingJob;
  readonly model: BoundModel;
  readonly examples: ResidentExamples;
  readonly control: TrainingControl;
}

async function trainResident(
  tf: TensorFlow,
  { job, model, examples, control }: ResidentJob,
): Promise<TrainingResult> {
  const startedAt = performance.now();
  const exampleCount = job.examples.count;
  const state = decodeOptimizerState(job.optimizerState, exampleCount);
  const shapes = model.variables.map((variable) => variable.shape);
  const optimizer = await createOptimizer(tf, job.training.optimizer, { state, shapes });
  try {
    const order = createBatchOrder({
      exampleCount,
      batchSize: job.training.batchSize,
      keystream: createKeystream(job.seed),
      remaining: state.remaining,
    });
    const lossBefore = sum(exampleLosses(tf, model, examples)) / exampleCount;
    const applyBatch = createStep(tf, {
      model,
      examples,
      training: job.training,
      dropout: createKeystream(sha256(concatBytes(utf8('dropout'), job.seed))),
      apply: (gradients) => optimizer.applyGradients(gradients),
    });
    await runSteps(job.training.localUpdates, () => applyBatch(order.next()), control);
    const lossAfter = sum(exampleLosses(tf, model, examples)) / exampleCount;
    const weights = model.readWeights();
    for (const { data } of weights.values())
      if (!data.every(Number.isFinite)) throw diverged(job.training.localUpdates);
    if (!Number.isFinite(lossAfter)) throw diverged(job.training.localUpdates);
    const optimizerState = encodeOptimizerState({
      ...(await readOptimizer(tf, optimizer)),
      exampleCount,
      remaining: order.remaining(),
    });
    const durationMs = performance.now() - startedAt;
    return {
      weights,
      lossBefore,
      lossAfter,
      stepCount: job.training.localUpdates,
      durationMs,
      optimizerState,
    };
  } finally {
    optimizer.dispose();
  }
}

interface Step {
  readonly model: BoundModel;
  readonly examples: ResidentExamples;
  readonly training: TrainingJob['training'];
  /** Draws what each step drops. */
  readonly dropout: Keystream;
  readonly apply: (gradients: { name: string; tensor: Tensor2D }[]) => void;
}

/** One gradient step on the rows of a batch; gives the batch's mean loss before the step. */
function createStep(
  tf: TensorFlow,
  { model, examples, training, dropout, apply }: Step,
): (batch: Int32Array) => number {
  const variables = [...model.variables] as Variable[];
  return (rows) =>
    tf.tidy(() => {
      const batch = takeBatch(tf, examples, tf.tensor1d(rows, 'int32') as Tensor1D);
      const dropoutMasks = model
        .dropoutMasks(dropout, rows.length)
        .map(({ data, shape }) => tf.tensor(data, shape));
      const { value, grads } = tf.variableGrads(
        () => tf.mean(model.exampleLosses({ ...batch, dropoutMasks })),
        variables,
      );
      const gradients = variables.map(({ name }) => grads[name] as Tensor2D);
      const adjusted = adjustGradients(tf, gradients, { variables, training });
      apply(variables.map(({ name }, at) => ({ name, tensor: adjusted[at] as Tensor2D })));
      return value.dataSync()[0] ?? Number.NaN;
    });
}

/** Takes the steps in turns, so that a cancel is heard, and reports their mean loss at most every 50 ms. */
async function runSteps(
  stepCount: number,
  takeStep: () => number,
  { onProgress, isCancelled }: TrainingControl,
): Promise<void> {
  let turnEndsAt = performance.now() + longestTurnMs;
  let reportAt = performance.now() + progressIntervalMs;
  let [lossSum, lossCount] = [0, 0];
  for (let step = 1; step <= stepCount; step += 1) {
    const loss = takeStep();
    if (!Number.isFinite(loss)) throw diverged(step);
    lossSum += loss;
    lossCount += 1;
    const now = performance.now();
    if (now >= reportAt || step === stepCount) {
      onProgress({ step, stepCount, loss: lossSum / lossCount });
      [lossSum, lossCount, reportAt] = [0, 0, now + progressIntervalMs];
    }
    if (now < turnEndsAt) continue;
    await nextTurn();
    if (isCancelled())
      throw new TrainingError('TRAINING_CANCELLED', 'training was cancelled', { details: { step } });
    turnEndsAt = performance.now() + longestTurnMs;
  }
}

function diverged(step: number): TrainingError {
  return new TrainingError('TRAINING_DIVERGED', 'the loss or a weight is no longer a finite number', {
    details: { step },
  });
}
