// What a plan may name as its model and its loss: data alone. docs/models.md says what each becomes.
import { z } from 'zod';
import { isCodedError } from '#base/coded-error.ts';
import { createNetwork } from '#federation/network/create-network.ts';
import { describeNetwork } from '#federation/network/describe-network.ts';
import { requireFit } from '#federation/network/objective.ts';
import { digestHex, positiveNumber } from '#federation/records/fields.ts';

const width = z.int().min(1).max(65_536);
const extent = z.int().min(1).max(4_096);
const classWeight = positiveNumber.max(1_000_000);
const dropoutRate = z.number().gt(0).max(0.9);

/** Mean over rows of the cross-entropy of a 0/1 label, in nats; the weights are those of label 0 and label 1. */
const binaryCrossEntropy = z.strictObject({
  loss: z.literal('binary-cross-entropy'),
  classWeights: z.tuple([classWeight, classWeight]).optional(),
});
/** Labels are class numbers from 0. */
const categoricalCrossEntropy = z.strictObject({
  loss: z.literal('categorical-cross-entropy'),
  classCount: z.int().min(2).max(1_000),
  classWeights: z.array(classWeight).min(2).max(1_000).optional(),
});
/** Mean over the outputs of a row. */
const meanSquaredError = z.strictObject({
  loss: z.literal('mean-squared-error'),
  outputCount: z.int().min(1).max(1_000),
});
/** Of an image and its mask: `diceShare` of 1 - soft Dice, the rest of it the mean cross-entropy of the pixels. */
const diceAndCrossEntropy = z.strictObject({
  loss: z.literal('dice-and-binary-cross-entropy'),
  /** A half where absent. */
  diceShare: z.number().min(0).max(1).optional(),
});
/** Negative log partial likelihood of Cox 1972; the risk set is the batch. */
const coxPartialLikelihood = z.strictObject({
  loss: z.literal('cox-partial-likelihood'),
  ties: z.enum(['breslow', 'efron']),
});

/** What a model is trained for. */
export const objective = z
  .discriminatedUnion('loss', [
    binaryCrossEntropy,
    categoricalCrossEntropy,
    meanSquaredError,
    diceAndCrossEntropy,
    coxPartialLikelihood,
  ])
  .refine(
    (value) =>
      value.loss !== 'categorical-cross-entropy' ||
      value.classWeights === undefined ||
      value.classWeights.length === value.classCount,
    'there is a weight for each class',
  );
export type Objective = z.infer<typeof objective>;

export const metric = z.enum(['accuracy', 'area-under-curve', 'dice', 'concordance-index']);
export type Metric = z.infer<typeof metric>;

/** How good a model is and what an example counts, in any model. */
const judgement = {
  /** What an evaluation measures beside the loss; absent: what fits the loss. */
  metrics: z.array(metric).min(1).max(4).optional(),
  /** `per-subject`: the examples of a subject weigh as much as those of another; absent: each example weighs the same. */
  exampleWeighting: z.literal('per-subject').optional(),
};

const zeroWeights = z.strictObject({ kind: z.literal('zeros') });
/** Kernels by the variance that their layer asks for, drawn with the seed; biases and offsets 0, scales 1. */
const drawnWeights = z.strictObject({ kind: z.literal('variance-scaling'), seed: digestHex });

const imageInput = z.strictObject({ rows: extent, columns: extent, channels: z.int().min(1).max(64) });
const hiddenWidths = z.array(width).max(16);
const activation = z.enum(['relu', 'tanh']);
const groups = z.int().min(1).max(1_024);

const logisticRegression = z.strictObject({
  kind: z.literal('logistic-regression'),
  inputCount: z.int().min(1).max(10_000),
  /** `uniform`: every weight and the bias drawn from [-bound, bound) with the initialisation seed. */
  initialisation: z.discriminatedUnion('kind', [
    zeroWeights,
    z.strictObject({ kind: z.literal('uniform'), bound: positiveNumber, seed: digestHex }),
  ]),
  /** Absent: binary cross-entropy in which every row weighs the same. */
  objective: binaryCrossEntropy.optional(),
  ...judgement,
});

const multilayerPerceptron = z.strictObject({
  kind: z.literal('mlp'),
  inputCount: z.int().min(1).max(10_000),
  hiddenWidths: hiddenWidths.min(1),
  activation,
  /** Of each hidden layer; absent: none. */
  dropoutRate: dropoutRate.optional(),
  objective,
  initialisation: drawnWeights,
  ...judgement,
});

const coxRegression = z.strictObject({
  kind: z.literal('cox'),
  inputCount: z.int().min(1).max(10_000),
  /** Empty: proportional hazards with a linear predictor. */
  hiddenWidths,
  activation,
  dropoutRate: dropoutRate.optional(),
  ties: z.enum(['breslow', 'efron']),
  initialisation: z.discriminatedUnion('kind', [zeroWeights, drawnWeights]),
  metrics: judgement.metrics,
});

const convolutionBlock = z.strictObject({
  filters: z.int().min(1).max(4_096),
  /** Height and width of the kernels; padding is same and the stride 1. */
  kernel: z.int().min(1).max(15),
  /** Halves height and width after the block's ReLU. */
  pooling: z.enum(['max', 'average', 'none']),
  /** Groups of a GroupNorm before the ReLU; absent: none. */
  normalisationGroups: groups.optional(),
});

const imageClassifier = z.strictObject({
  kind: z.literal('cnn-2d'),
  input: imageInput,
  blocks: z.array(convolutionBlock).min(1).max(32),
  head: z.strictObject({
    /** How images become rows. */
    pooling: z.enum(['flatten', 'global-average']),
    hiddenWidths,
    dropoutRate: dropoutRate.optional(),
  }),
  objective,
  initialisation: drawnWeights,
  ...judgement,
});

const imageSegmenter = z.strictObject({
  kind: z.literal('unet-2d'),
  input: imageInput,
  /** Filters of the first level; each level down has twice as many. */
  baseFilters: z.int().min(1).max(1_024),
  /** Poolings on the way down; height and width are multiples of 2 to this power. */
  depth: z.int().min(1).max(7),
  /** Of the GroupNorm after each convolution; divides `baseFilters`. */
  normalisationGroups: groups,
  /** `transposed`: a transposed convolution of kernel and stride 2; `nearest`: pixels repeated, then a convolution. */
  upsampling: z.enum(['transposed', 'nearest']),
  objective: diceAndCrossEntropy,
  initialisation: drawnWeights,
  ...judgement,
});

const layersModel = z.strictObject({
  kind: z.literal('layers'),
  /** `toJSON(null, false)` of a tf.js LayersModel: its topology, no weights. */
  topology: z.unknown(),
  objective,
  initialisation: drawnWeights,
  ...judgement,
});

export const modelSpecification = z
  .discriminatedUnion('kind', [
    logisticRegression,
    multilayerPerceptron,
    coxRegression,
    imageClassifier,
    imageSegmenter,
    layersModel,
  ])
  .superRefine((model, context) => {
    // Nobody signs, countersigns or trains a model that cannot be built, or that no machine holds (memory exhaustion).
    try {
      const network = createNetwork(model);
      const { outputShape } = describeNetwork(network);
      requireFit(model, { inputShape: network.inputShape, outputShape });
    } catch (error) {
      if (!isCodedError(error)) throw error;
      context.addIssue({ code: 'custom', message: error.message, path: [] });
    }
  });
export type ModelSpecification = z.infer<typeof modelSpecification>;
