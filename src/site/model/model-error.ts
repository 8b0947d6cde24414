// Refusals of the model stage.
import { CodedError } from '#base/coded-error.ts';

export type ModelCode = 'MODEL_WEIGHTS_MISMATCH' | 'MODEL_EXAMPLES_MISMATCH' | 'RISK_SET_TOO_LARGE';
export class ModelError extends CodedError<ModelCode> {}
