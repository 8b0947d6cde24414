// One of the bench's networks on generated examples, trained the way that the site trains.
import { createKeystream } from '#federation/crypto/keystream.ts';
import type { TensorFlow } from '#site/model/index.ts';
import { createBatchOrder } from '#site/training/batch-order.ts';
import { threadSettings } from '#site/training/engine-threads.ts';
import { createOptimizer, type Optimizer } from '#site/training/optimizer.ts';
import { createStepRunner, type StepRunner } from '#site/training/step-runner.ts';
import { type BenchModelName, type BenchNetwork, benchModels } from './bench-models.ts';

export interface BenchRunOptions {
  readonly name: BenchModelName;
  readonly batchSize: number;
  readonly exampleCount: number;
  readonly execution: 'graph' | 'eager';
}

export interface BenchRun {
  readonly network: BenchNetwork;
  readonly optimizer: Optimizer;
  readonly runner: StepRunner;
  /** Takes the next steps, as many as the runner takes at a time; gives the last loss. */
  advance(): number;
  dispose(): void;
}

/** To be called before TensorFlow is loaded. */
export function chooseThreads(name: BenchModelName): void {
  const ofRows = benchModels[name].featureShape.length === 1;
  Object.assign(process.env, threadSettings(ofRows ? 'one' : 'all'));
}

/** The same run for the same options. */
export function startBenchRun(tf: TensorFlow, options: BenchRunOptions): BenchRun {
  const { name, batchSize, exampleCount, execution } = options;
  const { featureShape, targetShape, create } = benchModels[name];
  const network = create(tf);
  const features = tf.randomNormal([exampleCount, ...featureShape], 0, 1, 'float32', 1);
  const targets = tf.tidy(() =>
    tf.cast(tf.greater(tf.randomNormal([exampleCount, ...targetShape], 0, 1, 'float32', 2), 0), 'float32'),
  );
  const optimizer = createOptimizer(
    tf,
    { kind: 'adam', learningRate: 1e-3 },
    { variables: network.variables, state: { iterationCount: 0, slots: [] } },
  );
  const runner = createStepRunner(tf, {
    model: network,
    optimizer,
    examples: { features, targets },
    batchSize,
    stepCount: execution === 'graph' ? Number.POSITIVE_INFINITY : 1,
  });
  if (runner.execution !== execution) throw new Error(`the steps run in mode ${runner.execution}`);
  const keystream = createKeystream(new Uint8Array(32));
  const remaining = new Uint32Array(0);
  const order = createBatchOrder({ exampleCount, batchSize, keystream, remaining });
  let stepNumber = 1;
  return {
    network,
    optimizer,
    runner,
    advance: () => {
      const batches = Array.from({ length: runner.stepsPerRun }, () => order.next());
      const losses = runner.run(batches, stepNumber);
      stepNumber += batches.length;
      return losses.at(-1) ?? Number.NaN;
    },
    dispose: () => {
      runner.dispose();
      optimizer.dispose();
      tf.dispose([features, targets, ...network.variables]);
    },
  };
}
