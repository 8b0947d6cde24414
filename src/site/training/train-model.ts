// The local updates of one training round: mini-batch gradient steps on the engine, interruptible, with finite results or none.
import { createKeystream } from '#federation/crypto/keystream.ts';
import type { BoundModel, TensorFlow } from '#site/model/index.ts';
import type { TrainingJob, TrainingResult } from '#site/ports.ts';
import { createBatchOrder } from './batch-order.ts';
import { checkpointWriter } from './checkpoint-writer.ts';
import { dropoutKeystream } from './dropout-keystream.ts';
import { createOptimizer, type Optimizer, readSlots } from './optimizer.ts';
import { decodeOptimizerState, encodeOptimizerState, type OptimizerState } from './optimizer-state.ts';
import { takePrivateSteps } from './private/take-private-steps.ts';
import { exampleLosses, type ResidentExamples, sum } from './resident-examples.ts';
import { diverged, finiteWeights, runSteps, type TrainingControl } from './run-steps.ts';
import { createSplittingRunner, isOutOfMemory } from './splitting-runner.ts';
import { createStepRunner } from './step-runner.ts';
import { residentTensors, trainedModel } from './trained-model.ts';
import { decodeCheckpoint, digestJob, type TrainingCheckpoint } from './training-checkpoint.ts';
import { TrainingError } from './training-error.ts';
import { uploadJob } from './uploaded-job.ts';

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

export interface ResidentJob {
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
    const { privacy } = job;
    const { execution, remaining, microBatchCount } = await (privacy === undefined
      ? takeSteps(tf, resident, steps)
      : takePrivateSteps(tf, { ...resident, privacy }, steps));
    const weights = await finiteWeights(model, stepCount);
    const lossAfter = sum(await exampleLosses(tf, model, examples)) / exampleCount;
    // With differential privacy the weights alone may end a run: they are what was released.
    if (job.privacy === undefined && !Number.isFinite(lossAfter)) throw diverged(stepCount, 'loss');
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

export interface OptimizedState {
  readonly state: OptimizerState;
  readonly optimizer: Optimizer;
  readonly lossBefore: number;
  readonly startedAt: number;
}

export interface TakenSteps extends Pick<TrainingResult, 'execution' | 'microBatchCount'> {
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
  const dropout = dropoutKeystream(job.seed);
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
  const microBatchCount = () => runner.microBatchCount;
  const checkpoint = checkpointWriter({
    model,
    optimizer,
    lossBefore,
    startedAt,
    jobDigest,
    microBatchCount,
  });
  try {
    const source = {
      model,
      get stepsPerRun() {
        return runner.stepsPerRun;
      },
      run: async (length: number, firstStep: number) => {
        const batches = Array.from({ length }, order.next);
        return { losses: await runner.run(batches, firstStep), exampleCount: sizeOf(batches) };
      },
      stepsBefore: state.iterationCount,
      doneBefore,
      endsByLoss: true,
      checkpoint,
    };
    await runSteps(stepCount, source, control);
    return {
      execution: runner.execution,
      microBatchCount: runner.microBatchCount,
      remaining: order.remaining(),
    };
  } finally {
    runner.dispose();
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
