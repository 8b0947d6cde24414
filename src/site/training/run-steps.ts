// Takes the steps of a run in turns: a cancel, a pause and the settings' memory limit are heard between them, progress is told, and
// checkpoints are made.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TensorMap } from '#federation/tensors/tensor.ts';
import type { BoundModel } from '#site/model/index.ts';
import type { TrainingProgress } from '#site/ports.ts';
import { createProgressMeter } from './progress-meter.ts';
import { TrainingError } from './training-error.ts';

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

export interface StepSource {
  readonly model: BoundModel;
  /** How many steps `run` takes at a time; the last call may ask for fewer. */
  readonly stepsPerRun: number;
  /** Steps with numbers from `firstStep` on: the mean loss of each, no number where it had no example, and how many examples there were. */
  run(
    count: number,
    firstStep: number,
  ): Promise<{ readonly losses: Float32Array; readonly exampleCount: number }>;
  /** Steps of earlier jobs. */
  readonly stepsBefore: number;
  /** Steps of this job that its checkpoint has taken. */
  readonly doneBefore: number;
  /** Whether a loss that is no number ends the run. */
  readonly endsByLoss: boolean;
  /** The run as it stands after so many steps. */
  checkpoint(step: number): Promise<Uint8Array>;
}

/** Takes the steps in turns, and reports their mean loss at most every 50 ms. @throws TrainingError as `trainModel`. */
export async function runSteps(
  stepCount: number,
  source: StepSource,
  control: TrainingControl,
): Promise<void> {
  const { model, stepsBefore, doneBefore, endsByLoss } = source;
  const { onProgress, checkpoints } = control;
  const meter = createProgressMeter({ stepCount, doneBefore, intervalMs: progressIntervalMs });
  let turnEndsAt = performance.now() + longestTurnMs;
  let checkpointAt = performance.now() + (checkpoints?.intervalMs ?? 0);
  for (let done = doneBefore; done < stepCount; ) {
    const length = Math.min(source.stepsPerRun, stepCount - done);
    const { losses, exampleCount } = await source.run(length, stepsBefore + done + 1);
    const bad = endsByLoss ? losses.findIndex((loss) => !Number.isFinite(loss)) : -1;
    if (bad >= 0) throw diverged(done + bad + 1, notFiniteWeight(await model.readWeights()) ?? 'loss');
    done += length;
    const progress = meter.add(losses, exampleCount);
    if (progress !== null) onProgress(progress);
    if (checkpoints !== undefined && done < stepCount && performance.now() >= checkpointAt) {
      checkpoints.onCheckpoint(await source.checkpoint(done));
      checkpointAt = performance.now() + checkpoints.intervalMs;
    }
    if (performance.now() < turnEndsAt) continue;
    await betweenTurns(done, control);
    if (checkpoints !== undefined && done < stepCount && control.isPaused?.()) {
      checkpoints.onCheckpoint(await source.checkpoint(done));
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

/** The name of a tensor with a value that is no finite number. */
function notFiniteWeight(weights: TensorMap): string | undefined {
  return [...weights].find(([, { data }]) => !data.every(Number.isFinite))?.[0];
}

/** The weights as they stand. A loss can look sound over weights that are not: WebGPU's sigmoid makes 0 of NaN. */
export async function finiteWeights(model: BoundModel, step: number): Promise<TensorMap> {
  const weights = await model.readWeights();
  const bad = notFiniteWeight(weights);
  if (bad !== undefined) throw diverged(step, bad);
  return weights;
}

/** @param cause `loss`, or the name of a weight */
export function diverged(step: number, cause: string): TrainingError {
  return new TrainingError('TRAINING_DIVERGED', 'the loss or a weight is no longer a finite number', {
    details: { step, cause },
  });
}
