// A site's share in federated normalisation: count, sum and sum of squares of each column, in float64 and in row order.
import type { TensorMap } from '#federation/tensors/tensor.ts';

/** Raw rows of a cohort in fixed order; row-major, `count` x `width`, complete (no NaN). */
export interface RawMatrix {
  readonly values: Float64Array;
  readonly count: number;
  readonly width: number;
}

export interface ColumnSums {
  readonly count: number;
  /** One value for each column. */
  readonly sum: Float64Array;
  readonly sumOfSquares: Float64Array;
}

/** The same rows in the same order give the same bits. */
export function sumColumns({ values, count, width }: RawMatrix): ColumnSums {
  const sum = new Float64Array(width);
  const sumOfSquares = new Float64Array(width);
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at] ?? 0;
    const column = at % width;
    sum[column] = (sum[column] ?? 0) + value;
    sumOfSquares[column] = (sumOfSquares[column] ?? 0) + value * value;
  }
  return { count, sum, sumOfSquares };
}

/** The payload of a statistics round. */
export function encodeColumnSums({ count, sum, sumOfSquares }: ColumnSums): TensorMap {
  return new Map([
    ['statistics/count', { shape: [1], data: Float64Array.of(count) }],
    ['statistics/sum', { shape: [sum.length], data: sum }],
    ['statistics/sumOfSquares', { shape: [sumOfSquares.length], data: sumOfSquares }],
  ]);
}

/** Mean and unbiased standard deviation of each column of these rows alone, 0 for a constant one. In two passes. */
export function normalisationOf({ values, count, width }: RawMatrix): {
  mean: Float64Array;
  scale: Float64Array;
} {
  const { sum } = sumColumns({ values, count, width });
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
