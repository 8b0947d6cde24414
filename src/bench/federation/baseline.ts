// What a figure must be read against: the accuracy of no model at all, and how far so few test rows can be trusted.
import { type HospitalRows, joinRows, type RawRows } from './heart-split.ts';
import type { Score } from './score.ts';

/** Always the class that is more frequent in the training rows; a hospital's own for its own test rows, all rows' for all. */
export function scoreMajorityClass(hospitals: readonly HospitalRows[]): Score {
  return {
    pooledTest: shareOfMajority(
      joinRows(hospitals.map(({ training }) => training)),
      joinRows(hospitals.map(({ holdout }) => holdout)),
    ),
    bySite: Object.fromEntries(
      hospitals.map(({ siteId, training, holdout }) => [siteId, shareOfMajority(training, holdout)]),
    ),
  };
}

function shareOfMajority(training: RawRows, holdout: RawRows): number {
  const majority = positives(training) * 2 >= training.count ? 1 : 0;
  const right = majority === 1 ? positives(holdout) : holdout.count - positives(holdout);
  return right / holdout.count;
}

function positives({ labels }: RawRows): number {
  return labels.reduce((total, label) => total + label, 0);
}

const z95 = 1.959963984540054;

/** The 95 % Wilson score interval of a share of right answers among `count` independent rows. */
export function wilsonInterval(share: number, count: number): readonly [low: number, high: number] {
  const square = z95 ** 2;
  const center = (share + square / (2 * count)) / (1 + square / count);
  const spread =
    (z95 / (1 + square / count)) * Math.sqrt((share * (1 - share)) / count + square / (4 * count ** 2));
  return [Math.max(0, center - spread), Math.min(1, center + spread)];
}

/** As it is printed: `0.74–0.84`. */
export function formatInterval(share: number, count: number): string {
  return wilsonInterval(share, count)
    .map((limit) => limit.toFixed(2))
    .join('–');
}
