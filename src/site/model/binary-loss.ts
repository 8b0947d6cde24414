// Cross-entropy of a 0/1 label from the logit, never from the probability: log(1 + e^x) has no log of 0.
import type { Tensor, Tensor2D, TensorFlow } from './tensorflow.ts';

/** +1 for label 0 and -1 for label 1, as a [count, 1] column: the loss of a row is softplus(sign * logit). */
export function labelSigns(labels: Float32Array): Float32Array {
  return labels.map((label) => 1 - 2 * label);
}

/** Loss of each row in nats, from [rows, 1] logits and [rows, 1] signs. */
export function binaryLosses(tf: TensorFlow, logits: Tensor2D, signs: Tensor): Tensor {
  return tf.softplus(tf.mul(logits, signs));
}
