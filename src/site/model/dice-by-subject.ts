// Overlap of predicted and drawn masks for each subject, over all of its images together: one large slice weighs more than a small one.

export interface MaskPrediction {
  /** Probability of each pixel, image by image. */
  readonly probabilities: ArrayLike<number>;
  /** 0 or 1 for each pixel, in the same order. */
  readonly masks: ArrayLike<number>;
  readonly count: number;
  /** Number of the subject of each image; absent: each is of another. */
  readonly subjects?: ArrayLike<number> | undefined;
}

/**
 * Dice 1945: 2 |A and B| / (|A| + |B|) at a probability of more than 0.5, and 1 where both are empty. One for each subject, in the
 * order of their numbers.
 */
export function diceBySubject({ probabilities, masks, count, subjects }: MaskPrediction): Float64Array {
  const pixels = count === 0 ? 0 : masks.length / count;
  const sums = new Map<number, { shared: number; both: number }>();
  for (let image = 0; image < count; image += 1) {
    const subject = subjects?.[image] ?? image;
    const sum = sums.get(subject) ?? { shared: 0, both: 0 };
    for (let at = image * pixels; at < (image + 1) * pixels; at += 1) {
      const predicted = (probabilities[at] ?? 0) > 0.5 ? 1 : 0;
      const drawn = masks[at] ?? 0;
      sum.shared += predicted * drawn;
      sum.both += predicted + drawn;
    }
    sums.set(subject, sum);
  }
  const ordered = [...sums].sort(([left], [right]) => left - right);
  return Float64Array.from(ordered, ([, { shared, both }]) => (both === 0 ? 1 : (2 * shared) / both));
}
