// A carried topology against tf.js itself: the same JSON as a LayersModel, with the same weights and rows.
import { beforeAll, describe, expect, it } from 'vitest';
import { createKeystream } from '#federation/crypto/keystream.ts';
import { createNetwork } from '#federation/network/create-network.ts';
import { admittedLayers } from '#federation/network/layer-configuration.ts';
import { type ModelSpecification, modelSpecification } from '#federation/records/model-specification.ts';
import { createInitialWeights } from '#federation/tensors/initial-weights.ts';
import type { TensorMap } from '#federation/tensors/tensor.ts';
import { type Engine, loadEngine } from '#site/training/engine.ts';
import { bindModel } from './bound-model.ts';
import type { Tensor, TensorFlow, Variable } from './tensorflow.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await loadEngine('wasm');
});

type LayersModel = ReturnType<TensorFlow['model']>;

/** Every admitted layer of images, joined and branched. */
function imageModel({ layers, input, model }: TensorFlow): LayersModel {
  const images = input({ shape: [9, 8, 2] });
  const left = layers.conv2d({ filters: 4, kernelSize: 3, padding: 'same', activation: 'elu' }).apply(images);
  const right = layers
    .conv2d({
      filters: 4,
      kernelSize: [3, 2],
      padding: 'same',
      useBias: false,
      kernelInitializer: 'heUniform',
    })
    .apply(images);
  const both = layers
    .add()
    .apply([left, layers.activation({ activation: 'softplus' }).apply(right)] as never);
  const strided = layers
    .conv2d({ filters: 6, kernelSize: 3, strides: 2, padding: 'valid', activation: 'tanh' })
    .apply(both);
  const pooled = layers.maxPooling2d({ poolSize: 2, strides: 1, padding: 'same' }).apply(strided);
  const averaged = layers.averagePooling2d({ poolSize: [2, 3], strides: 1, padding: 'same' }).apply(strided);
  const joined = layers.concatenate().apply([pooled, averaged] as never);
  const normal = layers.layerNormalization({ epsilon: 0.01 }).apply(joined);
  const larger = layers.upSampling2d({ size: [2, 3] }).apply(normal);
  const spread = layers
    .conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: 'valid', activation: 'relu' })
    .apply(larger);
  const same = layers
    .conv2dTranspose({ filters: 3, kernelSize: 3, strides: 1, padding: 'same' })
    .apply(spread);
  const highest = layers.globalMaxPooling2d({}).apply(layers.reLU().apply(same));
  const mean = layers.globalAveragePooling2d({}).apply(same);
  const row = layers.dropout({ rate: 0.4 }).apply(layers.concatenate().apply([highest, mean] as never));
  const end = layers.dense({ units: 3, activation: 'softmax' }).apply(row);
  return model({ inputs: images, outputs: end as never });
}

function rowModel({ layers, sequential }: TensorFlow): LayersModel {
  return sequential({
    layers: [
      layers.dense({ units: 5, inputShape: [4], activation: 'sigmoid' }),
      layers.layerNormalization(),
      layers.dense({ units: 1, activation: 'sigmoid' }),
    ],
  });
}

function flattenedModel({ layers, sequential }: TensorFlow): LayersModel {
  return sequential({
    layers: [
      layers.inputLayer({ inputShape: [4, 4, 1] }),
      layers.flatten(),
      layers.dense({ units: 2, kernelInitializer: 'glorotUniform' }),
    ],
  });
}

const initialisation = { kind: 'variance-scaling', seed: '11'.repeat(32) } as const;
const cases = [
  ['images', imageModel, { loss: 'categorical-cross-entropy', classCount: 3 }],
  ['rows', rowModel, { loss: 'binary-cross-entropy' }],
  ['flattened images', flattenedModel, { loss: 'mean-squared-error', outputCount: 2 }],
] as const;

/** Weights and biases that are not all zeros and ones. */
function shaken(weights: TensorMap): TensorMap {
  const keystream = createKeystream(new Uint8Array(32).fill(4));
  return new Map(
    [...weights].map(([name, { shape, data }]) => [
      name,
      { shape, data: Float32Array.from(data, (value) => value + 0.4 * (keystream.nextDouble() - 0.5)) },
    ]),
  );
}

const parts: Readonly<Record<string, string>> = {
  gamma: 'scale',
  beta: 'offset',
  kernel: 'kernel',
  bias: 'bias',
};

/** tf.js's variables by our names for them. */
function variablesOf(model: LayersModel): Map<string, Variable> {
  return new Map(
    model.layers.flatMap((layer) =>
      layer.weights.map((weight): [string, Variable] => {
        const part = parts[weight.originalName.split('/').at(-1) ?? ''] ?? 'unknown';
        return [`weights/${layer.name}/${part}`, (weight as unknown as { val: Variable }).val];
      }),
    ),
  );
}

describe.each(cases)('a tf.js model of %s', (_, build, objective) => {
  it('gives what tf.js gives, and the same gradients', () => {
    const { tf } = engine;
    const theirs = build(tf);
    const topology: unknown = JSON.parse(JSON.stringify(theirs.toJSON(null, false)));
    const model = modelSpecification.parse({ kind: 'layers', topology, objective, initialisation });
    const weights = shaken(createInitialWeights(model));
    const variables = variablesOf(theirs);
    expect([...variables.keys()].sort()).toEqual([...weights.keys()]);
    for (const [name, { shape, data }] of weights) variables.get(name)?.assign(tf.tensor(data, [...shape]));

    const { inputShape } = createNetwork(model);
    const inputs = tf.randomUniform([3, ...inputShape], -1, 1, 'float32', 5);
    const bound = bindModel(tf, model, weights);
    expectClose(bound.predict(inputs), theirs.predict(inputs) as Tensor);

    const total = (apply: () => Tensor) => () => tf.sum(tf.square(apply())) as never;
    const ours = tf.variableGrads(
      total(() => bound.predict(inputs)),
      [...bound.variables],
    ).grads;
    const expected = tf.variableGrads(
      total(() => theirs.apply(inputs) as Tensor),
      [...variables.values()],
    ).grads;
    for (const [at, name] of [...weights.keys()].entries()) {
      const [mine, tfs] = [ours[bound.variables[at]?.name ?? ''], expected[variables.get(name)?.name ?? '']];
      expectClose(mine as Tensor, tfs as Tensor);
    }
  });
});

function expectClose(found: Tensor, expected: Tensor): void {
  const [left, right] = [found.dataSync(), expected.dataSync()];
  expect(found.shape).toEqual(expected.shape);
  const largest = Math.max(1e-3, ...[...right].map(Math.abs));
  const worst = [...left].reduce(
    (most, value, at) => Math.max(most, Math.abs(value - (right[at] ?? Number.NaN))),
    0,
  );
  expect(worst / largest).toBeLessThan(2e-5);
}

describe('the models of this test', () => {
  it('have every layer that is admitted', () => {
    const classes = cases.flatMap(([, build]) =>
      build(engine.tf).layers.map((layer) => layer.getClassName()),
    );
    expect(admittedLayers.filter((name) => !classes.includes(name))).toEqual([]);
  });

  it('cannot hold a batch normalisation', () => {
    const { layers, sequential } = engine.tf;
    const model = sequential({
      layers: [layers.dense({ units: 2, inputShape: [3] }), layers.batchNormalization()],
    });
    const specification = {
      kind: 'layers',
      topology: JSON.parse(JSON.stringify(model.toJSON(null, false))) as unknown,
      objective: { loss: 'mean-squared-error', outputCount: 2 },
      initialisation,
    };
    expect(
      modelSpecification.safeParse(specification satisfies object as ModelSpecification).error?.issues[0]
        ?.message,
    ).toMatch(/^layer batch_normalization\S* ?: BatchNormalization mixes the patients of a batch/);
  });
});
