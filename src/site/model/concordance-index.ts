// Harrell's concordance index (Harrell et al. 1996): of the pairs whose order of events is known, the share in which the higher
// hazard came first.
import { groupByTime, type Survival } from './survival-order.ts';

/**
 * A pair counts when the earlier of the two had an event, or when of two equal times one was an event and the other the end of
 * observation. Equal scores count one half. null where no pair counts.
 * @param scores log hazard ratios: higher means sooner
 */
export function concordanceIndex(scores: ArrayLike<number>, survival: Survival): number | null {
  const ranks = rankScores(scores);
  const seen = createCounts(scores.length);
  let [pairs, concordant] = [0, 0];
  for (const { events, censored } of groupByTime(survival)) {
    for (const row of censored) seen.add(ranks[row] ?? 0);
    for (const row of events) {
      const rank = ranks[row] ?? 0;
      const [below, upTo] = [seen.below(rank), seen.below(rank + 1)];
      concordant += below + (upTo - below) / 2;
      pairs += seen.total();
    }
    for (const row of events) seen.add(ranks[row] ?? 0);
  }
  return pairs === 0 ? null : concordant / pairs;
}

/** Place of each score among the different scores, from 0. */
function rankScores(scores: ArrayLike<number>): Uint32Array {
  const sorted = Float64Array.from(scores).sort();
  const places = new Map<number, number>();
  for (const score of sorted) if (!places.has(score)) places.set(score, places.size);
  return Uint32Array.from(scores, (score) => places.get(score) ?? 0);
}

/** How many of the ranks added lie below one, in logarithmic time (Fenwick 1994). */
function createCounts(size: number) {
  const sums = new Uint32Array(size + 1);
  let count = 0;
  return {
    add: (rank: number) => {
      count += 1;
      for (let at = rank + 1; at <= size; at += at & -at) sums[at] = (sums[at] ?? 0) + 1;
    },
    below: (rank: number) => {
      let sum = 0;
      for (let at = rank; at > 0; at -= at & -at) sum += sums[at] ?? 0;
      return sum;
    },
    total: () => count,
  };
}
