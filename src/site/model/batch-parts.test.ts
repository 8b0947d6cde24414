import { describe, expect, it } from 'vitest';
import { createKeystream } from '#federation/crypto/keystream.ts';
import { createNetwork } from '#federation/network/create-network.ts';
import { describeNetwork } from '#federation/network/describe-network.ts';
import type { ModelSpecification, Objective } from '#federation/records/model-specification.ts';
import { sampleModel } from '#support/model-samples.ts';
import { drawDropoutMasks } from './dropout-masks.ts';
import { exampleWeights } from './example-weights.ts';
import { encodeTargets } from './targets.ts';

const shape = [2, 2, 1];
const encode = (objective: Objective, labels: number[], count: number) =>
  encodeTargets(objective, { labels: Float32Array.from(labels), count, shape });
const binary: Objective = { loss: 'binary-cross-entropy' };
const classes: Objective = { loss: 'categorical-cross-entropy', classCount: 3 };
const values: Objective = { loss: 'mean-squared-error', outputCount: 2 };
const survival: Objective = { loss: 'cox-partial-likelihood', ties: 'efron' };
const masks: Objective = { loss: 'dice-and-binary-cross-entropy' };

describe('targets', () => {
  it.each<[string, Objective, number[], number, number[], number[]]>([
    ['signs of labels', binary, [0, 1], 2, [2, 1], [1, -1]],
    ['rows of classes', classes, [2, 0], 2, [2, 3], [0, 0, 1, 1, 0, 0]],
    ['values', values, [1.5, -2], 1, [1, 2], [1.5, -2]],
    ['times with events', survival, [0, 1, 7, 0], 2, [2, 2], [0, 1, 7, 0]],
    ['masks', masks, [0, 1, 1, 0], 1, [1, 2, 2, 1], [0, 1, 1, 0]],
  ])('are %s', (_, objective, labels, count, expectedShape, expected) => {
    const encoded = encode(objective, labels, count);
    expect(encoded?.shape).toEqual(expectedShape);
    expect([...(encoded?.data ?? [])].map((value) => value + 0)).toEqual(expected);
  });

  it.each<[string, Objective, number[]]>([
    ['a label that is neither', binary, [0.5]],
    ['a class that is none', classes, [3]],
    ['half a class', classes, [0.5]],
    ['a class before the first', classes, [-1]],
    ['a value that is no number', values, [Number.NaN, 0]],
    ['a value too few', values, [1]],
    ['a negative time', survival, [-1, 1]],
    ['half an event', survival, [1, 0.5]],
    ['a mask in grey', masks, [0, 0.5, 1, 1]],
    ['a mask of another size', masks, [0, 1]],
  ])('are not made of %s', (_, objective, labels) => {
    expect(encode(objective, labels, 1)).toBeUndefined();
  });
});

describe('the weights of examples', () => {
  const mlp = sampleModel('mlp') as Extract<ModelSpecification, { kind: 'mlp' }>;
  const examples = { labels: Float32Array.of(0, 1, 1, 1), count: 4, subjects: Uint32Array.of(7, 7, 7, 2) };

  it('are none where the plan names none', () => {
    expect(exampleWeights(mlp, examples)).toBeNull();
  });

  it('are those of the class', () => {
    const objective = { loss: 'binary-cross-entropy' as const, classWeights: [1, 3] as [number, number] };
    expect([...(exampleWeights({ ...mlp, objective }, examples) ?? [])]).toEqual([1, 3, 3, 3]);
  });

  it('give each subject the same, with a mean of 1', () => {
    const weights = exampleWeights({ ...mlp, exampleWeighting: 'per-subject' }, examples);
    expect([...(weights ?? [])]).toEqual([2 / 3, 2 / 3, 2 / 3, 2].map(Math.fround));
  });
});

describe('dropout masks', () => {
  const network = describeNetwork(createNetwork(sampleModel('mlp')));
  const draw = (byte: number) =>
    drawDropoutMasks(network, createKeystream(new Uint8Array(32).fill(byte)), 500);

  it('are one for each dropout layer, 0 or what makes up for it', () => {
    const [first, second] = draw(1);
    expect([first?.shape, second?.shape]).toEqual([
      [500, 8],
      [500, 4],
    ]);
    expect(new Set(first?.data)).toEqual(new Set([0, Math.fround(1 / 0.8)]));
    const dropped = first?.data.filter((value) => value === 0).length ?? 0;
    expect(Math.abs(dropped - 800)).toBeLessThan(5 * Math.sqrt(4000 * 0.2 * 0.8)); // five standard errors of 4,000 draws
  });

  it('are the same for the same seed alone', () => {
    expect(draw(1)).toEqual(draw(1));
    expect(draw(2)).not.toEqual(draw(1));
  });

  it('are none where nothing is dropped', () => {
    expect(
      drawDropoutMasks(
        describeNetwork(createNetwork(sampleModel('cox'))),
        createKeystream(new Uint8Array(32)),
        2,
      ),
    ).toEqual([]);
  });
});
