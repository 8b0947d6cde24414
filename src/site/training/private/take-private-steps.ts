// The steps of a run with differential privacy. It makes no checkpoints: whoever goes on from one would draw lots and noise anew over
// steps that were taken, so a run that was cut off is begun anew.
import type { TensorFlow } from '#site/model/index.ts';
import type { TrainingJob } from '#site/ports.ts';
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
  { job, model, examples, control, privacy }: PrivateJob,
  { state, optimizer }: Pick<OptimizedState, 'state' | 'optimizer'>,
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
      const expectedLot = privacy.samplingRate * job.examples.count;
      const source = {
        model,
        stepsPerRun: 1,
        run: async (length: number, firstStep: number) => ({
          losses: Float32Array.from({ length }, (_, at) => runner.step(firstStep + at)),
          exampleCount: length * expectedLot,
        }),
        stepsBefore: state.iterationCount,
        doneBefore: 0,
        // Whether a lot's loss is finite tells of its patients: only what was released may end a run.
        endsByLoss: false,
        checkpoint: null,
      };
      await runSteps(training.localUpdates, source, control);
      return { execution: runner.execution, microBatchCount: 1, remaining: new Uint32Array() };
    } finally {
      runner.dispose();
    }
  } finally {
    await noise?.close();
  }
}
