import { describe, expect, it } from 'vitest';
import { createKeystream } from '#federation/crypto/keystream.ts';
import type { ModelSpecification } from '#federation/records/model-specification.ts';
import { l2Norm, subtract } from '#federation/tensors/delta.ts';
import type { TensorMap } from '#federation/tensors/tensor.ts';
import { bindModel, createInitialWeights } from '#site/model/index.ts';
import type { Examples } from '#site/ports.ts';
import { loadEngine } from '#site/training/engine.ts';
import { createOptimizer } from '#site/training/optimizer.ts';
import { createPrivateRunner, type PrivateRunnerOptions } from '#site/training/private/private-runner.ts';
import { uploadExamples } from '#site/training/resident-examples.ts';
import { residentTensors } from '#site/training/trained-model.ts';
import { sampleExamples, sampleModel } from '#support/model-samples.ts';
import { refusalCode } from '#support/refusal-code.ts';

const { tf } = await loadEngine(undefined);

type Changes = Partial<PrivateRunnerOptions> & { readonly steps?: number };

/** Weights after some steps of plain descent at rate 1: the start less all that was released. */
function train(specification: ModelSpecification, examples: Examples, changes: Changes = {}): TensorMap {
  const weights = createInitialWeights(specification);
  const model = bindModel(tf, specification, weights);
  const resident = uploadExamples(tf, specification, { examples, objective: model.objective });
  const state = { iterationCount: 0, slots: [] };
  const optimizer = createOptimizer(
    tf,
    { kind: 'sgd', learningRate: 1 },
    { variables: model.variables, state },
  );
  const { steps = 1, ...rest } = changes;
  const runner = createPrivateRunner(tf, {
    model,
    optimizer,
    examples: residentTensors(resident),
    exampleCount: examples.count,
    subjects: examples.subjects,
    privacy: { clippingNorm: 1, noiseMultiplier: 1, samplingRate: 1 },
    training: { batchSize: 16 },
    drawDropoutMasks: (rows) => model.dropoutMasks({ nextUint32: () => 2 ** 31 }, rows),
    stepCount: steps,
    ...rest,
  });
  for (let step = 1; step <= steps; step += 1) runner.step(step);
  const trained: TensorMap = new Map(
    [...weights].map(([name, { shape }], at) => [
      name,
      { shape, data: Float32Array.from(model.variables[at]?.dataSync() ?? []) },
    ]),
  );
  runner.dispose();
  return trained;
}

const noNoise = (count: number): Float64Array => new Float64Array(count);

/** What a step of all patients adds up to, without noise: the change of the weights times the expected lot. */
function releasedSum(
  specification: ModelSpecification,
  examples: Examples,
  changes: Changes = {},
): TensorMap {
  const patients = new Set(examples.subjects ?? Array.from({ length: examples.count }, (_, row) => row)).size;
  const trained = train(specification, examples, { draw: noNoise, ...changes });
  const change = subtract(createInitialWeights(specification), trained);
  return new Map(
    [...change].map(([name, { shape, data }]) => [
      name,
      { shape, data: Float64Array.from(data, (value) => value * patients) },
    ]),
  );
}

function withSubjects(examples: Examples, subjects: readonly number[]): Examples {
  return { ...examples, subjects: Uint32Array.from(subjects) };
}

function firstRows({ features, labels, count, shape, subjects }: Examples, rows: number): Examples {
  const [width, size] = [features.length / count, labels.length / count];
  return {
    features: features.slice(0, rows * width),
    labels: labels.slice(0, rows * size),
    count: rows,
    shape,
    ...(subjects === undefined ? {} : { subjects: subjects.slice(0, rows) }),
  };
}

describe.each(['mlp', 'cnn-2d', 'unet-2d'] as const)('a private step of a model of kind %s', (kind) => {
  const specification = sampleModel(kind);
  // Ten patients of one row, then one of fifty; the images are scaled up so that every gradient is longer than C.
  const plain = sampleExamples(specification, 60);
  const examples = { ...plain, features: plain.features.map((value) => value * 4) };
  const subjects = Array.from({ length: 60 }, (_, row) => Math.min(row, 10));
  const clippingNorm = 1e-3;
  const privacy = { clippingNorm, noiseMultiplier: 1, samplingRate: 1 };

  it('is moved by a patient with 50 images by no more than C', () => {
    const everybody = withSubjects(examples, subjects);
    const others = firstRows(everybody, 10);
    const moved = l2Norm(
      subtract(
        releasedSum(specification, everybody, { privacy }),
        releasedSum(specification, others, { privacy }),
      ),
    );
    expect(moved).toBeLessThanOrEqual(clippingNorm * (1 + 1e-6));
    expect(moved).toBeGreaterThan(clippingNorm * 0.85);
  });

  it('would be moved by many times C, were each image a unit', () => {
    const moved = l2Norm(
      subtract(
        releasedSum(specification, examples, { privacy }),
        releasedSum(specification, firstRows(examples, 10), { privacy }),
      ),
    );
    expect(moved).toBeGreaterThan(4 * clippingNorm);
  });
});

describe('private steps', () => {
  const specification = sampleModel('logistic-regression');
  const examples = sampleExamples(specification, 40);

  it('of an empty lot are noise alone, over the expected lot', () => {
    const privacy = { clippingNorm: 0.5, noiseMultiplier: 2, samplingRate: 1e-9 };
    const counts: [number, number][] = [];
    const trained = train(specification, examples, {
      privacy,
      draw: (count, noiseMultiplier) => {
        counts.push([count, noiseMultiplier]);
        return new Float64Array(count).fill(2 ** 20 * 3);
      },
    });
    expect(counts).toEqual([[4, 2]]);
    // 3 · 2^20 steps of C / 2^20, divided by q · N.
    for (const { data } of trained.values())
      for (const value of data) expect(value / ((-3 * 0.5) / (1e-9 * 40))).toBeCloseTo(1, 6);
  });

  it('draw other noise and other lots in every step and every run, whatever the seed of the job', () => {
    const seeds = new Set<string>();
    const random = (byteCount: number) => {
      const bytes = crypto.getRandomValues(new Uint8Array(byteCount));
      seeds.add(Buffer.from(bytes).toString('hex'));
      return bytes;
    };
    train(specification, examples, { steps: 5, random });
    // One for the lots, and one for each step's noise.
    expect(seeds.size).toBe(6);
    const privacy = { clippingNorm: 1, noiseMultiplier: 1, samplingRate: 1e-9 };
    const [first, second] = [
      train(specification, examples, { privacy }),
      train(specification, examples, { privacy }),
    ];
    for (const [name, { data }] of first)
      for (const [at, value] of data.entries()) expect(value).not.toBe(second.get(name)?.data[at]);
  });

  it('take lots that are larger than a batch without leaving a patient out', () => {
    const many = releasedSum(specification, examples, { training: { batchSize: 64 } });
    const few = releasedSum(specification, examples, { training: { batchSize: 8 } });
    expect(l2Norm(subtract(many, few))).toBeLessThan(1e-2 * l2Norm(many));
  });

  it('are the same as a graph and one operation after the other', () => {
    const random = (byteCount: number) => new Uint8Array(byteCount).fill(3);
    const eager = train(specification, examples, {
      steps: 40,
      random,
      privacy: { clippingNorm: 1, noiseMultiplier: 1, samplingRate: 0.3 },
    });
    const graph = train(specification, examples, {
      steps: 40,
      stepCount: 100,
      random,
      privacy: { clippingNorm: 1, noiseMultiplier: 1, samplingRate: 0.3 },
    });
    expect(l2Norm(subtract(eager, graph))).toBeLessThan(1e-4 * l2Norm(eager));
  });

  it('count a patient whose gradient is no number as nothing', () => {
    const spoilt = { ...examples, features: examples.features.slice() };
    spoilt.features.fill(3e38, 0, 3);
    const rest = {
      ...examples,
      features: examples.features.slice(3),
      labels: examples.labels.slice(1),
      count: 39,
    };
    const found = releasedSum(specification, spoilt);
    expect([...found.values()].every(({ data }) => data.every(Number.isFinite))).toBe(true);
    expect(l2Norm(subtract(found, releasedSum(specification, rest)))).toBeLessThan(1e-3);
  });

  it('are refused where a loss mixes patients', () => {
    const cox = sampleModel('cox');
    expect(refusalCode(() => train(cox, sampleExamples(cox, 12)))).toBe('BAD_TRAINING_JOB');
  });

  it('are repeatable for a test that gives the bytes', () => {
    const random = (byteCount: number) => createSeed(byteCount);
    expect(train(specification, examples, { random })).toEqual(train(specification, examples, { random }));
  });
});

function createSeed(byteCount: number): Uint8Array {
  const keystream = createKeystream(new Uint8Array(32).fill(5));
  return Uint8Array.from({ length: byteCount }, () => keystream.nextBelow(256));
}
