// The rows of one part of a cohort, in the order of the pseudonyms: the same cohort gives the same bytes.
import type { RawMatrix } from '#site/statistics/index.ts';
import type { OrderedMembers } from './ordered-members.ts';
import type { Selection } from './selection.ts';
import type { SubjectTable } from './subject-table.ts';

export interface CohortMatrix extends RawMatrix {
  /** 0 or 1, one for each row. */
  readonly labels: Float32Array;
}

export interface MatrixSource {
  readonly table: SubjectTable;
  readonly selection: Selection;
  readonly members: OrderedMembers;
}

export function readMatrix(
  { table, selection: { parts }, members }: MatrixSource,
  part: 'training' | 'holdout',
): CohortMatrix {
  const rows = members.rows.filter((row) => parts[row] === part);
  const width = table.features.length;
  const values = new Float64Array(rows.length * width);
  for (const [column, feature] of table.features.entries())
    for (let at = 0; at < rows.length; at += 1)
      values[at * width + column] = feature.values[rows[at] ?? 0] ?? Number.NaN;
  const labels = Float32Array.from(rows, (row) => table.label.values[row] ?? Number.NaN);
  return { values, labels, count: rows.length, width };
}

/** For each column, candidates without a value. */
export function countMissing({ features }: SubjectTable, { candidateRows }: Selection): number[] {
  return features.map(({ values }) =>
    candidateRows.reduce((count, row) => count + Number(Number.isNaN(values[row] ?? Number.NaN)), 0),
  );
}
