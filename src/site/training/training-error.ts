// Refusals and faults of the training stage.
import { CodedError } from '#base/coded-error.ts';

export type TrainingCode =
  | 'ENGINE_LACKS_KERNEL'
  | 'TRAINING_CANCELLED'
  | 'TRAINING_CRASHED'
  | 'TRAINING_DIVERGED'
  | 'TRAINING_PAUSED'
  | 'TRAINING_OUT_OF_MEMORY'
  | 'BAD_TRAINING_JOB'
  | 'TRAINING_RUN_NOT_RUNNING'
  | 'TRAINING_STEP_NOT_RECORDABLE';
export class TrainingError extends CodedError<TrainingCode> {}
