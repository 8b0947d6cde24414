// Subjects by value, in bins that begin at round numbers and hold enough subjects each: smaller neighbours are merged.
import { SUPPRESSION_LIMIT } from '#site/cohort/index.ts';
import type { HistogramBin } from './quality-report.ts';

const wantedBins = 12;

/**
 * The ends are open, so that the smallest and the largest value are not told.
 * @param values one of each subject, NaN where it has none
 */
export function createHistogram(values: Float64Array): HistogramBin[] | null {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  const quantile = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  // Without the outermost: one wild value would put all others into one bin.
  const [low, high] = [quantile(0.02), quantile(0.98)];
  if (sorted.length < 2 * SUPPRESSION_LIMIT || low === high) return null;
  const step = roundStep((high - low) / wantedBins);
  const first = Math.floor(low / step);
  const counts = new Array<number>(Math.floor(high / step) - first + 1).fill(0);
  for (const value of sorted) {
    const bin = Math.min(counts.length - 1, Math.max(0, Math.floor(value / step) - first));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const edge = (bin: number) => Number(((first + bin) * step).toPrecision(12));
  return openEnds(
    mergeSmall(counts).map((bin) => ({ ...bin, from: edge(bin.from), until: edge(bin.until) })),
  );
}

interface ClosedBin {
  readonly from: number;
  readonly until: number;
  readonly subjectCount: number;
}

/** From left to right; what is left over joins the last one. Empty bins between large ones stay: nobody is in them. */
function mergeSmall(counts: readonly number[]): ClosedBin[] {
  const bins: ClosedBin[] = [];
  let [from, gathered] = [0, 0];
  for (const [at, count] of counts.entries()) {
    gathered += count;
    if (gathered > 0 && gathered < SUPPRESSION_LIMIT) continue;
    bins.push({ from, until: at + 1, subjectCount: gathered });
    [from, gathered] = [at + 1, 0];
  }
  if (gathered === 0) return bins;
  while ((bins.at(-1)?.subjectCount ?? SUPPRESSION_LIMIT) < SUPPRESSION_LIMIT)
    from = bins.pop()?.from ?? from;
  const last = bins.pop();
  bins.push({
    from: last?.from ?? from,
    until: counts.length,
    subjectCount: gathered + (last?.subjectCount ?? 0),
  });
  return bins;
}

function openEnds(bins: readonly ClosedBin[]): HistogramBin[] | null {
  if (bins.length < 2) return null;
  return bins.map((bin, at) => ({
    from: at === 0 ? null : bin.from,
    until: at === bins.length - 1 ? null : bin.until,
    subjectCount: bin.subjectCount,
  }));
}

/** The next of 1, 2, 5 times a power of ten. */
function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) ?? 10) * power;
}
