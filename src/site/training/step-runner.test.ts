import type { Tensor, Tensor2D, Variable } from '@tensorflow/tfjs-node';
import { afterEach, describe, expect, it } from 'vitest';
import { createKeystream } from '#federation/crypto/keystream.ts';
import { createInitialWeights } from '#site/model/index.ts';
import type { TrainingJob } from '#site/ports.ts';
import { createBatchOrder } from './batch-order.ts';
import { loadEngine } from './engine.ts';
import type { Tensors } from './graph/step-recording.ts';
import { createOptimizer } from './optimizer.ts';
import { createStepRunner, type TrainedModel } from './step-runner.ts';
import { trainModel } from './train-model.ts';

const { tf, info } = await loadEngine(process.env.TFJS_NATIVE);
const isNative = info.name === 'tensorflow';
if (!isNative) process.stderr.write(`steps as a graph are not tested: ${info.reason}\n`);

afterEach(() => tf.disposeVariables());

const exampleCount = 30;
const features = Array.from({ length: exampleCount * 3 }, (_, at) => Math.sin(1 + at * at));
const labels = Array.from({ length: exampleCount }, (_, row) => row % 2);

/** Hidden units between three inputs and one output, so that there is more than one layer. */
function createNetwork(): TrainedModel & { weights(): number[] } {
  const first = tf.tidy(() => tf.variable(tf.truncatedNormal([3, 5], 0, 0.5, 'float32', 1)));
  const second = tf.tidy(() => tf.variable(tf.truncatedNormal([5, 1], 0, 0.5, 'float32', 2)));
  const variables: Variable[] = [first, second];
  return {
    variables,
    exampleLosses: (batch) => {
      const hidden = tf.relu(tf.matMul(batch.x as Tensor2D, first as unknown as Tensor2D));
      const logits = tf.matMul(hidden, second as unknown as Tensor2D);
      return weighted(tf.sub(tf.softplus(logits), tf.mul(logits, batch.y as Tensor)), batch);
    },
    weights: () => variables.flatMap((variable) => [...variable.dataSync()]),
  };
}

/** Loss of each row, [rows], times what the step lets it weigh. */
function weighted(losses: Tensor, { weights }: Tensors): Tensor {
  return tf.mul(tf.reshape(losses, [-1]), weights as Tensor);
}

const plain = { training: {}, drawDropoutMasks: () => [] };

const uploaded = (): { x: Tensor; y: Tensor } => ({
  x: tf.tensor2d(features, [exampleCount, 3]),
  y: tf.tensor2d(labels, [exampleCount, 1]),
});

interface Training {
  readonly stepCount: number;
  readonly kind: 'sgd' | 'adam';
}

/** Trains in batches of 8 of 30 examples: each fourth batch is short. */
async function train(model: TrainedModel & { weights(): number[] }, { stepCount, kind }: Training) {
  const examples: Tensors = uploaded();
  const state = { iterationCount: 0, slots: [] };
  const optimizer = createOptimizer(tf, { kind, learningRate: 0.05 }, { variables: model.variables, state });
  const runner = createStepRunner(tf, { model, optimizer, examples, batchSize: 8, stepCount, ...plain });
  const keystream = createKeystream(new Uint8Array(32));
  const remaining = new Uint32Array(0);
  const order = createBatchOrder({ exampleCount, batchSize: 8, keystream, remaining });
  const losses: number[] = [];
  for (let done = 0; done < 150; ) {
    const length = Math.min(runner.stepsPerRun, 150 - done);
    losses.push(...(await runner.run(Array.from({ length }, order.next), done + 1)));
    done += length;
  }
  const weights = model.weights();
  const { execution } = runner;
  runner.dispose();
  optimizer.dispose();
  tf.dispose(Object.values(examples));
  return { execution, weights, losses };
}

describe.skipIf(!isNative)('steps as a graph', () => {
  it.each(['sgd', 'adam'] as const)(
    'end where eager steps end, short batches included (%s)',
    async (kind) => {
      const graph = await train(createNetwork(), { kind, stepCount: 150 });
      const eager = await train(createNetwork(), { kind, stepCount: 1 });
      expect([graph.execution, eager.execution]).toEqual(['graph', 'eager']);
      expect(graph.losses).toHaveLength(150);
      for (const [at, weight] of graph.weights.entries()) {
        expect(Math.abs(weight - (eager.weights[at] ?? Number.NaN))).toBeLessThan(1e-6);
      }
      for (const [at, loss] of graph.losses.entries()) expect(loss).toBeCloseTo(eager.losses[at] ?? 0, 5);
      expect(graph.losses.at(-1)).toBeLessThan(graph.losses[0] ?? 0);
    },
  );

  it('give the same bytes twice', async () => {
    const once = await train(createNetwork(), { kind: 'adam', stepCount: 150 });
    const again = await train(createNetwork(), { kind: 'adam', stepCount: 150 });
    expect(again).toEqual(once);
  });

  it('leave no tensor behind', async () => {
    const model = createNetwork();
    const before = tf.memory().numTensors;
    await train(model, { kind: 'adam', stepCount: 150 });
    expect(tf.memory().numTensors).toBe(before);
  });

  it('are taken eagerly where a model draws random numbers', async () => {
    const model = createNetwork();
    const exampleLosses = (batch: Tensors) =>
      model.exampleLosses({ ...batch, x: tf.dropout(batch.x as Tensor, 0.2) }, []);
    const { execution, losses } = await train({ ...model, exampleLosses }, { kind: 'sgd', stepCount: 150 });
    expect(execution).toBe('eager');
    expect(losses.every(Number.isFinite)).toBe(true);
  });
});

it('moves weights by the mean gradient of a short batch, whatever fills it up', async () => {
  const weights = tf.variable(tf.zeros([3, 1]));
  const model: TrainedModel = {
    variables: [weights],
    exampleLosses: (batch) => {
      const logits = tf.matMul(batch.x as Tensor2D, weights as unknown as Tensor2D);
      return weighted(tf.sub(tf.softplus(logits), tf.mul(logits, batch.y as Tensor)), batch);
    },
  };
  const examples = uploaded();
  const state = { iterationCount: 0, slots: [] };
  const settings = { kind: 'sgd', learningRate: 1 } as const;
  const optimizer = createOptimizer(tf, settings, { variables: [weights], state });
  const runner = createStepRunner(tf, { model, optimizer, examples, batchSize: 8, stepCount: 1, ...plain });
  const [loss] = await runner.run([Int32Array.of(4, 7)], 1);
  expect(loss).toBeCloseTo(Math.LN2, 6);
  // From zero weights every probability is 1/2.
  for (const [column, weight] of [...weights.dataSync()].entries()) {
    const slope = (row: number) => (0.5 - (labels[row] ?? 0)) * (features[row * 3 + column] ?? 0);
    expect(weight).toBeCloseTo(-(slope(4) + slope(7)) / 2, 6);
  }
  tf.dispose([examples.x, examples.y]);
});

describe('training', () => {
  const model = {
    kind: 'logistic-regression' as const,
    inputCount: 3,
    initialisation: { kind: 'zeros' as const },
  };
  const job = (localUpdates: number): TrainingJob => ({
    model,
    training: { optimizer: { kind: 'adam', learningRate: 0.05 }, batchSize: 7, localUpdates },
    weights: createInitialWeights(model),
    examples: {
      features: Float32Array.from(features),
      labels: Float32Array.from(labels),
      count: exampleCount,
      shape: [3],
    },
    seed: new Uint8Array(32).fill(1),
    optimizerState: null,
  });
  const control = { onProgress: () => {}, isCancelled: () => false };

  it.skipIf(!isNative)('says how its steps ran', async () => {
    await expect(trainModel(tf, job(5), control)).resolves.toMatchObject({ execution: 'eager' });
    await expect(trainModel(tf, job(150), control)).resolves.toMatchObject({ execution: 'graph' });
  });

  it('gives the same bytes for the same seed', async () => {
    const [once, again] = [await trainModel(tf, job(150), control), await trainModel(tf, job(150), control)];
    expect(again.weights).toEqual(once.weights);
    expect(again.optimizerState).toEqual(once.optimizerState);
  });

  it('hears a cancel between the turns of a long run', async () => {
    let turns = 0;
    const isCancelled = () => {
      turns += 1;
      return turns === 3;
    };
    const before = tf.memory().numTensors;
    await expect(trainModel(tf, job(1_000_000), { onProgress: () => {}, isCancelled })).rejects.toMatchObject(
      {
        code: 'TRAINING_CANCELLED',
      },
    );
    expect(tf.memory().numTensors).toBe(before);
  });
});
