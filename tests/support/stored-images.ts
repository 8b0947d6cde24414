// Imaging series written straight into a store: for stages that read what the store knows of images, not the images.
import type { Store } from '#site/store/index.ts';

export interface StoredImage {
  readonly rows?: number;
  readonly rowSpacing?: number;
  readonly bitsStored?: number;
  readonly orientation?: readonly number[] | null;
  readonly position?: readonly number[] | null;
  readonly rescaleSlope?: number | null;
}

export interface StoredSeries {
  readonly modality?: string;
  readonly images: readonly StoredImage[];
  readonly isSegmented?: boolean;
}

/** Slices of 5 mm, one above the other. */
export function slices(count: number, changes: StoredImage = {}): StoredImage[] {
  return Array.from({ length: count }, (_, at) => ({ position: [0, 0, 5 * at], ...changes }));
}

let objectCount = 0;

/** One imaging study of one series, on a day. */
export function addSeries(
  store: Store,
  subjectId: string,
  { series, day }: { series: StoredSeries; day: number },
) {
  objectCount += 1;
  const { subject_no: subjectNo } = store
    .prepare('SELECT subject_no FROM subject WHERE subject_id = ?')
    .get(subjectId) as { subject_no: number };
  const { imaging_study_no: studyNo } = store
    .prepare(
      'INSERT INTO imaging_study (imaging_study_uid, subject_no, day) VALUES (?, ?, ?) RETURNING imaging_study_no',
    )
    .get(`1.${objectCount}`, subjectNo, day) as { imaging_study_no: number };
  const { imaging_series_no: seriesNo } = store
    .prepare(
      'INSERT INTO imaging_series (imaging_series_uid, imaging_study_no, modality) VALUES (?, ?, ?) RETURNING imaging_series_no',
    )
    .get(`2.${objectCount}`, studyNo, series.modality ?? 'MR') as { imaging_series_no: number };
  for (const image of series.images) addImage(store, seriesNo, image);
  if (series.isSegmented === true) addSegmentation(store, seriesNo);
}

function addImage(store: Store, seriesNo: number, image: StoredImage): void {
  objectCount += 1;
  const { orientation = [1, 0, 0, 0, 1, 0], position = [0, 0, 0], rescaleSlope = 1 } = image;
  store
    .prepare(
      `INSERT INTO sop_instance (sop_instance_uid, imaging_series_no, sop_class_uid, transfer_syntax_uid, frame_count, pixel_rows, pixel_columns,
      bits_stored, row_spacing, column_spacing, orientation, position, rescale_slope, source_digest, outcome_id)
      VALUES (?, ?, '1.2.840.10008.5.1.4.1.1.4', '1.2.840.10008.1.2.1', 1, ?, 64, ?, ?, 1, ?, ?, ?, ?, 0)`,
    )
    .run(
      `3.${objectCount}`,
      seriesNo,
      image.rows ?? 64,
      image.bitsStored ?? 12,
      image.rowSpacing ?? 1,
      orientation === null ? null : JSON.stringify(orientation),
      position === null ? null : JSON.stringify(position),
      rescaleSlope,
      new TextEncoder().encode(`image ${objectCount}`),
    );
}

/** Which object says so does not matter here: the first image names itself. */
function addSegmentation(store: Store, seriesNo: number): void {
  store
    .prepare(
      `INSERT INTO segmentation_source (sop_instance_no, frame, source_uid, source_frame)
      SELECT sop_instance_no, 0, sop_instance_uid, 0 FROM sop_instance WHERE imaging_series_no = ? LIMIT 1`,
    )
    .run(seriesNo);
}
