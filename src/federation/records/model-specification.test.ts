import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sampleModels } from '#support/model-samples.ts';
import { type ModelSpecification, modelSpecification } from './model-specification.ts';
import { trainingSettings } from './training-settings.ts';

const accepts = (value: unknown) => modelSpecification.safeParse(value).success;
const messageFor = (value: unknown) =>
  modelSpecification.safeParse(value).error?.issues[0]?.message ?? 'accepted';
const changed = (kind: ModelSpecification['kind'], changes: object) => ({
  ...sampleModels[kind],
  ...changes,
});

describe('a model that a plan names', () => {
  it.each(Object.entries(sampleModels))('may be %s, and stays as it was written', (_, model) => {
    expect(JSON.stringify(modelSpecification.parse(model))).toBe(JSON.stringify(model));
  });

  it('keeps the bytes of plans that were signed before there were others', () => {
    const file = new URL('../../../assets/research-studies/heart/plan.json', import.meta.url);
    const { model, training } = JSON.parse(readFileSync(file, 'utf8')) as { model: object; training: object };
    expect(JSON.stringify(modelSpecification.parse(model))).toBe(JSON.stringify(model));
    expect(JSON.stringify(trainingSettings.parse(training))).toBe(JSON.stringify(training));
  });

  const { objective: classes } = sampleModels['cnn-2d'];
  const block = sampleModels['cnn-2d'].blocks[0];
  it.each<[string, unknown]>([
    ['an unknown kind', { kind: 'transformer' }],
    ['a field it does not have', changed('mlp', { script: 'x' })],
    ['no hidden layer', changed('mlp', { hiddenWidths: [] })],
    ['more hidden layers than it may have', changed('mlp', { hiddenWidths: Array(17).fill(1) })],
    ['half a unit', changed('mlp', { hiddenWidths: [2.5] })],
    ['a layer of a billion units', changed('mlp', { hiddenWidths: [1e9] })],
    ['more weights than any site holds', changed('mlp', { hiddenWidths: [65_536, 65_536] })],
    ['a dropout of everything', changed('mlp', { dropoutRate: 1 })],
    ['a loss of images for rows', changed('mlp', { objective: { loss: 'dice-and-binary-cross-entropy' } })],
    [
      'a weight for each of two classes of three',
      changed('cnn-2d', { objective: { ...classes, classWeights: [1, 2] } }),
    ],
    [
      'a class that weighs nothing',
      changed('mlp', { objective: { loss: 'binary-cross-entropy', classWeights: [0, 1] } }),
    ],
    ['ties that nobody described', changed('cox', { ties: 'exact' })],
    [
      'groups that do not divide the filters',
      changed('cnn-2d', { blocks: [{ ...block, normalisationGroups: 3 }] }),
    ],
    ['more poolings than pixels', changed('cnn-2d', { blocks: Array(5).fill(block) })],
    ['height that cannot be halved', changed('unet-2d', { input: { rows: 9, columns: 8, channels: 1 } })],
    ['a network deeper than the image', changed('unet-2d', { depth: 4 })],
    [
      'images larger than any site holds',
      changed('unet-2d', { input: { rows: 4096, columns: 4096, channels: 1 }, baseFilters: 64 }),
    ],
    ['a metric that does not fit its loss', changed('mlp', { metrics: ['dice'] })],
    ['an objective that logistic regression has not', changed('logistic-regression', { objective: classes })],
  ])('has not %s', (_, model) => {
    expect(accepts(model)).toBe(false);
  });

  it('is refused by the name of the layer that is wrong', () => {
    expect(messageFor(changed('cnn-2d', { blocks: [{ ...block, normalisationGroups: 3 }] }))).toBe(
      'layer block-1-normalisation: groups do not divide the channels',
    );
    expect(messageFor(changed('mlp', { hiddenWidths: [65_536, 65_536] }))).toContain('hidden-2');
  });

  it('may be measured by what fits its loss alone', () => {
    expect(accepts(changed('mlp', { metrics: ['accuracy', 'area-under-curve'] }))).toBe(true);
    expect(accepts(changed('cox', { metrics: ['concordance-index'] }))).toBe(true);
    expect(accepts(changed('unet-2d', { metrics: ['dice'] }))).toBe(true);
  });
});

describe('training settings', () => {
  const settings = { optimizer: { kind: 'sgd', learningRate: 0.1 }, batchSize: 8, localUpdates: 5 };
  const allows = (changes: object) => trainingSettings.safeParse({ ...settings, ...changes }).success;

  it('may name momentum, weight decay and a longest gradient', () => {
    expect(allows({ optimizer: { ...settings.optimizer, momentum: 0.9 } })).toBe(true);
    expect(allows({ weightDecay: 1e-4, gradientClipNorm: 1 })).toBe(true);
  });

  it.each<[string, object]>([
    ['momentum that never ends', { optimizer: { ...settings.optimizer, momentum: 1 } }],
    [
      'momentum of Adam, which has its own',
      { optimizer: { kind: 'adam', learningRate: 0.1, momentum: 0.9 } },
    ],
    ['a gradient of no length', { gradientClipNorm: 0 }],
    ['a decay that turns the weights around', { weightDecay: 1.5 }],
  ])('have no %s', (_, changes) => {
    expect(allows(changes)).toBe(false);
  });
});
