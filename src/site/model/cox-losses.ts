// Cox's negative log partial likelihood (Cox 1972) of a batch, event by event; the batch is the risk set. Ties by Breslow 1974 or
// Efron 1977. Each risk set's sum of hazards is shifted by its own largest one: no exponent overflows and none that counts is lost.
import { ModelError } from './model-error.ts';
import type { Tensor, Tensor1D, Tensor2D, TensorFlow } from './tensorflow.ts';

/** A batch becomes a square of who is at risk when whom has an event: 64 MiB at this size. */
export const MAX_RISK_SET = 4_096;
/** Below every log hazard, and no number that becomes infinite. */
const FAR_BELOW = 1e30;

interface CoxTerms {
  /** [rows, 1] log hazard ratios. */
  readonly outputs: Tensor;
  /** [rows, 2]: time, and 1 for an event or 0 for the end of observation. */
  readonly targets: Tensor;
  /** What each row's loss is multiplied by; 0 takes it out of every risk set, any other leaves it in as it is. */
  readonly weights?: Tensor1D | undefined;
}

/** [rows]; 0 where a row has no event. @throws ModelError RISK_SET_TOO_LARGE. */
export function coxLosses(tf: TensorFlow, ties: 'breslow' | 'efron', terms: CoxTerms): Tensor1D {
  const count = terms.outputs.shape[0] ?? 0;
  if (count > MAX_RISK_SET) {
    throw new ModelError('RISK_SET_TOO_LARGE', 'a batch of survival times is too large to be one risk set', {
      details: { expected: MAX_RISK_SET, found: count },
    });
  }
  const scores: Tensor2D = tf.reshape(terms.outputs, [1, count]);
  const [times, happened] = tf.split(terms.targets as Tensor2D, 2, 1) as [Tensor2D, Tensor2D];
  const weights = terms.weights === undefined ? tf.ones([count, 1]) : tf.reshape(terms.weights, [count, 1]);
  const present = tf.greater(weights, 0);
  const timesAcross = tf.reshape(times, [1, count]);
  const presentAcross = tf.reshape(present, [1, count]);
  const events = tf.mul(happened, tf.cast(present, 'float32'));
  const atRisk = tf.logicalAnd(tf.greaterEqual(timesAcross, times), presentAcross);
  // Who is not at risk is put far below before the exponential: infinity times 0 would be no number. Chosen, not computed: a graph
  // optimizer may sort sums of products anew, and beside so large a number the scores would be lost.
  const everybody = tf.broadcastTo(scores, [count, count]);
  const masked = tf.where(atRisk, everybody, tf.fill([count, count], -FAR_BELOW));
  const largest = tf.max(masked, 1, true);
  const hazards = tf.exp(tf.sub(masked, largest));
  const total = tf.sum(hazards, 1, true);
  const counted =
    ties === 'breslow' ? total : tf.sub(total, tiedShare(tf, hazards, { events, times, timesAcross }));
  // The two large numbers are subtracted first: their difference is small, and exact where one of them is the largest.
  const behind = tf.sub(largest, tf.reshape(terms.outputs, [count, 1]));
  const losses = tf.mul(tf.mul(happened, weights), tf.add(tf.log(counted), behind));
  return tf.reshape(losses, [count]);
}

interface Ties {
  /** [rows, 1]; 1 for the event of a row that counts. */
  readonly events: Tensor;
  readonly times: Tensor;
  readonly timesAcross: Tensor;
}

/**
 * Efron: of d events at one time, the k-th (from 0) sees k/d of their hazards gone. 0 for a row without an event that counts: it may
 * stand behind all of them, and everybody would be gone.
 */
function tiedShare(tf: TensorFlow, hazards: Tensor, { events, times, timesAcross }: Ties): Tensor {
  const count = events.shape[0] ?? 0;
  const isTied = tf.cast(tf.equal(timesAcross, times), 'float32');
  const tied = tf.mul(isTied, tf.reshape(events, [1, count]));
  const places = tf.range(0, count, 1, 'float32');
  const before = tf.less(tf.reshape(places, [1, count]), tf.reshape(places, [count, 1]));
  const rank = tf.mul(events, tf.sum(tf.mul(tied, tf.cast(before, 'float32')), 1, true));
  const size = tf.maximum(tf.sum(tied, 1, true), 1);
  return tf.mul(tf.div(rank, size), tf.sum(tf.mul(hazards, tied), 1, true));
}
