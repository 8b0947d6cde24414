// Cox's negative log partial likelihood over all rows at once, in float64 and without the square of a batch: for evaluation.
import { groupByTime, type Survival } from './survival-order.ts';

/**
 * Each row's part in nats, 0 where it has no event; their sum is the negative log partial likelihood.
 * @param scores log hazard ratios
 */
export function coxLikelihoodTerms(
  scores: ArrayLike<number>,
  survival: Survival,
  ties: 'breslow' | 'efron',
): Float64Array {
  const terms = new Float64Array(scores.length);
  const scoreOf = (row: number) => scores[row] ?? 0;
  // The sum of hazards is kept as sum * exp(largest), so that no exponent overflows.
  let [largest, sum] = [Number.NEGATIVE_INFINITY, 0];
  for (const { events, censored } of groupByTime(survival)) {
    for (const row of [...events, ...censored]) {
      const score = scoreOf(row);
      if (score > largest) [sum, largest] = [sum * Math.exp(largest - score), score];
      sum += Math.exp(score - largest);
    }
    const tied = events.reduce((total, row) => total + Math.exp(scoreOf(row) - largest), 0);
    for (const [place, row] of events.entries()) {
      const gone = ties === 'efron' ? (place / events.length) * tied : 0;
      terms[row] = largest + Math.log(sum - gone) - scoreOf(row);
    }
  }
  return terms;
}
