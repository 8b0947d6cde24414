// Takes steps in ever smaller parts of their batch when memory runs out: the same gradient, summed over the parts, one after the other.
import type { DropoutMask } from '#site/model/index.ts';
import type { StepRunner } from './step-runner.ts';
import { TrainingError } from './training-error.ts';

export interface SplittingRunnerOptions {
  /** Makes the runner that takes a batch in so many parts. */
  readonly create: (microBatchCount: number, drawDropoutMasks: DrawDropoutMasks) => StepRunner;
  readonly drawDropoutMasks: DrawDropoutMasks;
  /** 1, or what an earlier part of the run came to. */
  readonly microBatchCount: number;
  /** The batch's rows where its loss is a sum over rows, else 1: then nothing can be split. */
  readonly mostMicroBatches: number;
}

export interface SplittingRunner extends StepRunner {
  readonly microBatchCount: number;
}

type DrawDropoutMasks = (rows: number) => readonly DropoutMask[];

/** What engines and Node say when memory runs out. */
const outOfMemory = /\bOOM\b|out of memory|resource ?exhausted|allocation failed|bad_alloc|enlarge memory/i;

export function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && outOfMemory.test(`${error.name} ${error.message}`);
}

/** A runner whose `run` throws TrainingError TRAINING_OUT_OF_MEMORY when even the smallest part does not fit. */
export async function createSplittingRunner(options: SplittingRunnerOptions): Promise<SplittingRunner> {
  let { microBatchCount } = options;
  const draws = repeatableDraws(options.drawDropoutMasks);
  let runner: StepRunner | null = null;
  const current = (): StepRunner => {
    runner ??= options.create(microBatchCount, draws.draw);
    return runner;
  };
  /** What `work` gives, in twice as many parts each time that memory runs out. A failed step has changed nothing. */
  const untilItFits = async <T>(work: (runner: StepRunner) => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await work(current());
      } catch (error) {
        if (!isOutOfMemory(error)) throw error;
        microBatchCount *= 2;
        if (microBatchCount > options.mostMicroBatches) throw tooLarge(error);
        runner?.dispose();
        runner = null;
      }
    }
  };
  await untilItFits(async () => {});
  return {
    get execution() {
      return current().execution;
    },
    get stepsPerRun() {
      return current().stepsPerRun;
    },
    get microBatchCount() {
      return microBatchCount;
    },
    run: async (batches, firstStep) => {
      const losses: number[] = [];
      while (losses.length < batches.length) {
        const taken = await untilItFits(async (fitting) => {
          draws.rewind();
          const rest = batches.slice(losses.length);
          // As many as are one change of the state: of these all are taken, or none.
          const length = rest.length < fitting.stepsPerRun ? 1 : fitting.stepsPerRun;
          return fitting.run(rest.slice(0, length), firstStep + losses.length);
        });
        losses.push(...taken);
        draws.settle();
      }
      return Float32Array.from(losses);
    },
    dispose: () => runner?.dispose(),
  };
}

/** Draws that a step which failed can take again, so that what drops out does not depend on the memory of a machine. */
function repeatableDraws(drawAnew: DrawDropoutMasks) {
  let drawn: (readonly DropoutMask[])[] = [];
  let at = 0;
  return {
    draw: (rows: number): readonly DropoutMask[] => {
      if (rows === 0) return drawAnew(0); // asks for the shapes
      const masks = drawn[at] ?? drawAnew(rows);
      drawn[at] = masks;
      at += 1;
      return masks;
    },
    rewind: () => {
      at = 0;
    },
    settle: () => {
      drawn = drawn.slice(at);
      at = 0;
    },
  };
}

function tooLarge(cause: unknown): TrainingError {
  return new TrainingError('TRAINING_OUT_OF_MEMORY', 'the memory does not hold a step of one example', {
    cause,
  });
}
