// The feature matrix on the engine: uploaded once for a job, batches are gathered from it by row number.
import {
  type BoundModel,
  binaryLosses,
  labelSigns,
  type Tensor2D,
  type TensorFlow,
} from '#site/model/index.ts';
import type { Examples } from '#site/ports.ts';
import { TrainingError } from './training-error.ts';

export interface ResidentExamples {
  readonly features: Tensor2D;
  /** [count, 1]; see labelSigns. */
  readonly signs: Tensor2D;
}

/** @throws TrainingError BAD_TRAINING_JOB when the arrays do not have the stated sizes or hold something else than numbers and 0/1 labels. */
export function uploadExamples(
  tf: TensorFlow,
  { features, labels, count, width }: Examples,
): ResidentExamples {
  const fits = count > 0 && features.length === count * width && labels.length === count;
  if (!fits || !features.every(Number.isFinite) || !labels.every((label) => label === 0 || label === 1)) {
    throw new TrainingError('BAD_TRAINING_JOB', 'the examples are not a finite matrix with 0/1 labels', {
      details: {
        field: 'examples',
        expected: { count, width },
        found: { features: features.length, labels: labels.length },
      },
    });
  }
  return {
    features: tf.tensor2d(features, [count, width]),
    signs: tf.tensor2d(labelSigns(labels), [count, 1]),
  };
}

/** Loss of every example in nats. */
export function exampleLosses(
  tf: TensorFlow,
  model: BoundModel,
  { features, signs }: ResidentExamples,
): Float32Array {
  const losses = tf.tidy(() => binaryLosses(tf, model.logits(features), signs));
  const values = Float32Array.from(losses.dataSync());
  losses.dispose();
  return values;
}

/** Summed in float64. */
export function sum(values: Float32Array): number {
  return values.reduce((total, value) => total + value, 0);
}
