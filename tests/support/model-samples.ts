// One small model of each kind that a plan can name, with examples it can learn from.
import { createKeystream } from '#federation/crypto/keystream.ts';
import { createNetwork } from '#federation/network/create-network.ts';
import { labelSizeOf, objectiveOf } from '#federation/network/objective.ts';
import type { ModelSpecification } from '#federation/records/model-specification.ts';
import type { Examples } from '#site/ports.ts';

const initialisation = { kind: 'variance-scaling' as const, seed: '5a'.repeat(32) };
const image = { rows: 8, columns: 8, channels: 1 };
const dense = { use_bias: true, kernel_initializer: { class_name: 'HeUniform', config: { seed: null } } };
const zeros = { bias_initializer: { class_name: 'Zeros', config: {} } };

export const sampleModels = {
  'logistic-regression': {
    kind: 'logistic-regression',
    inputCount: 3,
    initialisation: { kind: 'zeros' },
  },
  mlp: {
    kind: 'mlp',
    inputCount: 3,
    hiddenWidths: [8, 4],
    activation: 'tanh',
    dropoutRate: 0.2,
    objective: { loss: 'binary-cross-entropy' },
    initialisation,
  },
  cox: { kind: 'cox', inputCount: 3, hiddenWidths: [], activation: 'relu', ties: 'efron', initialisation },
  'cnn-2d': {
    kind: 'cnn-2d',
    input: image,
    blocks: [
      { filters: 4, kernel: 3, pooling: 'max', normalisationGroups: 2 },
      { filters: 8, kernel: 3, pooling: 'average' },
    ],
    head: { pooling: 'flatten', hiddenWidths: [6] },
    objective: { loss: 'categorical-cross-entropy', classCount: 3 },
    initialisation,
  },
  'unet-2d': {
    kind: 'unet-2d',
    input: image,
    baseFilters: 4,
    depth: 1,
    normalisationGroups: 2,
    upsampling: 'transposed',
    objective: { loss: 'dice-and-binary-cross-entropy' },
    initialisation,
  },
  layers: {
    kind: 'layers',
    topology: {
      class_name: 'Sequential',
      config: {
        name: 'sample',
        layers: [
          {
            class_name: 'Dense',
            config: {
              name: 'first',
              units: 6,
              activation: 'elu',
              batch_input_shape: [null, 3],
              ...dense,
              ...zeros,
            },
          },
          {
            class_name: 'Dense',
            config: { name: 'last', units: 1, activation: 'sigmoid', ...dense, ...zeros },
          },
        ],
      },
    },
    objective: { loss: 'binary-cross-entropy' },
    initialisation,
  },
} as const satisfies Record<ModelSpecification['kind'], unknown>;

/** The plan's view of one: what its schema makes of the sample. */
export function sampleModel(kind: ModelSpecification['kind']): ModelSpecification {
  return structuredClone(sampleModels[kind]) as unknown as ModelSpecification;
}

/** Values of a seeded stream whose labels depend on them, so that a loss can fall. */
export function sampleExamples(model: ModelSpecification, count: number): Examples {
  const { inputShape: shape } = createNetwork(model);
  const objective = objectiveOf(model);
  const keystream = createKeystream(new Uint8Array(32).fill(7));
  const width = shape.reduce((product, extent) => product * extent, 1);
  const features = Float32Array.from({ length: count * width }, () => 2 * keystream.nextDouble() - 1);
  const size = labelSizeOf(objective, shape);
  const labels = Float32Array.from({ length: count * size }, (_, at) => {
    const first = features[Math.floor(at / size) * width] ?? 0;
    switch (objective.loss) {
      case 'categorical-cross-entropy':
        return first < -0.3 ? 0 : first < 0.3 ? 1 : 2;
      case 'cox-partial-likelihood':
        return at % 2 === 0 ? Math.ceil(5 - 4 * first) : Number(keystream.nextDouble() < 0.7);
      case 'dice-and-binary-cross-entropy':
        return Number((features[at] ?? 0) > 0.2);
      case 'binary-cross-entropy':
        return Number(first > 0);
      case 'mean-squared-error':
        return first;
    }
  });
  return { features, labels, count, shape };
}
