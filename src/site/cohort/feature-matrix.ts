// The rows of one part of a cohort, in the order of the pseudonyms: the same cohort gives the same bytes.
import type { RawMatrix } from '#site/statistics/index.ts';
import type { SelectedMember } from './selection.ts';
import type { SubjectTable } from './subject-table.ts';

export interface CohortMatrix extends RawMatrix {
  /** 0 or 1, one for each row. */
  readonly labels: Float32Array;
}

export function readMatrix(
  table: SubjectTable,
  members: readonly SelectedMember[],
  part: 'training' | 'holdout',
): CohortMatrix {
  const rows = members.filter((member) => member.part === part).map(({ row }) => row);
  const width = table.features.length;
  const values = new Float64Array(rows.length * width);
  for (const [index, row] of rows.entries()) {
    for (const [column, feature] of table.features.entries()) {
      values[index * width + column] = feature.values[row] ?? Number.NaN;
    }
  }
  const labels = Float32Array.from(rows, (row) => table.label.values[row] ?? Number.NaN);
  return { values, labels, count: rows.length, width };
}
