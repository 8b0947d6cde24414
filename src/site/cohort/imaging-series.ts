// Imaging series of the store as criteria and inputs ask for them: modality, body part, whether a segmentation of them is here.
import type { DataElements } from '#federation/records/data-elements.ts';
import type { Store } from '#site/store/index.ts';
import type { CohortSubjects } from './cohort-subjects.ts';

export interface SeriesQuestion {
  /** DICOM modality. */
  readonly modality: string;
  /** DICOM Body Part Examined; null: any. */
  readonly bodyPart: string | null;
  readonly isSegmented: boolean;
}

export interface FoundSeries {
  /** The subject that stands. */
  readonly standingNo: number;
  readonly imagingSeriesNo: number;
  /** Shifted day of the imaging study; null where it states none. */
  readonly day: number | null;
}

interface StoredSeries {
  readonly imaging_series_no: number;
  readonly subject_no: number;
  readonly day: number | null;
}

/** Series that consent lets be read, in the order in which they were numbered. Every one of a segmentation's sources counts. */
export function* findSeries(
  store: Store,
  subjects: CohortSubjects,
  { modality, bodyPart, isSegmented }: SeriesQuestion,
): Generator<FoundSeries> {
  const segmented = `AND EXISTS (SELECT 1 FROM sop_instance JOIN segmentation_source ON source_uid = sop_instance.sop_instance_uid
    WHERE sop_instance.imaging_series_no = imaging_series.imaging_series_no)`;
  const statement = store.prepare(
    `SELECT imaging_series_no, subject_no, day FROM imaging_series JOIN imaging_study USING (imaging_study_no)
    WHERE modality = ? AND coalesce(body_part, '') = coalesce(?, body_part, '') ${isSegmented ? segmented : ''} ORDER BY imaging_series_no`,
  );
  for (const row of statement.iterate(modality, bodyPart) as Iterable<StoredSeries>) {
    const standingNo = subjects.standingNos[row.subject_no] ?? 0;
    const day = row.day === null ? null : row.day + (subjects.daysMoved[row.subject_no] ?? 0);
    if (subjects.isReadable(standingNo, day, 'imaging'))
      yield { standingNo, imagingSeriesNo: row.imaging_series_no, day };
  }
}

/** By subject_no, of those that stand: the day of the first or last imaging study of the modality. */
export function imagingIndexDays(
  store: Store,
  subjects: CohortSubjects,
  { modality, which }: Extract<DataElements['indexEvent'], { kind: 'imaging-study' }>,
): (number | undefined)[] {
  const found: (number | undefined)[] = new Array<undefined>(subjects.standingNos.length).fill(undefined);
  for (const { standingNo, day } of findSeries(store, subjects, {
    modality,
    bodyPart: null,
    isSegmented: false,
  })) {
    if (day === null) continue;
    const known = found[standingNo];
    if (known === undefined || (which === 'first' ? day < known : day > known)) found[standingNo] = day;
  }
  return found;
}
