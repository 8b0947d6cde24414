// The plan's model: its first weights, its normalisation, its logits and loss on whatever engine runs.
export { createInitialWeights, weightShapes } from '#federation/tensors/initial-weights.ts';
export { binaryLosses, labelSigns } from './binary-loss.ts';
export { type BoundModel, bindModel } from './bound-model.ts';
export { type ModelCode, ModelError } from './model-error.ts';
export { type Normalisation, normaliseFeatures } from './normalisation.ts';
export type { Scalar, Tensor1D, Tensor2D, TensorFlow, Variable } from './tensorflow.ts';
