// The imaging series of the members of one part of a cohort, in the order of the pseudonyms, as consent lets them be read (C5).
import type { MatrixSource } from './feature-matrix.ts';

export interface InputSeries {
  readonly imagingSeriesNo: number;
  /** Images that the series had when it was selected. */
  readonly imageCount: number;
  /** SOP instance numbers of the segmentations drawn on it; none where the label is not a segmentation. */
  readonly segmentationNos: readonly number[];
}

export interface MemberImages {
  readonly series: readonly InputSeries[];
  /** 0 or 1; NaN where segmentations are the label. */
  readonly label: number;
}

export function readMemberImages(
  { table, selection: { parts }, members }: MatrixSource,
  part: 'training' | 'holdout',
): MemberImages[] {
  const rows = [...members.rows].filter((row) => parts[row] === part);
  return rows.map((row) => ({
    series: table.series?.get(row) ?? [],
    label: table.label.values[row] ?? Number.NaN,
  }));
}
