// U-Net (Ronneberger et al. 2015) with same padding and GroupNorm: two convolutions a level, as deep as the plan says, one logit a pixel.
import type { ModelSpecification } from '#federation/records/model-specification.ts';
import { halvingPooling, normalisedReLU, sameConvolution } from './classifier-network.ts';
import { glorot, he, INPUT, type Layer, type Network, type NetworkNode, zeros } from './network.ts';
import { refuseLayer } from './network-error.ts';

type Segmenter = Extract<ModelSpecification, { kind: 'unet-2d' }>;

/** @throws NetworkError SHAPES_DIFFER when height or width cannot be halved as often as the network is deep. */
export function createSegmenterNetwork(model: Segmenter): Network {
  const { input, baseFilters, depth } = model;
  if (input.rows % 2 ** depth !== 0 || input.columns % 2 ** depth !== 0)
    throw refuseLayer('input', 'rows and columns cannot be halved at each level', 'SHAPES_DIFFER');
  const nodes: NetworkNode[] = [];
  let last = INPUT;
  const append = (name: string, layer: Layer, inputs: readonly string[] = [last]) => {
    nodes.push({ name, layer, inputs });
    last = name;
  };
  const appendLevel = (name: string, filters: number) => {
    for (const half of ['first', 'second']) {
      append(`${name}-${half}`, sameConvolution({ filters, kernel: 3 }, true));
      for (const [part, layer] of normalisedReLU(model.normalisationGroups))
        append(`${name}-${half}-${part}`, layer);
    }
  };
  const skips: string[] = [];
  for (let level = 0; level < depth; level += 1) {
    appendLevel(`down-${level}`, baseFilters * 2 ** level);
    skips.push(last);
    append(`down-${level}-pooling`, halvingPooling('max'));
  }
  appendLevel('bottom', baseFilters * 2 ** depth);
  for (let level = depth - 1; level >= 0; level -= 1) {
    const filters = baseFilters * 2 ** level;
    for (const [part, layer] of upLayers(model.upsampling, filters)) append(`up-${level}-${part}`, layer);
    append(`up-${level}-joined`, { kind: 'concatenation' }, [skips[level] ?? '', last]);
    appendLevel(`up-${level}`, filters);
  }
  append('output', pointwise(1));
  return { inputShape: [input.rows, input.columns, input.channels], nodes };
}

function upLayers(upsampling: Segmenter['upsampling'], filters: number): [string, Layer][] {
  if (upsampling === 'nearest') {
    return [
      ['repeated', { kind: 'upsampling', size: [2, 2] }],
      ['convolution', { ...sameConvolution({ filters, kernel: 3 }, false), ...linear }],
    ];
  }
  const window = { filters, kernel: [2, 2], strides: [2, 2], padding: 'same' } as const;
  return [['transposed', { kind: 'transposed-convolution', ...window, ...linear, biasInitialiser: zeros }]];
}

const linear = { activation: 'linear', kernelInitialiser: he } as const;

function pointwise(filters: number): Layer {
  const window = { filters, kernel: [1, 1], strides: [1, 1], padding: 'same' } as const;
  const kernelInitialiser = glorot;
  return { kind: 'convolution', ...window, activation: 'linear', kernelInitialiser, biasInitialiser: zeros };
}
