// The local updates of one training round: mini-batch gradient steps on the engine, interruptible, with finite results or none.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { concatBytes, utf8 } from '#base/bytes.ts';
import { sha256 } from '#federation/crypto/digest.ts';
import { createKeystream } from '#federation/crypto/keystream.ts';
import type { TensorMap } from '#federation/tensors/tensor.ts';
import type { BoundModel, TensorFlow } from '#site/model/index.ts';
import type { TrainingJob, TrainingProgress, TrainingResult } from '#site/ports.ts';
import { createBatchOrder } from './batch-order.ts';
import { createOptimizer, type Optimizer, readSlots } from './optimizer.ts';
import { decodeOptimizerState, encodeOptimizerState, type OptimizerState } from './optimizer-state.ts';
import { createProgressMeter } from './progress-meter.ts';
import { exampleLosses, type ResidentExamples, sum } from './resident-examples.ts';
import { createSplittingRunner, isOutOfMemory } from './splitting-runner.ts';
import { createStepRunner, type StepRunner } from './step-runner.ts';
import { residentTensors, trainedModel } from './trained-model.ts';
import {
  decodeCheckpoint,
  digestJob,
  encodeCheckpoint,
  type TrainingCheckpoint,
} from './training-checkpoint.ts';
import { TrainingError } from './training-error.ts';
import { uploadJob } from './uploaded-job.ts';

export interface TrainingControl {
  readonly onProgress: (progress: TrainingProgress) => void;
  readonly isCancelled: () => boolean;
  /** Whether to stop at a checkpoint, to go on from it later. */
  readonly isPaused?: () => boolean;
  /** Absent: none is made. */
  readonly checkpoints?: CheckpointControl | undefined;
  /** Bytes of memory that the process may hold; checked between turns. */
  readonly memoryLimitBytes?: number | null;
}

export interface CheckpointControl {
  /** At least so long from one to the next. */
  readonly intervalMs: number;
  readonly onCheckpoint: (checkpoint: Uint8Array) => void;
  /** Where the run goes on from; null starts it. */
  readonly from: Uint8Array | null;
}

const longestTurnMs = 20; // how long the process is deaf to a cancel
const progressIntervalMs = 50;

/**
 * Runs the job's local updates and returns new weights. Frees all it put on the engine, whatever happens.
 * @throws TrainingError TRAINING_CANCELLED, TRAINING_PAUSED, TRAINING_DIVERGED, TRAINING_OUT_OF_MEMORY,
 * BAD_TRAINING_JOB; ModelError MODEL_WEIGHTS_MISMATCH.
 */
export async function trainModel(
  tf: TensorFlow,
  job: TrainingJob,
  control: TrainingControl,
): Promise<TrainingResult> {
  const jobDigest = once(() => digestJob(job));
  const from = control.checkpoints?.from ?? null;
  const start = from === null ? null : decodeCheckpoint(from, jobDigest());
  const { model, examples, dispose } = uploadJob(tf, { ...job, weights: start?.weights ?? job.weights });
  try {
    return await trainResident(tf, { job, model, examples, control, start, jobDigest });
  } catch (error) {
    if (!isOutOfMemory(error)) throw error;
    const message = 'the memory does not hold the model and its examples';
    throw new TrainingError('TRAINING_OUT_OF_MEMORY', message, { cause: error });
  } finally {
    dispose();
  }
}

interface ResidentJob {
  readonly job: TrainingJob;
  readonly model: BoundModel;
  readonly examples: ResidentExamples;
  readonly control: TrainingControl;
  readonly start: TrainingCheckpoint | null;
  /** Computed at its first use: it reads all examples. */
  readonly jobDigest: () => Uint8Array;
}

async function trainResident(tf: TensorFlow, resident: ResidentJob): Promise<TrainingResult> {
  const { job, model, examples, start } = resident;
  const startedAt = performance.now() - (start?.elapsedMs ?? 0);
  const exampleCount = job.examples.count;
  const stepCount = job.training.localUpdates;
  const state = decodeOptimizerState(job.optimizerState, exampleCount);
  const { variables } = model;
  const slotState =
    start === null ? state : { iterationCount: state.iterationCount + start.step, slots: start.slots };
  const optimizer = createOptimizer(tf, job.training.optimizer, { variables, state: slotState });
  try {
    const lossBefore = start?.lossBefore ?? sum(await exampleLosses(tf, model, examples)) / exampleCount;
    const steps = { state, optimizer, lossBefore, startedAt };
    const { execution, remaining, microBatchCount } = await takeSteps(tf, resident, steps);
    const weights = await finiteWeights(model, stepCount);
    const lossAfter = sum(await exampleLosses(tf, model, examples)) / exampleCount;
    if (!Number.isFinite(lossAfter)) throw diverged(stepCount, 'loss');
    const optimizerState = encodeOptimizerState({
      iterationCount: state.iterationCount + stepCount,
      slots: await readSlots(optimizer),
      exampleCount,
      remaining,
    });
    const durationMs = performance.now() - startedAt;
    const losses = { lossBefore, lossAfter };
    return { weights, ...losses, stepCount, durationMs, optimizerState, execution, microBatchCount };
  } finally {
    optimizer.dispose();
  }
}

interface OptimizedState {
  readonly state: OptimizerState;
  readonly optimizer: Optimizer;
  readonly lossBefore: number;
  readonly startedAt: number;
}

interface TakenSteps extends Pick<TrainingResult, 'execution' | 'microBatchCount'> {
  /** Row numbers still to come in the epoch. */
  readonly remaining: Uint32Array;
}

/** The job's steps from the place in the epoch where the state has it, or from the checkpoint on. */
async function takeSteps(
  tf: TensorFlow,
  { job, model, examples, control, start, jobDigest }: ResidentJob,
  { state, optimizer, lossBefore, startedAt }: OptimizedState,
): Promise<TakenSteps> {
  const exampleCount = job.examples.count;
  const { batchSize, localUpdates: stepCount } = job.training;
  const keystream = createKeystream(job.seed);
  const dropout = createKeystream(sha256(concatBytes(utf8('dropout'), job.seed)));
  const order = createBatchOrder({ exampleCount, batchSize, keystream, remaining: state.remaining });
  const options = {
    model: trainedModel(tf, model),
    optimizer,
    examples: residentTensors(examples),
    training: job.training,
    batchSize: Math.min(batchSize, exampleCount),
    stepCount,
  };
  const drawDropoutMasks = (rows: number) => model.dropoutMasks(dropout, rows);
  const doneBefore = start?.step ?? 0;
  for (let step = 0; step < doneBefore; step += 1) {
    order.next();
    drawDropoutMasks(options.batchSize);
  }
  const runner = await createSplittingRunner({
    create: (microBatchCount, draw) =>
      createStepRunner(tf, { ...options, drawDropoutMasks: draw, microBatchCount }),
    drawDropoutMasks,
    microBatchCount: start?.microBatchCount ?? 1,
    mostMicroBatches: model.objective.loss === 'cox-partial-likelihood' ? 1 : options.batchSize,
  });
  const checkpoint = async (step: number): Promise<Uint8Array> =>
    encodeCheckpoint(
      {
        step,
        weights: await finiteWeights(model, step),
        slots: await readSlots(optimizer),
        microBatchCount: runner.microBatchCount,
        lossBefore,
        elapsedMs: performance.now() - startedAt,
      },
      jobDigest(),
    );
  try {
    const source = {
      runner,
      nextBatch: order.next,
      stepsBefore: state.iterationCount,
      doneBefore,
      checkpoint,
    };
    await runSteps(stepCount, { ...source, model }, control);
    const { execution, microBatchCount } = runner;
    return { execution, microBatchCount, remaining: order.remaining() };
  } finally {
    runner.dispose();
  }
}

interface StepSource {
  readonly runner: StepRunner;
  readonly model: BoundModel;
  readonly nextBatch: () => Int32Array;
  /** Steps of earlier jobs. */
  readonly stepsBefore: number;
  /** Steps of this job that its checkpoint has taken. */
  readonly doneBefore: number;
  /** The run as it stands after so many steps. */
  readonly checkpoint: (step: number) => Promise<Uint8Array>;
}

/** Takes the steps in turns, so that a cancel or a pause is heard, and reports their mean loss at most every 50 ms. */
async function runSteps(
  stepCount: number,
  { runner, model, nextBatch, stepsBefore, doneBefore, checkpoint }: StepSource,
  control: TrainingControl,
): Promise<void> {
  const { onProgress, checkpoints } = control;
  const meter = createProgressMeter({ stepCount, doneBefore, intervalMs: progressIntervalMs });
  let turnEndsAt = performance.now() + longestTurnMs;
  let checkpointAt = performance.now() + (checkpoints?.intervalMs ?? 0);
  for (let done = doneBefore; done < stepCount; ) {
    const length = Math.min(runner.stepsPerRun, stepCount - done);
    const batches = Array.from({ length }, nextBatch);
    const losses = await runner.run(batches, stepsBefore + done + 1);
    const bad = losses.findIndex((loss) => !Number.isFinite(loss));
    if (bad >= 0) throw diverged(done + bad + 1, notFiniteWeight(await model.readWeights()) ?? 'loss');
    done += length;
    const progress = meter.add(losses, sizeOf(batches));
    if (progress !== null) onProgress(progress);
    if (checkpoints !== undefined && done < stepCount && performance.now() >= checkpointAt) {
      checkpoints.onCheckpoint(await checkpoint(done));
      checkpointAt = performance.now() + checkpoints.intervalMs;
    }
    if (performance.now() < turnEndsAt) continue;
    await betweenTurns(done, control);
    if (checkpoints !== undefined && done < stepCount && control.isPaused?.()) {
      checkpoints.onCheckpoint(await checkpoint(done));
      throw new TrainingError('TRAINING_PAUSED', 'training was paused', { details: { step: done } });
    }
    turnEndsAt = performance.now() + longestTurnMs;
  }
}

/** @throws TrainingError TRAINING_CANCELLED; TRAINING_OUT_OF_MEMORY above the limit of the settings. */
async function betweenTurns(step: number, { isCancelled, memoryLimitBytes }: TrainingControl): Promise<void> {
  await nextTurn();
  if (isCancelled()) {
    throw new TrainingError('TRAINING_CANCELLED', 'training was cancelled', { details: { step } });
  }
  if (typeof memoryLimitBytes === 'number' && process.memoryUsage.rss() > memoryLimitBytes) {
    throw new TrainingError('TRAINING_OUT_OF_MEMORY', 'the run needs more memory than the settings allow', {
      details: { step, memoryLimitBytes },
    });
  }
}

function once<T>(compute: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: compute() };
    return made.value;
  };
}

function sizeOf(batches: readonly Int32Array[]): number {
  return batches.reduce((count, { length }) => count + length, 0);
}

/** The name of a tensor with a value that is no finite number. */
function notFiniteWeight(weights: TensorMap): string | undefined {
  return [...weights].find(([, { data }]) => !data.every(Number.isFinite))?.[0];
}

/** The weights as they stand. A loss can look sound over weights that are not: WebGPU's sigmoid makes 0 of NaN. */
async function finiteWeights(model: BoundModel, step: number): Promise<TensorMap> {
  const weights = await model.readWeights();
  const bad = notFiniteWeight(weights);
  if (bad !== undefined) throw diverged(step, bad);
  return weights;
}

/** @param cause `loss`, or the name of a weight */
function diverged(step: number, cause: string): TrainingError {
  return new TrainingError('TRAINING_DIVERGED', 'the loss or a weight is no longer a finite number', {
    details: { step, cause },
  });
}
