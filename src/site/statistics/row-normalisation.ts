// Mean and deviation of a site's own rows, in float64 and in row order: where each site normalises by itself.

/** Raw rows of a cohort in fixed order; row-major, `count` x `width`, complete (no NaN). */
export interface RawMatrix {
  readonly values: Float64Array;
  readonly count: number;
  readonly width: number;
}

/**
 * Mean and unbiased standard deviation of each column of these rows alone, 0 for a constant one. In two passes: the same rows in the
 * same order give the same bits.
 */
export function normalisationOf({ values, count, width }: RawMatrix): {
  mean: Float64Array;
  scale: Float64Array;
} {
  const sum = new Float64Array(width);
  for (let at = 0; at < values.length; at += 1) {
    const column = at % width;
    sum[column] = (sum[column] ?? 0) + (values[at] ?? 0);
  }
  const mean = sum.map((total) => total / count);
  const squares = new Float64Array(width);
  for (let at = 0; at < values.length; at += 1) {
    const column = at % width;
    squares[column] = (squares[column] ?? 0) + ((values[at] ?? 0) - (mean[column] ?? 0)) ** 2;
  }
  const scale = squares.map((square, column) => {
    // Rounding of the mean would give a constant column a tiny scale, and noise the size of a signal.
    return count < 2 || isConstantColumn(values, { column, width }) ? 0 : Math.sqrt(square / (count - 1));
  });
  return { mean, scale };
}

function isConstantColumn(
  values: Float64Array,
  { column, width }: { column: number; width: number },
): boolean {
  for (let at = column + width; at < values.length; at += width)
    if (values[at] !== values[column]) return false;
  return true;
}
