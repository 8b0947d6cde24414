// The steps of a run with differential privacy. One that goes on from a checkpoint draws lots and noise anew over the steps that were cut
// off: these were never released, so it promises what an uninterrupted run does, and ends in other bytes.
import type { TensorFlow } from '#site/model/index.ts';
import type { TrainingJob } from '#site/ports.ts';
import { checkpointWriter } from '../checkpoint-writer.ts';
import { dropoutKeystream } from '../dropout-keystream.ts';
import { runSteps } from '../run-steps.ts';
import type { OptimizedState, ResidentJob, TakenSteps } from '../train-model.ts';
import { residentTensors } from '../trained-model.ts';
import { startNoise } from './noise-ahead.ts';
import { createPrivateRunner } from './private-runner.ts';

/** Drawn in less time than a thread takes to start. */
const fewNoiseValues = 500_000;

export interface PrivateJob extends ResidentJob {
  readonly privacy: NonNullable<TrainingJob['privacy']>;
}

/** Lots of patients by chance: no epoch, nothing remains. */
export async function takePrivateSteps(
  tf: TensorFlow,
  { job, model, examples, control, start, jobDigest, privacy }: PrivateJob,
  { state, optimizer, lossBefore, startedAt }: OptimizedState,
): Promise<TakenSteps> {
  const { training, seed } = job;
  const dropout = dropoutKeystream(seed);
  const count = model.variables.reduce((sum, { size }) => sum + size, 0);
  const noise =
    count * training.localUpdates < fewNoiseValues ? undefined : startNoise(count, privacy.noiseMultiplier);
  try {
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
      const microBatchCount = () => 1;
      const expectedLot = privacy.samplingRate * job.examples.count;
      const source = {
        model,
        stepsPerRun: 1,
        run: async (length: number, firstStep: number) => ({
          losses: Float32Array.from({ length }, (_, at) => runner.step(firstStep + at)),
          exampleCount: length * expectedLot,
        }),
        stepsBefore: state.iterationCount,
        doneBefore: start?.step ?? 0,
        // Whether a lot's loss is finite tells of its patients: only what was released may end a run.
        endsByLoss: false,
        checkpoint: checkpointWriter({ model, optimizer, lossBefore, startedAt, jobDigest, microBatchCount }),
      };
      await runSteps(training.localUpdates, source, control);
      return {
        execution: runner.execution,
        microBatchCount: microBatchCount(),
        remaining: new Uint32Array(),
      };
    } finally {
      runner.dispose();
    }
  } finally {
    await noise?.close();
  }
}
