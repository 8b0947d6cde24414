import { afterEach, describe, expect, it } from 'vitest';
import { createKeystream } from '#federation/crypto/keystream.ts';
import type { Tensor, Tensor2D, Variable } from '#site/model/index.ts';
import { loadEngine } from './engine.ts';
import { createOptimizer } from './optimizer.ts';
import { createSplittingRunner } from './splitting-runner.ts';
import { createStepRunner, type TrainedModel } from './step-runner.ts';

const { tf } = await loadEngine(process.env.TFJS_NATIVE);
afterEach(() => tf.disposeVariables());

const exampleCount = 24;
const x = Array.from({ length: exampleCount * 3 }, (_, at) => Math.sin(1 + at * at));
const y = Array.from({ length: exampleCount }, (_, row) => row % 2);

interface Trial {
  /** The most rows whose step fits into memory. */
  readonly fits: number;
  readonly stepCount: number;
  readonly mostMicroBatches?: number;
}

/** Trains one dense layer with dropout of its inputs, over an engine that runs out of memory above so many rows. */
async function train({ fits, stepCount, mostMicroBatches = 12 }: Trial) {
  const kernel = tf.tidy(() => tf.variable(tf.truncatedNormal([3, 1], 0, 0.5, 'float32', 1)));
  const model: TrainedModel = {
    variables: [kernel as Variable],
    exampleLosses: (batch, [mask]) => {
      if ((batch.x?.shape[0] ?? 0) > fits)
        throw new Error('OOM when allocating tensor with shape[12,3] and type float');
      const logits = tf.matMul(tf.mul(batch.x as Tensor, mask as Tensor) as Tensor2D, kernel as never);
      const losses = tf.sub(tf.softplus(logits), tf.mul(logits, batch.y as Tensor));
      return tf.mul(tf.reshape(losses, [-1]), batch.weights as Tensor);
    },
  };
  const examples = { x: tf.tensor2d(x, [exampleCount, 3]), y: tf.tensor2d(y, [exampleCount, 1]) };
  const optimizer = createOptimizer(
    tf,
    { kind: 'adam', learningRate: 0.05 },
    { variables: model.variables, state: { iterationCount: 0, slots: [] } },
  );
  const keystream = createKeystream(new Uint8Array(32));
  const runner = await createSplittingRunner({
    create: (microBatchCount, drawDropoutMasks) =>
      createStepRunner(tf, {
        model,
        optimizer,
        examples,
        batchSize: 12,
        stepCount,
        training: {},
        drawDropoutMasks,
        microBatchCount,
      }),
    drawDropoutMasks: (rows) => [
      {
        shape: [rows, 3],
        data: Float32Array.from({ length: rows * 3 }, () => (keystream.nextUint32() % 2 === 0 ? 0 : 2)),
      },
    ],
    microBatchCount: 1,
    mostMicroBatches,
  });
  try {
    const batch = (step: number) =>
      Int32Array.from({ length: 12 }, (_, at) => (at * 5 + step) % exampleCount);
    const losses: number[] = [];
    while (losses.length < stepCount) {
      const length = Math.min(runner.stepsPerRun, stepCount - losses.length);
      const batches = Array.from({ length }, (_, at) => batch(losses.length + at));
      losses.push(...(await runner.run(batches, losses.length + 1)));
    }
    return { losses, weights: [...kernel.dataSync()], microBatchCount: runner.microBatchCount };
  } finally {
    runner.dispose();
    optimizer.dispose();
    tf.dispose([examples.x, examples.y]);
  }
}

describe('a step that does not fit into memory', () => {
  it.each([
    [12, 1],
    [6, 2],
    [5, 4],
    [1, 16],
  ])('is taken in smaller parts with the same gradient: %i rows fit', async (fits, microBatchCount) => {
    const whole = await train({ fits: 12, stepCount: 100 });
    const split = await train({ fits, stepCount: 100, mostMicroBatches: 16 });
    expect(split.microBatchCount).toBe(microBatchCount);
    for (const [at, loss] of whole.losses.entries()) expect(split.losses[at]).toBeCloseTo(loss, 5);
    for (const [at, weight] of whole.weights.entries()) expect(split.weights[at]).toBeCloseTo(weight, 4);
  });

  it('is refused by name when a single example does not fit, or nothing can be split', async () => {
    for (const trial of [
      { fits: 0, stepCount: 5 },
      { fits: 6, stepCount: 5, mostMicroBatches: 1 },
    ])
      await expect(train(trial)).rejects.toMatchObject({ code: 'TRAINING_OUT_OF_MEMORY' });
  });

  it('leaves no tensor behind', async () => {
    await train({ fits: 5, stepCount: 3 });
    tf.disposeVariables();
    const before = tf.memory().numTensors;
    await train({ fits: 5, stepCount: 3 });
    tf.disposeVariables();
    expect(tf.memory().numTensors).toBe(before);
  });
});
