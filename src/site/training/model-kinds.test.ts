// Training of each kind of model that a plan can name, on every engine that is here.
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { createKeystream } from '#federation/crypto/keystream.ts';
import type { ModelSpecification } from '#federation/records/model-specification.ts';
import { bindModel, createInitialWeights, encodeTargets, type Tensor1D } from '#site/model/index.ts';
import type { Examples, TrainingJob, TrainingResult } from '#site/ports.ts';
import { type Engine, loadEngine } from '#site/training/engine.ts';
import { evaluateModel } from '#site/training/evaluate-model.ts';
import { trainModel } from '#site/training/train-model.ts';
import { sampleExamples, sampleModel, sampleModels } from '#support/model-samples.ts';

const kinds = Object.keys(sampleModels) as ModelSpecification['kind'][];
const exampleCounts = { 'cnn-2d': 24, 'unet-2d': 12 } as Record<string, number>;
const examplesOf = (model: ModelSpecification) => sampleExamples(model, exampleCounts[model.kind] ?? 60);

function job(model: ModelSpecification, changes: Partial<TrainingJob> = {}): TrainingJob {
  return {
    model,
    training: { optimizer: { kind: 'adam', learningRate: 0.01 }, batchSize: 8, localUpdates: 1 },
    weights: createInitialWeights(model),
    examples: examplesOf(model),
    seed: new Uint8Array(32).fill(1),
    optimizerState: null,
    ...changes,
  };
}

const control = { onProgress: () => {}, isCancelled: () => false };
const settings = (changes: object) => ({ ...job(sampleModel('mlp')).training, ...changes });

/** Loss over all examples after each of 20 steps that go on from one another. */
async function lossCurve({ tf }: Engine, model: ModelSpecification): Promise<number[]> {
  const curve: number[] = [];
  let last: Pick<TrainingResult, 'weights'> & { optimizerState: Uint8Array | null } = {
    weights: createInitialWeights(model),
    optimizerState: null,
  };
  for (let step = 0; step < 20; step += 1) {
    const result = await trainModel(tf, job(model, last), control);
    curve.push(result.lossAfter);
    last = result;
  }
  return curve;
}

const engines: Partial<Record<'tensorflow' | 'wasm', Engine>> = {};
beforeAll(async () => {
  const native = await loadEngine(undefined);
  if (native.info.name === 'tensorflow') engines.tensorflow = native;
  engines.wasm = await loadEngine('wasm');
});
/** Both share one process: the one that computes is set before. */
async function engine(name: 'tensorflow' | 'wasm'): Promise<Engine> {
  const found = engines[name];
  if (found === undefined) throw new Error(`no ${name} here`);
  await found.tf.setBackend(name);
  return found;
}

describe.each(kinds)('a model of kind %s', (kind) => {
  it('learns the same on native TensorFlow and on WebAssembly: 20 losses to three digits', async () => {
    const onWasm = await lossCurve(await engine('wasm'), sampleModel(kind));
    expect(onWasm.at(-1)).toBeLessThan(onWasm[0] ?? 0);
    if (engines.tensorflow === undefined) {
      process.stderr.write('not compared: native TensorFlow is not set up here\n');
      return;
    }
    const onNative = await lossCurve(await engine('tensorflow'), sampleModel(kind));
    for (const [step, loss] of onNative.entries())
      expect(Math.abs(loss - (onWasm[step] ?? Number.NaN)) / loss).toBeLessThan(5e-4);
  });

  it('gives the same weights for the same seed, others for another, and leaves nothing on the engine', async () => {
    const { tf } = await engine('wasm');
    const model = sampleModel(kind);
    const training = settings({ localUpdates: 5, batchSize: 5 });
    const run = (byte: number) =>
      trainModel(tf, job(model, { training, seed: new Uint8Array(32).fill(byte) }), control);
    await run(1);
    const before = tf.memory().numTensors;
    const [first, again, other] = [await run(1), await run(1), await run(2)];
    expect(again.weights).toEqual(first.weights);
    expect(other.weights).not.toEqual(first.weights);
    await evaluateModel(tf, job(model));
    expect(tf.memory().numTensors).toBe(before);
  });

  it('is evaluated by what measures its loss, each example by itself', async () => {
    const { tf } = await engine('wasm');
    const model = sampleModel(kind);
    const trained = await trainModel(tf, job(model, { training: settings({ localUpdates: 40 }) }), control);
    const examples = examplesOf(model);
    const { metrics, lossSum, probabilities } = await evaluateModel(
      tf,
      job(model, { weights: trained.weights }),
    );
    expect(lossSum / examples.count).toBeCloseTo(trained.lossAfter, 5);
    for (const value of Object.values(metrics)) expect(value).toBeGreaterThan(0.5);
    const one = await evaluateModel(
      tf,
      job(model, { weights: trained.weights, examples: rowsOf(examples, 1) }),
    );
    expect([...one.probabilities]).toEqual(
      [...probabilities.subarray(0, one.probabilities.length)].map((p) => expect.closeTo(p, 5)),
    );
  });
});

function rowsOf({ features, labels, shape, count }: Examples, rows: number): Examples {
  const cut = (values: Float32Array) => values.subarray(0, (values.length / count) * rows);
  return { features: cut(features), labels: cut(labels), shape, count: rows };
}

describe('a recorded step', () => {
  // What reads a value back, or draws one outside the seeds, would be frozen into a recorded graph.
  it.each(kinds)('of %s reads no value and draws no number', async (kind) => {
    const { tf } = await engine('wasm');
    const model = sampleModel(kind);
    const bound = bindModel(tf, model, createInitialWeights(model));
    const { features, labels, count, shape } = examplesOf(model);
    const targets = encodeTargets(bound.objective, { labels, count, shape });
    const masks = bound.dropoutMasks(createKeystream(new Uint8Array(32)), count);
    const batch = {
      inputs: tf.tensor(features, [count, ...shape]),
      targets: tf.tensor(targets?.data ?? [], targets?.shape ?? []),
      weights: tf.ones([count]) as Tensor1D,
      dropoutMasks: masks.map((mask) => tf.tensor(mask.data, mask.shape)),
    };
    const prototype = Object.getPrototypeOf(batch.inputs) as Tensor1D;
    const forbidden = [
      vi.spyOn(prototype, 'dataSync'),
      vi.spyOn(prototype, 'data'),
      vi.spyOn(prototype, 'arraySync'),
      vi.spyOn(Math, 'random'),
    ];
    tf.variableGrads(() => tf.mean(bound.exampleLosses(batch)), [...bound.variables]);
    bound.predict(batch.inputs);
    for (const spy of forbidden) {
      expect(spy).not.toHaveBeenCalled();
      spy.mockRestore();
    }
  });
});

describe('many rows', () => {
  it('are evaluated in chunks: all of them, in their order', async () => {
    const { tf } = await engine('wasm');
    const model = sampleModel('mlp');
    const examples = sampleExamples(model, 100_000); // 300,000 values are more than one chunk
    const { probabilities, lossSum } = await evaluateModel(tf, job(model, { examples }));
    const half = (values: Float32Array, at: 0 | 1) =>
      values.subarray((at * values.length) / 2, ((at + 1) * values.length) / 2);
    const evaluateHalf = (at: 0 | 1) => {
      const { features, labels, shape } = examples;
      return evaluateModel(
        tf,
        job(model, {
          examples: { features: half(features, at), labels: half(labels, at), shape, count: 50_000 },
        }),
      );
    };
    const halves = [await evaluateHalf(0), await evaluateHalf(1)];
    expect(probabilities).toEqual(Float32Array.from(halves.flatMap((part) => [...part.probabilities])));
    expect(lossSum).toBeCloseTo(
      halves.reduce((sum, part) => sum + part.lossSum, 0),
      6,
    );
  });
});

describe('examples', () => {
  it.each<[string, ModelSpecification['kind'], Partial<Examples>]>([
    ['of another shape', 'cnn-2d', { shape: [8, 4, 2] }],
    ['of rows where images are taken', 'cnn-2d', { shape: [64] }],
    ['too few labels', 'cox', { labels: new Float32Array(60) }],
    ['a class that is none', 'cnn-2d', { labels: new Float32Array(24).fill(3) }],
    ['a negative time', 'cox', { labels: new Float32Array(120).fill(-1) }],
    ['a mask in grey', 'unet-2d', { labels: new Float32Array(12 * 64).fill(0.5) }],
    ['a subject too few', 'mlp', { subjects: new Uint32Array(59) }],
  ])('%s are refused', async (_, kind, changes) => {
    const model = sampleModel(kind);
    const { tf } = await engine('wasm');
    const before = tf.memory().numTensors;
    await expect(
      trainModel(tf, job(model, { examples: { ...examplesOf(model), ...changes } }), control),
    ).rejects.toMatchObject({ code: 'BAD_TRAINING_JOB' });
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('a step', () => {
  const model = { kind: 'logistic-regression', inputCount: 3, initialisation: { kind: 'zeros' } } as const;
  const weights = new Map([
    ['weights/bias', { shape: [1], data: Float32Array.of(0.5) }],
    ['weights/kernel', { shape: [3, 1], data: Float32Array.of(1, -2, 3) }],
  ]);
  const values = async (training: object, updates = 1) => {
    const { tf } = await engine('wasm');
    const batchSize = 60;
    const all = settings({
      optimizer: { kind: 'sgd', learningRate: 0.1 },
      localUpdates: updates,
      batchSize,
      ...training,
    });
    const result = await trainModel(tf, job(model, { weights, training: all }), control);
    return [...result.weights.values()].flatMap(({ data }) => [...data]);
  };
  const start = [0.5, 1, -2, 3];
  const stepped = async (training: object) =>
    (await values(training)).map((value, at) => (value - (start[at] ?? 0)) / -0.1);
  const norm = (vector: number[]) => Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));

  it('is as long as the plan’s longest gradient, in the same direction', async () => {
    const plain = await stepped({});
    const clipped = await stepped({ gradientClipNorm: norm(plain) / 2 });
    for (const [at, value] of clipped.entries()) expect(value).toBeCloseTo((plain[at] ?? 0) / 2, 5);
    expect(await stepped({ gradientClipNorm: norm(plain) * 2 })).toEqual(
      plain.map((value) => expect.closeTo(value, 5)),
    );
  });

  it('adds the decay of the weights after that', async () => {
    const plain = await stepped({ gradientClipNorm: 0.01 });
    const decayed = await stepped({ gradientClipNorm: 0.01, weightDecay: 0.2 });
    for (const [at, value] of decayed.entries())
      expect(value).toBeCloseTo((plain[at] ?? 0) + 0.2 * (start[at] ?? 0), 4);
  });

  it('goes on with its momentum, also in the next round', async () => {
    const optimizer = { kind: 'sgd', learningRate: 0.1, momentum: 0.9 } as const;
    const { tf } = await engine('wasm');
    const training = settings({ optimizer, batchSize: 60, localUpdates: 1 });
    const first = await trainModel(tf, job(model, { weights, training }), control);
    const { weights: base, optimizerState } = first;
    const second = await trainModel(tf, job(model, { weights: base, training, optimizerState }), control);
    const fresh = await trainModel(tf, job(model, { weights: base, training }), control);
    const flat = (of: TrainingResult) => [...of.weights.values()].flatMap(({ data }) => [...data]);
    // Heavy ball: the second step is the new gradient's plus 0.9 of the first step.
    for (const [at, value] of flat(second).entries()) {
      const firstStep = (flat(first)[at] ?? 0) - (start[at] ?? 0);
      expect(value).toBeCloseTo((flat(fresh)[at] ?? 0) + 0.9 * firstStep, 5);
    }
    expect(await values({ optimizer }, 2)).toEqual(flat(second).map((value) => expect.closeTo(value, 5)));
  });

  it('drops what its seed says: with everything kept another model is learned', async () => {
    const { tf } = await engine('wasm');
    const dropping = sampleModel('mlp');
    const { dropoutRate: _, ...keeping } = dropping as Extract<ModelSpecification, { kind: 'mlp' }>;
    const training = settings({ batchSize: 60 });
    const seeds = [1, 2].map((byte) => new Uint8Array(32).fill(byte));
    // One batch of all rows: the order does not matter, so only what is dropped differs between seeds.
    const [first, second] = await Promise.all(
      seeds.map((seed) => trainModel(tf, job(dropping, { training, seed }), control)),
    );
    const kept = await trainModel(tf, job(keeping, { training, weights: job(dropping).weights }), control);
    expect(first?.weights).not.toEqual(second?.weights);
    expect(first?.weights).not.toEqual(kept.weights);
    expect(first?.lossBefore).toBe(kept.lossBefore); // nothing is dropped when a model is measured
  });
});

describe('class weights', () => {
  it('move a model towards the class that weighs more', async () => {
    const { tf } = await engine('wasm');
    const keystream = createKeystream(new Uint8Array(32).fill(9));
    const features = Float32Array.from({ length: 180 }, () => keystream.nextDouble());
    const labels = Float32Array.from({ length: 60 }, (_, row) => Number(row % 4 === 0));
    const examples = { features, labels, count: 60, shape: [3] };
    const mean = async (classWeights: [number, number]) => {
      const objective = { loss: 'binary-cross-entropy' as const, classWeights };
      const model = { ...sampleModel('logistic-regression'), objective } as ModelSpecification;
      const training = settings({
        optimizer: { kind: 'sgd', learningRate: 0.5 },
        batchSize: 60,
        localUpdates: 200,
      });
      const { weights } = await trainModel(tf, job(model, { examples, training }), control);
      const { probabilities } = await evaluateModel(tf, job(model, { examples, weights }));
      return probabilities.reduce((sum, value) => sum + value, 0) / 60;
    };
    // Of a fitted intercept the mean probability is the weighted share of label 1: 15 of 60, or 3 * 15 of 3 * 15 + 45.
    expect(await mean([1, 1])).toBeCloseTo(0.25, 2);
    expect(await mean([1, 3])).toBeCloseTo(0.5, 1);
  });
});
