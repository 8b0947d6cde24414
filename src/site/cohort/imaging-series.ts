// Imaging series of the store as criteria and inputs ask for them: modality, body part, whether a segmentation of them is here; with the
// images of days that consent does not let be read left out (C5).
import type { DataElements } from '#federation/records/data-elements.ts';
import type { Store } from '#site/store/index.ts';
import type { CohortSubjects } from './cohort-subjects.ts';
import type { InputSeries } from './member-images.ts';

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
  const segmentationsOf = openSegmentations(store, subjects);
  const imageDays = openImageDays(store, subjects);
  const statement = store.prepare(
    `SELECT imaging_series_no, subject_no, day FROM imaging_series JOIN imaging_study USING (imaging_study_no)
    WHERE modality = ? AND coalesce(body_part, '') = coalesce(?, body_part, '') ORDER BY imaging_series_no`,
  );
  for (const row of statement.iterate(modality, bodyPart) as Iterable<StoredSeries>) {
    const standingNo = subjects.standingNos[row.subject_no] ?? 0;
    const day = movedDay(subjects, row);
    if (!subjects.isReadable(standingNo, day, 'imaging') || !imageDays.areReadable(row)) continue;
    const found = { standingNo, imagingSeriesNo: row.imaging_series_no, day };
    if (!isSegmented || segmentationsOf(found).length > 0) yield found;
  }
}

interface StoredSegmentation {
  readonly sop_instance_no: number;
  readonly subject_no: number;
  readonly study_day: number | null;
  readonly day: number | null;
}

/**
 * Gives the SOP instance numbers of the segmentations that were drawn on a series, in the order of their UIDs. What another patient's
 * file says of this one's images is not among them, and none that consent does not let be read.
 */
function openSegmentations(
  store: Store,
  subjects: CohortSubjects,
): (series: Pick<FoundSeries, 'standingNo' | 'imagingSeriesNo'>) => readonly number[] {
  const statement = store.prepare(
    `SELECT DISTINCT drawn.sop_instance_no, subject_no, imaging_study.day AS study_day, drawn.day AS day
    FROM sop_instance AS image JOIN segmentation_source ON source_uid = image.sop_instance_uid
    JOIN sop_instance AS drawn ON drawn.sop_instance_no = segmentation_source.sop_instance_no
    JOIN imaging_series ON imaging_series.imaging_series_no = drawn.imaging_series_no JOIN imaging_study USING (imaging_study_no)
    WHERE image.imaging_series_no = ? ORDER BY drawn.sop_instance_uid`,
  );
  return ({ standingNo, imagingSeriesNo }) => {
    const drawn = statement.all(imagingSeriesNo) as StoredSegmentation[];
    const isReadable = ({ subject_no, study_day, day }: StoredSegmentation) =>
      subjects.standingNos[subject_no] === standingNo &&
      [study_day, day ?? study_day].every((one) =>
        subjects.isReadable(standingNo, movedDay(subjects, { subject_no, day: one }), 'imaging'),
      );
    return drawn.filter(isReadable).map(({ sop_instance_no }) => sop_instance_no);
  };
}

/** Gives what a model is fed of a series. */
export function openInputSeries(
  store: Store,
  subjects: CohortSubjects,
  isSegmented: boolean,
): (series: FoundSeries) => InputSeries {
  const countImages = store.prepareColumn('SELECT count(*) FROM sop_instance WHERE imaging_series_no = ?');
  const segmentationsOf = openSegmentations(store, subjects);
  return (series) => ({
    imagingSeriesNo: series.imagingSeriesNo,
    imageCount: countImages.get(series.imagingSeriesNo) as number,
    segmentationNos: isSegmented ? segmentationsOf(series) : [],
  });
}

/** An image may have been taken on another day than its imaging study began: then none of the series is read. */
function openImageDays(store: Store, subjects: CohortSubjects) {
  const statement = store.prepareColumn(
    'SELECT DISTINCT day FROM sop_instance WHERE imaging_series_no = ? AND day IS NOT NULL',
  );
  return {
    areReadable: ({ imaging_series_no, subject_no }: StoredSeries): boolean => {
      const standingNo = subjects.standingNos[subject_no] ?? 0;
      if (!subjects.limits.has(standingNo)) return true;
      const days = statement.all(imaging_series_no) as number[];
      return days.every((day) =>
        subjects.isReadable(standingNo, movedDay(subjects, { subject_no, day }), 'imaging'),
      );
    },
  };
}

function movedDay(
  { daysMoved }: CohortSubjects,
  { subject_no, day }: { readonly subject_no: number; readonly day: number | null },
): number | null {
  return day === null ? null : day + (daysMoved[subject_no] ?? 0);
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
