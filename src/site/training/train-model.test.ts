import { beforeAll, describe, expect, it } from 'vitest';
import { createInitialWeights } from '#site/model/index.ts';
import type { Examples, TrainingJob, TrainingProgress } from '#site/ports.ts';
import { type Engine, loadEngine } from '#site/training/engine.ts';
import { evaluateModel } from '#site/training/evaluate-model.ts';
import { decodeOptimizerState } from '#site/training/optimizer-state.ts';
import { trainModel } from '#site/training/train-model.ts';

const model = {
  kind: 'logistic-regression' as const,
  inputCount: 3,
  initialisation: { kind: 'zeros' as const },
};
const examples: Examples = {
  features: Float32Array.from({ length: 30 }, (_, at) => Math.sin(1 + at * at)),
  labels: Float32Array.from({ length: 10 }, (_, row) => row % 2),
  count: 10,
  shape: [3],
};
const control = { onProgress: () => {}, isCancelled: () => false };
const job = (change: Partial<TrainingJob> = {}): TrainingJob => ({
  model,
  training: { optimizer: { kind: 'adam', learningRate: 0.05 }, batchSize: 4, localUpdates: 7 },
  weights: createInitialWeights(model),
  examples,
  seed: new Uint8Array(32).fill(1),
  optimizerState: null,
  ...change,
});

// WebAssembly is there on every machine; the same operations run natively in the training host's test where TensorFlow is set up.
let engine: Engine;
beforeAll(async () => {
  engine = await loadEngine('wasm');
});

describe('training', () => {
  it('takes exactly the gradient step of logistic regression', async () => {
    const training = {
      optimizer: { kind: 'sgd' as const, learningRate: 0.5 },
      batchSize: 10,
      localUpdates: 1,
    };
    const { weights, lossBefore } = await trainModel(engine.tf, job({ training }), control);
    // From zero weights every probability is 1/2: the step is -0.5 * mean((1/2 - y) x).
    const gradient = (column: number) => {
      let total = 0;
      for (let row = 0; row < 10; row += 1) {
        total +=
          (0.5 - (examples.labels[row] ?? 0)) * (column < 3 ? (examples.features[row * 3 + column] ?? 0) : 1);
      }
      return total / 10;
    };
    expect(lossBefore).toBeCloseTo(Math.LN2, 6);
    for (const column of [0, 1, 2]) {
      expect(weights.get('weights/kernel')?.data[column]).toBeCloseTo(-0.5 * gradient(column), 6);
    }
    expect(weights.get('weights/bias')?.data[0]).toBeCloseTo(-0.5 * gradient(3), 6);
  });

  it('goes on where the last job stopped: two rounds of 7 steps are one of 14', async () => {
    const once = await trainModel(
      engine.tf,
      job({ training: { ...job().training, localUpdates: 14 } }),
      control,
    );
    const first = await trainModel(engine.tf, job(), control);
    // The rest of the epoch is carried over; the next epoch is shuffled by the second job's seed, so compare within the epoch.
    const short = { ...job().training, localUpdates: 1 };
    const one = await trainModel(engine.tf, job({ training: short }), control);
    const two = await trainModel(
      engine.tf,
      job({ training: short, weights: one.weights, optimizerState: one.optimizerState }),
      control,
    );
    const both = await trainModel(engine.tf, job({ training: { ...short, localUpdates: 2 } }), control);
    for (const [name, { data }] of both.weights) {
      for (const [at, value] of data.entries()) expect(two.weights.get(name)?.data[at]).toBeCloseTo(value, 5);
    }
    expect(decodeOptimizerState(two.optimizerState, 10).remaining).toEqual(
      decodeOptimizerState(both.optimizerState, 10).remaining,
    );
    expect(decodeOptimizerState(first.optimizerState, 10).iterationCount).toBe(7);
    expect(once.lossAfter).toBeLessThan(first.lossAfter);
  });

  it('starts the epoch anew when the cohort has changed its size', async () => {
    const { optimizerState } = await trainModel(engine.tf, job(), control);
    expect(decodeOptimizerState(optimizerState, 10).remaining.length).toBe(6);
    expect(decodeOptimizerState(optimizerState, 9).remaining.length).toBe(0);
  });

  it('leaves no tensor behind, over many steps, rounds, refusals and evaluations', async () => {
    const { tf } = engine;
    await trainModel(tf, job(), control);
    const before = tf.memory().numTensors;
    let optimizerState: Uint8Array | null = null;
    for (let round = 0; round < 20; round += 1) {
      optimizerState = (await trainModel(tf, job({ optimizerState }), control)).optimizerState;
      await evaluateModel(tf, job());
    }
    const diverging = job({
      training: { ...job().training, optimizer: { kind: 'sgd', learningRate: 1e39 } },
    });
    await expect(trainModel(tf, diverging, control)).rejects.toMatchObject({ code: 'TRAINING_DIVERGED' });
    await expect(trainModel(tf, job({ optimizerState: new Uint8Array(9) }), control)).rejects.toMatchObject({
      code: 'BAD_TRAINING_JOB',
    });
    expect(tf.memory().numTensors).toBe(before);
  });

  it('reports at most every 50 ms and always the last step', async () => {
    const reports: { progress: TrainingProgress; atMs: number }[] = [];
    const training = { ...job().training, localUpdates: 1500 };
    const onProgress = (progress: TrainingProgress) => reports.push({ progress, atMs: performance.now() });
    const result = await trainModel(engine.tf, job({ training }), { ...control, onProgress });
    expect(reports.at(-1)?.progress.step).toBe(1500);
    for (const [index, { atMs }] of reports.slice(0, -1).entries()) {
      if (index > 0) expect(atMs - (reports[index - 1]?.atMs ?? 0)).toBeGreaterThan(49);
    }
    expect(reports.length).toBeLessThanOrEqual(result.durationMs / 50 + 1);
  });

  it.each<[string, Partial<TrainingJob>, string]>([
    [
      'a value that is no number',
      { examples: { ...examples, features: examples.features.with(3, Number.NaN) } },
      'BAD_TRAINING_JOB',
    ],
    [
      'a label that is neither 0 nor 1',
      { examples: { ...examples, labels: examples.labels.with(0, 2) } },
      'BAD_TRAINING_JOB',
    ],
    [
      'too few features',
      { examples: { ...examples, features: examples.features.subarray(3) } },
      'BAD_TRAINING_JOB',
    ],
    [
      'no rows',
      { examples: { features: new Float32Array(), labels: new Float32Array(), count: 0, shape: [3] } },
      'BAD_TRAINING_JOB',
    ],
    [
      'another width',
      { examples: { ...examples, features: new Float32Array(20), shape: [2] } },
      'BAD_TRAINING_JOB',
    ],
    [
      'weights of another model',
      { weights: createInitialWeights({ ...model, inputCount: 4 }) },
      'MODEL_WEIGHTS_MISMATCH',
    ],
    ['no weights', { weights: new Map() }, 'MODEL_WEIGHTS_MISMATCH'],
  ])('refuses %s', async (_, change, code) => {
    await expect(trainModel(engine.tf, job(change), control)).rejects.toMatchObject({ code });
  });

  it('refuses the state of another optimizer', async () => {
    const { optimizerState } = await trainModel(engine.tf, job(), control);
    const sgd = { ...job().training, optimizer: { kind: 'sgd' as const, learningRate: 0.1 } };
    await expect(
      trainModel(engine.tf, job({ training: sgd, optimizerState }), control),
    ).rejects.toMatchObject({ code: 'BAD_TRAINING_JOB' });
  });
});

describe('evaluation', () => {
  it('has a finite, exact loss where the probability rounds to 0 or 1', async () => {
    const weights = new Map(createInitialWeights(model)).set('weights/kernel', {
      shape: [3, 1],
      data: Float32Array.of(200, 0, 0),
    });
    const features = Float32Array.of(1, 0, 0, -1, 0, 0);
    const wrong = await evaluateModel(engine.tf, {
      model,
      weights,
      examples: { features, labels: Float32Array.of(0, 1), count: 2, shape: [3] },
    });
    const right = await evaluateModel(engine.tf, {
      model,
      weights,
      examples: { features, labels: Float32Array.of(1, 0), count: 2, shape: [3] },
    });
    expect(wrong).toMatchObject({ lossSum: 400, correctCount: 0 });
    expect(right).toMatchObject({ lossSum: 0, correctCount: 2 });
    expect([...right.probabilities]).toEqual([1, 0]);
  });

  it('counts a probability of exactly one half as label 0', async () => {
    const { probabilities, correctCount } = await evaluateModel(engine.tf, job());
    expect(new Set(probabilities)).toEqual(new Set([0.5]));
    expect(correctCount).toBe(5);
  });
});
