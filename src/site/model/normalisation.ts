// (x - mean) / scale, and 0 where scale is 0: a constant column says nothing and must not become 0/0.
import { ModelError } from './model-error.ts';

export interface Normalisation {
  /** One value for each column. */
  readonly mean: ArrayLike<number>;
  /** Unbiased standard deviation of each column; 0 for a constant one. */
  readonly scale: ArrayLike<number>;
}

/**
 * Normalises a row-major matrix whose width is the length of `mean`. Computed in float64 and rounded once.
 * @throws ModelError MODEL_EXAMPLES_MISMATCH when the matrix is not a whole number of such rows.
 */
export function normaliseFeatures(features: ArrayLike<number>, { mean, scale }: Normalisation): Float32Array {
  const width = mean.length;
  if (width === 0 || scale.length !== width || features.length % width !== 0) {
    throw new ModelError('MODEL_EXAMPLES_MISMATCH', 'the features do not fit the normalisation', {
      details: { expected: { width }, found: { valueCount: features.length, scaleWidth: scale.length } },
    });
  }
  const normalised = new Float32Array(features.length);
  for (let at = 0; at < features.length; at += 1) {
    const column = at % width;
    const divisor = scale[column] ?? 0;
    normalised[at] = divisor === 0 ? 0 : ((features[at] ?? 0) - (mean[column] ?? 0)) / divisor;
  }
  return normalised;
}
