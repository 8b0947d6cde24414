// The plan's models that `consilium bench training` measures: two on rows, a convolutional one and a U-Net on images. bench_models.py has
// the same ones for PyTorch.
import type { ModelSpecification } from '#federation/records/model-specification.ts';

export type BenchModelName = 'logistic' | 'mlp' | 'cnn' | 'u-net';

const initialisation = { kind: 'variance-scaling', seed: '5e'.repeat(32) } as const;
const objective = { loss: 'binary-cross-entropy' } as const;
const block = { kernel: 3, pooling: 'max' } as const;

export const benchModels: Readonly<Record<BenchModelName, ModelSpecification>> = {
  logistic: { kind: 'logistic-regression', inputCount: 32, initialisation: { kind: 'zeros' } },
  /** 12,545 weights. */
  mlp: {
    kind: 'mlp',
    inputCount: 32,
    hiddenWidths: [128, 64],
    activation: 'relu',
    objective,
    initialisation,
  },
  /** 529,217 weights. */
  cnn: {
    kind: 'cnn-2d',
    input: { rows: 64, columns: 64, channels: 1 },
    blocks: [
      { filters: 16, ...block },
      { filters: 32, ...block },
    ],
    head: { pooling: 'flatten', hiddenWidths: [64] },
    objective,
    initialisation,
  },
  /** From 16 filters on, four poolings: 1.94 million weights. */
  'u-net': {
    kind: 'unet-2d',
    input: { rows: 128, columns: 128, channels: 1 },
    baseFilters: 16,
    depth: 4,
    normalisationGroups: 8,
    upsampling: 'transposed',
    objective: { loss: 'dice-and-binary-cross-entropy' },
    initialisation,
  },
};
