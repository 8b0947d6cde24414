// A convolutional classifier: blocks of convolution, GroupNorm where asked for, ReLU and pooling, then dense layers.
import type { ModelSpecification } from '#federation/records/model-specification.ts';
import { glorot, he, INPUT, type Layer, type Network, type NetworkNode, zeros } from './network.ts';
import { denseOutput, hiddenLayers } from './row-layers.ts';

type Classifier = Extract<ModelSpecification, { kind: 'cnn-2d' }>;

const NORMALISATION_EPSILON = 1e-5; // as in PyTorch

export function createClassifierNetwork({ input, blocks, head }: Classifier, outputWidth: number): Network {
  const nodes: NetworkNode[] = [];
  const append = (name: string, layer: Layer) =>
    nodes.push({ name, layer, inputs: [nodes.at(-1)?.name ?? INPUT] });
  for (const [index, block] of blocks.entries()) {
    for (const [part, layer] of blockLayers(block)) append(`block-${index + 1}-${part}`, layer);
  }
  append('pooled', head.pooling === 'flatten' ? { kind: 'flatten' } : { kind: 'global-average-pooling' });
  nodes.push(...hiddenLayers({ ...head, activation: 'relu' }, 'pooled'));
  append('output', denseOutput(outputWidth, glorot));
  return { inputShape: [input.rows, input.columns, input.channels], nodes };
}

function blockLayers(block: Classifier['blocks'][number]): [string, Layer][] {
  const groups = block.normalisationGroups;
  const layers: [string, Layer][] = [['convolution', sameConvolution(block, groups !== undefined)]];
  if (groups !== undefined) layers.push(...normalisedReLU(groups));
  if (block.pooling !== 'none') layers.push(['pooling', halvingPooling(block.pooling)]);
  return layers;
}

/** Stride 1, padding same. Where a GroupNorm follows, its offset is the bias and the ReLU comes after it. */
export function sameConvolution(
  { filters, kernel }: { readonly filters: number; readonly kernel: number },
  isNormalised: boolean,
): Layer {
  return {
    kind: 'convolution',
    filters,
    kernel: [kernel, kernel],
    strides: [1, 1],
    padding: 'same',
    activation: isNormalised ? 'linear' : 'relu',
    kernelInitialiser: he,
    biasInitialiser: isNormalised ? null : zeros,
  };
}

export function normalisedReLU(groups: number): [string, Layer][] {
  return [
    ['normalisation', { kind: 'group-normalisation', groups, epsilon: NORMALISATION_EPSILON }],
    ['activation', { kind: 'activation', activation: 'relu' }],
  ];
}

export function halvingPooling(kind: 'max' | 'average'): Layer {
  return { kind: `${kind}-pooling`, size: [2, 2], strides: [2, 2], padding: 'valid' };
}
