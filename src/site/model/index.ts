// The plan's model: its first weights, its normalisation, what it makes of a batch, its loss and its measures on whatever engine runs.
export { inputShapeOf } from '#federation/network/create-network.ts';
export { metricsOf } from '#federation/network/objective.ts';
export { createInitialWeights, weightShapes } from '#federation/tensors/initial-weights.ts';
export type { Tap } from './apply-layer.ts';
export { areaUnderCurve } from './area-under-curve.ts';
export {
  type Augmentation,
  type AugmentationLimits,
  augmentImage,
  augmentMask,
  drawAugmentation,
  type Image,
} from './augment-image.ts';
export { type Batch, type BoundModel, bindModel } from './bound-model.ts';
export { concordanceIndex } from './concordance-index.ts';
export { filterGradientsByRow, registerFilterGradient } from './convolution-filter-gradient.ts';
export { coxLikelihoodTerms } from './cox-likelihood.ts';
export { diceBySubject } from './dice-by-subject.ts';
export type { DropoutMask } from './dropout-masks.ts';
export { exampleWeights } from './example-weights.ts';
export { type ModelCode, ModelError } from './model-error.ts';
export { type Normalisation, normaliseFeatures } from './normalisation.ts';
export { encodeTargets } from './targets.ts';
export type * from './tensorflow.ts';
