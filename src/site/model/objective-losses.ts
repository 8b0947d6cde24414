// The loss of each row of a batch, from logits and targets: never from probabilities, since log(1 + e^x) has no log of 0.
import type { Objective } from '#federation/records/model-specification.ts';
import { coxLosses } from './cox-losses.ts';
import type { Tensor, Tensor1D, Tensor2D, TensorFlow } from './tensorflow.ts';

/** Keeps the overlap of two empty masks at 1. */
const DICE_SMOOTHING = 1;

export interface LossTerms {
  /** What the network gives: [rows, ...output shape]. */
  readonly outputs: Tensor;
  /** As encodeTargets makes them, in the order of the outputs. */
  readonly targets: Tensor;
  /** What each row's loss is multiplied by; a row of weight 0 is in no risk set. Absent: 1. */
  readonly weights?: Tensor1D | undefined;
}

/** [rows], in nats where the loss is a likelihood. */
export function objectiveLosses(tf: TensorFlow, objective: Objective, terms: LossTerms): Tensor1D {
  if (objective.loss === 'cox-partial-likelihood') return coxLosses(tf, objective.ties, terms);
  const losses = plainLosses(tf, objective, terms);
  return terms.weights === undefined ? losses : tf.mul(losses, terms.weights);
}

type Plain = Exclude<Objective, { loss: 'cox-partial-likelihood' }>;

function plainLosses(tf: TensorFlow, objective: Plain, { outputs, targets }: LossTerms): Tensor1D {
  const rows = outputs.shape[0] ?? 0;
  switch (objective.loss) {
    case 'binary-cross-entropy':
      return tf.reshape(tf.softplus(tf.mul(outputs, targets)), [rows]);
    case 'categorical-cross-entropy':
      return tf.neg(tf.sum(tf.mul(targets, tf.logSoftmax(outputs as Tensor2D)), 1));
    case 'mean-squared-error':
      return tf.mean(tf.squaredDifference(outputs, targets), 1);
    case 'dice-and-binary-cross-entropy':
      return overlapLosses(tf, objective.diceShare ?? 0.5, { outputs, targets });
  }
}

/** share * (1 - soft Dice) + (1 - share) * mean cross-entropy of the pixels, of [rows, height, width, 1]. */
function overlapLosses(tf: TensorFlow, share: number, { outputs, targets }: LossTerms): Tensor1D {
  const rows = outputs.shape[0] ?? 0;
  const logits: Tensor2D = tf.reshape(outputs, [rows, -1]);
  const masks: Tensor2D = tf.reshape(targets, [rows, -1]);
  const probabilities = tf.sigmoid(logits);
  const shared = tf.sum(tf.mul(probabilities, masks), 1);
  const both = tf.add(tf.sum(probabilities, 1), tf.sum(masks, 1));
  const dice = tf.div(tf.add(tf.mul(shared, 2), DICE_SMOOTHING), tf.add(both, DICE_SMOOTHING));
  const signs = tf.sub(1, tf.mul(masks, 2));
  const entropy = tf.mean(tf.softplus(tf.mul(logits, signs)), 1);
  return tf.add(tf.mul(tf.sub(1, dice), share), tf.mul(entropy, 1 - share));
}
