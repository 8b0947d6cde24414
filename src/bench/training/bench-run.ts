// One of the bench's models on generated examples, trained the way that the site trains.
import { createKeystream } from '#federation/crypto/keystream.ts';
import type { ModelSpecification } from '#federation/records/model-specification.ts';
import { type BoundModel, createInitialWeights, inputShapeOf, type TensorFlow } from '#site/model/index.ts';
import type { Examples } from '#site/ports.ts';
import { createBatchOrder } from '#site/training/batch-order.ts';
import { threadSettings } from '#site/training/engine-threads.ts';
import { createOptimizer } from '#site/training/optimizer.ts';
import { createStepRunner, type StepRunner } from '#site/training/step-runner.ts';
import { residentTensors, trainedModel } from '#site/training/trained-model.ts';
import { uploadJob } from '#site/training/uploaded-job.ts';
import { type BenchModelName, benchModels } from './bench-models.ts';

export interface BenchRunOptions {
  readonly name: BenchModelName;
  readonly batchSize: number;
  readonly exampleCount: number;
  readonly execution: 'graph' | 'eager';
}

export interface BenchRun {
  readonly model: BoundModel;
  readonly runner: StepRunner;
  /** Takes the next steps, as many as the runner takes at a time; gives the last loss. */
  advance(): Promise<number>;
  dispose(): void;
}

/** To be called before TensorFlow is loaded. */
export function chooseThreads(name: BenchModelName): void {
  Object.assign(
    process.env,
    threadSettings(inputShapeOf(benchModels[name]).length === 1 ? 'one' : 'all', null),
  );
}

/** Rows of numbers around 0, each with a label or a mask; the same ones for the same count. */
export function generateExamples(model: ModelSpecification, count: number): Examples {
  const shape = inputShapeOf(model);
  const width = shape.reduce((product, extent) => product * extent, 1);
  const keystream = createKeystream(new Uint8Array(32).fill(1));
  const features = Float32Array.from({ length: count * width }, () => 4 * keystream.nextDouble() - 2);
  const labelCount = model.kind === 'unet-2d' ? features.length : count;
  const labels = Float32Array.from({ length: labelCount }, () => Number(keystream.nextDouble() < 0.5));
  return { features, labels, count, shape };
}

/** The same run for the same options. */
export function startBenchRun(tf: TensorFlow, options: BenchRunOptions): BenchRun {
  const { name, batchSize, exampleCount, execution } = options;
  const specification = benchModels[name];
  const job = uploadJob(tf, {
    model: specification,
    weights: createInitialWeights(specification),
    examples: generateExamples(specification, exampleCount),
  });
  const { model } = job;
  const optimizer = createOptimizer(
    tf,
    { kind: 'adam', learningRate: 1e-3 },
    { variables: model.variables, state: { iterationCount: 0, slots: [] } },
  );
  const runner = createStepRunner(tf, {
    model: trainedModel(tf, model),
    optimizer,
    examples: residentTensors(job.examples),
    training: {},
    drawDropoutMasks: () => [],
    batchSize,
    stepCount: execution === 'graph' ? Number.POSITIVE_INFINITY : 1,
  });
  if (runner.execution !== execution) throw new Error(`the steps run in mode ${runner.execution}`);
  const keystream = createKeystream(new Uint8Array(32));
  const remaining = new Uint32Array(0);
  const order = createBatchOrder({ exampleCount, batchSize, keystream, remaining });
  let stepNumber = 1;
  return {
    model,
    runner,
    advance: async () => {
      const batches = Array.from({ length: runner.stepsPerRun }, () => order.next());
      const losses = await runner.run(batches, stepNumber);
      stepNumber += batches.length;
      return losses.at(-1) ?? Number.NaN;
    },
    dispose: () => {
      runner.dispose();
      optimizer.dispose();
      job.dispose();
    },
  };
}
