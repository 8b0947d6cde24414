// Raw rows to what the engine takes, with the site's own functions: the statistics of some rows applied to the same or others.
import { type Normalisation, normaliseFeatures } from '#site/model/index.ts';
import type { Examples } from '#site/ports.ts';
import { normalisationOf } from '#site/statistics/index.ts';
import type { RawRows } from './heart-split.ts';

/** Mean and unbiased standard deviation of each column; 0 for a constant one. */
export function columnStatistics({ features, count, width }: RawRows): Normalisation {
  return normalisationOf({ values: features, count, width });
}

export function toExamples(rows: RawRows, normalisation: Normalisation): Examples {
  const features = normaliseFeatures(rows.features, normalisation);
  return { features, labels: rows.labels, count: rows.count, shape: [rows.width] };
}
