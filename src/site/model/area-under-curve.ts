// Area under the receiver operating characteristic: the chance that a row of label 1 has a higher score than one of label 0.

/**
 * Mann and Whitney's U over the number of pairs; equal scores count one half. null where one of the labels does not occur.
 * @param labels 0 or 1, one for each score
 */
export function areaUnderCurve(scores: ArrayLike<number>, labels: ArrayLike<number>): number | null {
  const order = Array.from({ length: scores.length }, (_, row) => row).sort(
    (left, right) => (scores[left] ?? 0) - (scores[right] ?? 0),
  );
  let [pairs, zerosBelow, onesSeen] = [0, 0, 0];
  for (let at = 0; at < order.length; ) {
    const score = scores[order[at] ?? 0];
    let [zeros, ones] = [0, 0];
    for (; at < order.length && scores[order[at] ?? 0] === score; at += 1) {
      if (labels[order[at] ?? 0] === 1) ones += 1;
      else zeros += 1;
    }
    pairs += ones * (zerosBelow + zeros / 2);
    zerosBelow += zeros;
    onesSeen += ones;
  }
  return zerosBelow === 0 || onesSeen === 0 ? null : pairs / (zerosBelow * onesSeen);
}
