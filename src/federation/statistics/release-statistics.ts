// What a site's rows are summarised to before anything of them leaves: no count under the plan's smallest, and none that follows from
// what is there.
import type { FeatureStatistics, ReleasedStatistics } from '#federation/records/site-statistics.ts';
import { MAX_SUMMED, sumExactly } from '#federation/statistics/exact-sums.ts';
import { releaseColumn } from '#federation/statistics/open-values.ts';
import type { ColumnLayout, StatisticsLayout } from '#federation/statistics/statistics-layout.ts';
import { suppressTable } from '#federation/statistics/suppress-cells.ts';

export interface StatisticsRows {
  /** Row-major, `count` x columns, complete. */
  readonly values: Float64Array;
  readonly count: number;
  /** 0 or 1, one for each row. */
  readonly labels: ArrayLike<number>;
  /** For each column, subjects without a value, whether or not they are among the rows. */
  readonly missingCounts: readonly number[];
}

export function releaseStatistics(layout: StatisticsLayout, rows: StatisticsRows): ReleasedStatistics {
  const { columns, groups, minimumCell } = layout;
  const oneCounts = new Map(groups.flatMap((group) => releaseGroup(group, rows, layout)));
  const features = columns.map((column, index): FeatureStatistics => {
    // A multiple of the smallest count: nobody is told how many few are, and a few more or fewer hardly ever show.
    const missingCount = minimumCell * Math.floor((rows.missingCounts[index] ?? 0) / minimumCell);
    const shown = { name: column.name, missingCount };
    return column.bins === undefined
      ? { kind: 'counted', ...shown, oneCount: oneCounts.get(index) ?? null }
      : {
          kind: 'measured',
          ...shown,
          ...(isNearOther(index, rows, layout)
            ? { sums: null, cells: [] }
            : releaseMeasured({ ...column, bins: column.bins }, columnOf(rows, layout, index), layout)),
        };
  });
  const ones = countOnes(rows.labels);
  const [labelCount = null] = suppressTable([ones, rows.count - ones], minimumCell);
  return { exampleCount: rows.count, labelCount, features };
}

/** The codes of one coded value, with those who have none of them: a table whose sum everybody knows. */
function releaseGroup(
  group: readonly number[],
  rows: StatisticsRows,
  layout: StatisticsLayout,
): [column: number, oneCount: number | null][] {
  const counts = group.map((column) => countOnes(columnOf(rows, layout, column)));
  const rest = rows.count - counts.reduce((total, count) => total + count, 0);
  const shown = suppressTable([...counts, rest], layout.minimumCell);
  return group.map((column, index) => [column, shown[index] ?? null]);
}

/**
 * Whether fewer subjects than the smallest count differ from an earlier measure of the same facts, as the last and the largest value do
 * where nearly everybody has one: the difference of the sums would be those subjects'.
 */
function isNearOther(column: number, rows: StatisticsRows, layout: StatisticsLayout): boolean {
  const { columns, minimumCell } = layout;
  const values = columnOf(rows, layout, column);
  return columns.slice(0, column).some((other, index) => {
    if (other.source !== columns[column]?.source) return false;
    const others = columnOf(rows, layout, index);
    const different = values.reduce((count, value, row) => count + Number(value !== others[row]), 0);
    return different > 0 && different < minimumCell;
  });
}

type MeasuredStatistics = Pick<Extract<FeatureStatistics, { kind: 'measured' }>, 'sums' | 'cells'>;

function releaseMeasured(
  { bins }: Required<ColumnLayout> & { readonly bins: NonNullable<ColumnLayout['bins']> },
  values: Float64Array,
  { minimumCell: limit, maximumCells }: StatisticsLayout,
): MeasuredStatistics {
  const { cells, areSumsOpen } = releaseColumn(values, { bins, limit, maximumCells });
  if (!areSumsOpen || !values.every((value) => Math.abs(value) <= MAX_SUMMED))
    return { sums: null, cells: [...cells] };
  const { sum, sumOfSquares } = sumExactly(values);
  return { sums: { sum: [...sum], sumOfSquares: [...sumOfSquares] }, cells: [...cells] };
}

function columnOf(
  { values, count }: StatisticsRows,
  { columns }: StatisticsLayout,
  column: number,
): Float64Array {
  return Float64Array.from(
    { length: count },
    (_, row) => values[row * columns.length + column] ?? Number.NaN,
  );
}

function countOnes(values: ArrayLike<number>): number {
  let ones = 0;
  for (let at = 0; at < values.length; at += 1) ones += Number(values[at] === 1);
  return ones;
}
