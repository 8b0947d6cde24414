// How long a training step of a model takes on the engine that is chosen: as a graph where the engine records, else eagerly, as a run would.
import type { ModelSpecification } from '#federation/records/model-specification.ts';
import { createInitialWeights, type TensorFlow } from '#site/model/index.ts';
import { calibrationBatch, calibrationExamples } from './calibration-examples.ts';
import { createOptimizer } from './optimizer.ts';
import { createStepRunner } from './step-runner.ts';
import { residentTensors, trainedModel } from './trained-model.ts';
import { uploadJob } from './uploaded-job.ts';

const timedSteps = 8;

/** Milliseconds of a step, after others that compile its shaders and fill its caches. */
export async function timeStep(tf: TensorFlow, model: ModelSpecification): Promise<number> {
  const examples = calibrationExamples(model);
  const job = uploadJob(tf, { model, weights: createInitialWeights(model), examples });
  const { variables } = job.model;
  const optimizer = createOptimizer(
    tf,
    { kind: 'adam', learningRate: 1e-3 },
    { variables, state: { iterationCount: 0, slots: [] } },
  );
  const batchSize = examples.shape.length === 1 ? calibrationBatch.ofRows : calibrationBatch.ofImages;
  const runner = createStepRunner(tf, {
    model: trainedModel(tf, job.model),
    optimizer,
    examples: residentTensors(job.examples),
    training: {},
    batchSize,
    drawDropoutMasks: (rows) => job.model.dropoutMasks({ nextUint32: () => 2 ** 31 }, rows),
    stepCount: Number.POSITIVE_INFINITY,
  });
  const batches = Array.from({ length: runner.stepsPerRun }, () =>
    Int32Array.from({ length: batchSize }, (_, row) => row),
  );
  try {
    await runner.run(batches, 1);
    const startedAt = performance.now();
    let taken = 0;
    for (; taken < timedSteps; taken += batches.length) await runner.run(batches, 1 + batches.length + taken);
    return (performance.now() - startedAt) / taken;
  } finally {
    runner.dispose();
    optimizer.dispose();
    job.dispose();
  }
}
