import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '#federation/crypto/digest.ts';
import type { ModelSpecification } from '#federation/records/model-specification.ts';
import { sampleModel, sampleModels } from '#support/model-samples.ts';
import { createInitialWeights, weightShapes } from './initial-weights.ts';

const kinds = Object.keys(sampleModels) as ModelSpecification['kind'][];
const vectors = JSON.parse(
  readFileSync(new URL('../../../tests/vectors/initial-weights.json', import.meta.url), 'utf8'),
) as Record<'mlp' | 'cnn-2d' | 'unet-2d', { shapes: Record<string, number[]>; sha256: string }>;

describe('initial weights', () => {
  it.each(['mlp', 'cnn-2d', 'unet-2d'] as const)(
    'of %s are those that OpenSSL and numpy draw, to the bit',
    (kind) => {
      const weights = createInitialWeights(sampleModel(kind));
      expect(Object.fromEntries([...weights].map(([name, { shape }]) => [name, shape]))).toEqual(
        vectors[kind].shapes,
      );
      const values = [...weights.values()].flatMap(({ data }) => [...data]);
      const bytes = new DataView(new ArrayBuffer(values.length * 4));
      for (const [at, value] of values.entries()) bytes.setFloat32(at * 4, value, true);
      expect(sha256Hex(new Uint8Array(bytes.buffer))).toBe(vectors[kind].sha256);
    },
  );

  it.each(kinds)('of %s are named in order, with the shapes that the model says', (kind) => {
    const weights = createInitialWeights(sampleModel(kind));
    expect([...weights.keys()]).toEqual([...weights.keys()].sort());
    expect([...weights].map(([name, { shape }]) => [name, shape])).toEqual([
      ...weightShapes(sampleModel(kind)),
    ]);
    for (const { shape, data } of weights.values())
      expect(data.length).toBe(shape.reduce((product, extent) => product * extent, 1));
  });

  it('differ by the seed and by nothing else', () => {
    const other = {
      ...sampleModel('mlp'),
      initialisation: { kind: 'variance-scaling', seed: '00'.repeat(32) },
    };
    const kernel = (model: ModelSpecification) => createInitialWeights(model).get('weights/hidden-1/kernel');
    expect(kernel(other as ModelSpecification)).not.toEqual(kernel(sampleModel('mlp')));
    expect(kernel(sampleModel('mlp'))).toEqual(kernel(sampleModel('mlp')));
  });

  it('of a Cox model may be zeros, and have no bias at the end', () => {
    const weights = createInitialWeights({
      ...sampleModel('cox'),
      initialisation: { kind: 'zeros' },
    } as ModelSpecification);
    expect([...weights]).toEqual([['weights/output/kernel', { shape: [3, 1], data: new Float32Array(3) }]]);
  });
});
