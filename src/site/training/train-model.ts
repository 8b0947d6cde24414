// The local updates of one training round: mini-batch gradient steps on the engine, interruptible, with finite results or none.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { concatBytes, utf8 } from '#base/bytes.ts';
import { sha256 } from '#federation/crypto/digest.ts';
import { createKeystream, type Keystream } from '#federation/crypto/keystream.ts';
import type { BoundModel, TensorFlow } from '#site/model/index.ts';
import type { TrainingJob, TrainingProgress, TrainingResult } from '#site/ports.ts';
import { createBatchOrder } from './batch-order.ts';
import { createOptimizer, type Optimizer, readSlots } from './optimizer.ts';
import { decodeOptimizerState, encodeOptimizerState, type OptimizerState } from './optimizer-state.ts';
import { startNoise } from './private/noise-ahead.ts';
import { createPrivateRunner } from './private/private-runner.ts';
import { exampleLosses, type ResidentExamples, sum } from './resident-examples.ts';
import { createStepRunner } from './step-runner.ts';
import { residentTensors, trainedModel } from './trained-model.ts';
import { TrainingError } from './training-error.ts';
import { uploadJob } from './uploaded-job.ts';

export interface TrainingControl {
  readonly onProgress: (progress: TrainingProgress) => void;
  readonly isCancelled: () => boolean;
}

const longestTurnMs = 20; // how long the process is deaf to a cancel
const progressIntervalMs = 50;
/** Drawn in less time than a thread takes to start. */
const fewNoiseValues = 500_000;

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

async function trainResident(tf: TensorFlow, resident: ResidentJob): Promise<TrainingResult> {
  const startedAt = performance.now();
  const { job, model, examples } = resident;
  const exampleCount = job.examples.count;
  const stepCount = job.training.localUpdates;
  const state = decodeOptimizerState(job.optimizerState, exampleCount);
  const { variables } = model;
  const optimizer = createOptimizer(tf, job.training.optimizer, { variables, state });
  try {
    const lossBefore = sum(exampleLosses(tf, model, examples)) / exampleCount;
    const { execution, remaining } = await takeSteps(tf, resident, { state, optimizer });
    const lossAfter = sum(exampleLosses(tf, model, examples)) / exampleCount;
    const weights = model.readWeights();
    for (const { data } of weights.values()) if (!data.every(Number.isFinite)) throw diverged(stepCount);
    if (job.privacy === undefined && !Number.isFinite(lossAfter)) throw diverged(stepCount);
    const optimizerState = encodeOptimizerState({
      iterationCount: state.iterationCount + stepCount,
      slots: readSlots(optimizer),
      exampleCount,
      remaining,
    });
    const durationMs = performance.now() - startedAt;
    return { weights, lossBefore, lossAfter, stepCount, durationMs, optimizerState, execution };
  } finally {
    optimizer.dispose();
  }
}

interface OptimizedState {
  readonly state: OptimizerState;
  readonly optimizer: Optimizer;
}

type StepsTaken = Pick<TrainingResult, 'execution'> & { readonly remaining: Uint32Array };

async function takeSteps(
  tf: TensorFlow,
  resident: ResidentJob,
  optimized: OptimizedState,
): Promise<StepsTaken> {
  const { privacy } = resident.job;
  return privacy === undefined
    ? takePlainSteps(tf, resident, optimized)
    : takePrivateSteps(tf, { ...resident, privacy }, optimized);
}

/** Lots of patients by chance: no epoch, nothing remains. */
async function takePrivateSteps(
  tf: TensorFlow,
  {
    job,
    model,
    examples,
    control,
    privacy,
  }: ResidentJob & { readonly privacy: NonNullable<TrainingJob['privacy']> },
  { state, optimizer }: OptimizedState,
): Promise<StepsTaken> {
  const { training, seed } = job;
  const dropout = dropoutKeystream(seed);
  const count = model.variables.reduce((sum, { size }) => sum + size, 0);
  const noise =
    count * training.localUpdates < fewNoiseValues ? undefined : startNoise(count, privacy.noiseMultiplier);
  const runner = createPrivateRunner(tf, {
    model,
    optimizer,
    examples: residentTensors(examples),
    exampleCount: job.examples.count,
    subjects: job.examples.subjects,
    privacy,
    training,
    drawDropoutMasks: (rows) => model.dropoutMasks(dropout, rows),
    stepCount: training.localUpdates,
    ...(noise === undefined ? {} : { draw: noise.draw }),
  });
  try {
    const run = (count: number, firstStep: number) =>
      Float32Array.from({ length: count }, (_, at) => runner.step(firstStep + at));
    // Whether a lot's loss is finite tells of its patients: only what was released may end a run.
    const source = { run, stepsPerRun: 1, stepsBefore: state.iterationCount, endsByLoss: false };
    await runSteps(training.localUpdates, source, control);
    return { execution: runner.execution, remaining: new Uint32Array() };
  } finally {
    runner.dispose();
    await noise?.close();
  }
}

function dropoutKeystream(seed: Uint8Array): Keystream {
  return createKeystream(sha256(concatBytes(utf8('dropout'), seed)));
}

/** The job's steps from the place in the epoch where the state has it. Gives what then remains of the epoch. */
async function takePlainSteps(
  tf: TensorFlow,
  { job, model, examples, control }: ResidentJob,
  { state, optimizer }: OptimizedState,
): Promise<StepsTaken> {
  const exampleCount = job.examples.count;
  const { batchSize, localUpdates: stepCount } = job.training;
  const keystream = createKeystream(job.seed);
  const dropout = dropoutKeystream(job.seed);
  const order = createBatchOrder({ exampleCount, batchSize, keystream, remaining: state.remaining });
  const runner = createStepRunner(tf, {
    model: trainedModel(tf, model),
    optimizer,
    examples: residentTensors(examples),
    training: job.training,
    drawDropoutMasks: (rows) => model.dropoutMasks(dropout, rows),
    batchSize: Math.min(batchSize, exampleCount),
    stepCount,
  });
  try {
    const { stepsPerRun } = runner;
    const run = (count: number, firstStep: number) =>
      runner.run(Array.from({ length: count }, order.next), firstStep);
    const source = { run, stepsPerRun, stepsBefore: state.iterationCount, endsByLoss: true };
    await runSteps(stepCount, source, control);
    return { execution: runner.execution, remaining: order.remaining() };
  } finally {
    runner.dispose();
  }
}

interface StepSource {
  readonly stepsPerRun: number;
  /** Takes so many steps and gives their losses. */
  readonly run: (count: number, firstStep: number) => Float32Array;
  /** Steps of earlier jobs. */
  readonly stepsBefore: number;
  /** Whether a loss that is no number ends the run. */
  readonly endsByLoss: boolean;
}

/** Takes the steps in turns, so that a cancel is heard, and reports their mean loss at most every 50 ms. */
async function runSteps(
  stepCount: number,
  { stepsPerRun, run, stepsBefore, endsByLoss }: StepSource,
  { onProgress, isCancelled }: TrainingControl,
): Promise<void> {
  let turnEndsAt = performance.now() + longestTurnMs;
  let reportAt = performance.now() + progressIntervalMs;
  let [lossSum, lossCount] = [0, 0];
  for (let done = 0; done < stepCount; ) {
    const length = Math.min(stepsPerRun, stepCount - done);
    const losses = run(length, stepsBefore + done + 1);
    const bad = losses.findIndex((loss) => !Number.isFinite(loss));
    if (bad >= 0 && endsByLoss) throw diverged(done + bad + 1);
    done += length;
    const finite = losses.filter(Number.isFinite);
    lossSum += sum(finite);
    lossCount += finite.length;
    const now = performance.now();
    if (now >= reportAt || done === stepCount) {
      onProgress({ step: done, stepCount, loss: lossCount === 0 ? 0 : lossSum / lossCount });
      [lossSum, lossCount, reportAt] = [0, 0, now + progressIntervalMs];
    }
    if (now < turnEndsAt) continue;
    await nextTurn();
    if (isCancelled())
      throw new TrainingError('TRAINING_CANCELLED', 'training was cancelled', { details: { step: done } });
    turnEndsAt = performance.now() + longestTurnMs;
  }
}

function diverged(step: number): TrainingError {
  return new TrainingError('TRAINING_DIVERGED', 'the loss or a weight is no longer a finite number', {
    details: { step },
  });
}
