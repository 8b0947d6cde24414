// Labels as a loss takes them: signs for 0/1, one-hot rows for classes, times with events, masks.
import { labelSizeOf } from '#federation/network/objective.ts';
import type { Objective } from '#federation/records/model-specification.ts';

export interface EncodedTargets {
  readonly data: Float32Array;
  /** [rows, ...what one row's loss takes]. */
  readonly shape: number[];
}

interface Labels {
  /** Example by example; see Examples. */
  readonly labels: Float32Array;
  readonly count: number;
  /** Shape of one example. */
  readonly shape: readonly number[];
}

/** Undefined where the labels are not of that loss, in number or in value. */
export function encodeTargets(
  objective: Objective,
  { labels, count, shape }: Labels,
): EncodedTargets | undefined {
  const size = labelSizeOf(objective, shape);
  if (labels.length !== count * size || !labels.every(Number.isFinite)) return undefined;
  switch (objective.loss) {
    case 'binary-cross-entropy':
      return labels.every(isBit) ? { data: labelSigns(labels), shape: [count, 1] } : undefined;
    case 'categorical-cross-entropy':
      return oneHot(labels, objective.classCount);
    case 'mean-squared-error':
      return { data: labels, shape: [count, size] };
    case 'cox-partial-likelihood':
      return labels.every((value, at) => (at % 2 === 0 ? value >= 0 : isBit(value)))
        ? { data: labels, shape: [count, 2] }
        : undefined;
    case 'dice-and-binary-cross-entropy':
      return labels.every(isBit)
        ? { data: labels, shape: [count, shape[0] ?? 0, shape[1] ?? 0, 1] }
        : undefined;
  }
}

function isBit(value: number): boolean {
  return value === 0 || value === 1;
}

/** +1 for label 0 and -1 for label 1: the loss of a row is softplus(sign * logit). */
function labelSigns(labels: Float32Array): Float32Array {
  return labels.map((label) => 1 - 2 * label);
}

function oneHot(labels: Float32Array, classCount: number): EncodedTargets | undefined {
  const data = new Float32Array(labels.length * classCount);
  for (const [row, label] of labels.entries()) {
    if (!Number.isInteger(label) || label < 0 || label >= classCount) return undefined;
    data[row * classCount + label] = 1;
  }
  return { data, shape: [labels.length, classCount] };
}
