// Writes a run down in the middle, whichever kind of steps it takes.
import type { BoundModel } from '#site/model/index.ts';
import { type Optimizer, readSlots } from './optimizer.ts';
import { finiteWeights } from './run-steps.ts';
import { encodeCheckpoint } from './training-checkpoint.ts';

export interface WrittenRun {
  readonly model: BoundModel;
  readonly optimizer: Optimizer;
  /** Mean loss over all examples before the first step, in nats. */
  readonly lossBefore: number;
  /** Of `performance.now`, less what earlier parts of the run took. */
  readonly startedAt: number;
  /** Computed at its first use: it reads all examples. */
  readonly jobDigest: () => Uint8Array;
  readonly microBatchCount: () => number;
}

/** Gives the run as it stands after so many steps. @throws TrainingError TRAINING_DIVERGED where a weight is no number. */
export function checkpointWriter(run: WrittenRun): (step: number) => Promise<Uint8Array> {
  const { model, optimizer, lossBefore, startedAt, jobDigest, microBatchCount } = run;
  return async (step) =>
    encodeCheckpoint(
      {
        step,
        weights: await finiteWeights(model, step),
        slots: await readSlots(optimizer),
        microBatchCount: microBatchCount(),
        lossBefore,
        elapsedMs: performance.now() - startedAt,
      },
      jobDigest(),
    );
}
