// Refusals of the model stage.
import { CodedError } from '#base/coded-error.ts';

export type ModelCode = 'MODEL_WEIGHTS_MISMATCH' | 'MODEL_EXAMPLES_MISMATCH';
export class ModelError extends CodedError<ModelCode> {}
