// Writes the rows of images that workers have made pseudonymous. Every call belongs into the caller's transaction.
import type { PatientKey, Subject, SubjectRegistry } from '#site/deidentify/index.ts';
import type { ObjectStore, Store } from '#site/store/index.ts';
import type { ImageAttributes } from './image-attributes.ts';
import type { StoredImages } from './image-decision.ts';
import type { FinishedFile, StatedPatient } from './worker-message.ts';

/** Rows that were added, by kind. */
export interface AddedImages {
  patient: number;
  imagingStudy: number;
  sopInstance: number;
}

type FinishedImage = Extract<FinishedFile, { kind: 'image' }>;

export interface ArrivedImage {
  readonly image: FinishedImage;
  readonly patient: StatedPatient;
  readonly sourceDigest: Uint8Array;
  readonly outcomeId: number;
}

/** `stale`: since it was decided upon, the patient or what is stored has changed; it must be decided anew. */
export type ImageChange = 'added' | 'stale';

interface KnownSeries {
  readonly imaging_series_no: number;
  readonly imaging_series_uid: string;
  readonly imaging_study_no: number;
  readonly imaging_study_uid: string;
  readonly subject_no: number;
  /** That the imaging study came for, before any merge. */
  readonly subject_id: string;
}

/** The patient as they stand, and the subject that the image was made pseudonymous for. */
interface ImageOwner {
  readonly subject: Subject;
  readonly subjectId: string;
}

export interface ImageWriterOptions {
  readonly store: Store;
  readonly subjects: SubjectRegistry;
  readonly objects: ObjectStore;
  readonly images: StoredImages;
}

export class ImageWriter {
  readonly added: AddedImages = { patient: 0, imagingStudy: 0, sopInstance: 0 };
  readonly #subjects: SubjectRegistry;
  readonly #objects: ObjectStore;
  readonly #images: StoredImages;
  readonly #statements: ReturnType<typeof prepareStatements>;
  /** Images of one imaging series mostly come together. Forgotten with each transaction. */
  #lastSeries: KnownSeries | undefined;
  #lastSubject: { readonly key: PatientKey; readonly subject: Subject } | undefined;

  constructor({ store, subjects, objects, images }: ImageWriterOptions) {
    this.#subjects = subjects;
    this.#images = images;
    this.#objects = objects;
    this.#statements = prepareStatements(store);
  }

  /** Begins a transaction: what another import did since may have moved subjects. */
  begin(): void {
    this.#lastSeries = undefined;
    this.#lastSubject = undefined;
  }

  write({ image, patient, sourceDigest, outcomeId }: ArrivedImage): ImageChange {
    const { attributes, place } = image;
    if (this.#images.find(sourceDigest, attributes.sopInstanceUid) !== undefined) return 'stale';
    // Looked at before the patient gets a subject: a file that waits in quarantine leaves none.
    if (this.#isOfOther(attributes, patient)) return 'stale';
    const subject = this.#subjectOf(patient);
    // Withdrawn since it was decided.
    if (subject.isErased === 1) return 'stale';
    const owner = { subject, subjectId: image.subjectId };
    const series = this.#seriesOf(attributes, owner);
    if (series === undefined) return 'stale';
    const objectNo = place === null ? null : this.#objects.add(place);
    const { sop_instance_no } = this.#statements.insertInstance.get(
      ...instanceColumns(attributes),
      series.imaging_series_no,
      sourceDigest,
      objectNo,
      outcomeId,
    ) as { sop_instance_no: number };
    for (const { frame, sourceUid, sourceFrame } of attributes.sources)
      this.#statements.insertSource.run(sop_instance_no, frame, sourceUid, sourceFrame);
    this.added.sopInstance += 1;
    return 'added';
  }

  /** A patient who is new has no imaging study or series yet. */
  #isOfOther({ imagingStudyUid, imagingSeriesUid }: ImageAttributes, { key }: StatedPatient): boolean {
    if (isSameKey(this.#lastSubject?.key, key) || this.#subjects.findSubject(key) !== undefined) return false;
    const { findStudy, findSeries } = this.#statements;
    return findStudy.get(imagingStudyUid) !== undefined || findSeries.get(imagingSeriesUid) !== undefined;
  }

  #subjectOf(patient: StatedPatient): Subject {
    const { key } = patient;
    const last = this.#lastSubject;
    if (last !== undefined && isSameKey(last.key, key)) return last.subject;
    const { subject, isNew } = this.#subjects.recordImagedPatient(patient);
    if (isNew) this.added.patient += 1;
    this.#lastSubject = { key, subject };
    return subject;
  }

  /**
   * The imaging series of an image, new where it was not there; undefined where it, or its study, is another patient's or came for
   * another subject than the image was made pseudonymous for.
   */
  #seriesOf(attributes: ImageAttributes, owner: ImageOwner): KnownSeries | undefined {
    const { imagingSeriesUid, imagingStudyUid } = attributes;
    const last = this.#lastSeries;
    const known =
      last?.imaging_series_uid === imagingSeriesUid
        ? last
        : (this.#statements.findSeries.get(imagingSeriesUid) as KnownSeries | undefined);
    if (known !== undefined) {
      if (known.imaging_study_uid !== imagingStudyUid || !isOwner(known, owner)) return undefined;
      this.#lastSeries = known;
      return known;
    }
    const imagingStudyNo = this.#studyOf(attributes, owner);
    if (imagingStudyNo === undefined) return undefined;
    const { modality, bodyPart, seriesNumber, frameOfReferenceUid } = attributes;
    const row = this.#statements.insertSeries.get(
      imagingSeriesUid,
      imagingStudyNo,
      modality,
      bodyPart,
      seriesNumber,
      frameOfReferenceUid,
    ) as { imaging_series_no: number };
    this.#lastSeries = {
      imaging_series_no: row.imaging_series_no,
      imaging_series_uid: imagingSeriesUid,
      imaging_study_no: imagingStudyNo,
      imaging_study_uid: imagingStudyUid,
      subject_no: owner.subject.subjectNo,
      subject_id: owner.subjectId,
    };
    return this.#lastSeries;
  }

  #studyOf(attributes: ImageAttributes, owner: ImageOwner): number | undefined {
    const { imagingStudyUid, imagingStudyDay, imagingStudySecond, ageYears } = attributes;
    const known = this.#statements.findStudy.get(imagingStudyUid) as
      | Pick<KnownSeries, 'imaging_study_no' | 'subject_no' | 'subject_id'>
      | undefined;
    if (known !== undefined) return isOwner(known, owner) ? known.imaging_study_no : undefined;
    const { subjectId, subjectNo } = owner.subject;
    if (subjectId !== owner.subjectId) return undefined;
    const values = [imagingStudyUid, subjectNo, imagingStudyDay, imagingStudySecond, ageYears];
    const { imaging_study_no } = this.#statements.insertStudy.get(...values) as { imaging_study_no: number };
    this.added.imagingStudy += 1;
    return imaging_study_no;
  }
}

function isOwner(
  known: Pick<KnownSeries, 'subject_no' | 'subject_id'>,
  { subject, subjectId }: ImageOwner,
): boolean {
  return known.subject_no === subject.subjectNo && known.subject_id === subjectId;
}

function isSameKey(left: PatientKey | undefined, right: PatientKey): boolean {
  return left?.identifier === right.identifier && left.authority === right.authority;
}

/** The columns from `sop_instance_uid` to `second`, in the order of `insertInstance`. */
function instanceColumns(image: ImageAttributes): readonly unknown[] {
  const json = (numbers: readonly number[] | null): string | null =>
    numbers === null ? null : JSON.stringify(numbers);
  return [
    image.sopInstanceUid,
    image.sopClassUid,
    image.transferSyntaxUid,
    image.instanceNumber,
    image.rows,
    image.columns,
    image.frameCount,
    image.samplesPerPixel,
    image.photometric,
    image.bitsAllocated,
    image.bitsStored,
    image.isSigned,
    image.rowSpacing,
    image.columnSpacing,
    image.sliceThickness,
    json(image.orientation),
    json(image.position),
    image.rescaleSlope,
    image.rescaleIntercept,
    image.day,
    image.second,
  ];
}

const instanceColumnNames = `sop_instance_uid, sop_class_uid, transfer_syntax_uid, instance_number, pixel_rows, pixel_columns,
  frame_count, samples_per_pixel, photometric, bits_allocated, bits_stored, is_signed, row_spacing, column_spacing,
  slice_thickness, orientation, position, rescale_slope, rescale_intercept, day, second,
  imaging_series_no, source_digest, object_no, outcome_id`;

/** Of the subject that an imaging study came for: as it stands (after a merge the survivor), and its id. */
const owner = 'coalesce(survivor_no, subject_no) AS subject_no, subject_id';

function prepareStatements(store: Store) {
  return {
    findSeries: store.prepare(
      `SELECT imaging_series_no, imaging_series_uid, imaging_study_no, imaging_study_uid, ${owner}
       FROM imaging_series JOIN imaging_study USING (imaging_study_no) JOIN subject USING (subject_no) WHERE imaging_series_uid = ?`,
    ),
    findStudy: store.prepare(
      `SELECT imaging_study_no, ${owner} FROM imaging_study JOIN subject USING (subject_no) WHERE imaging_study_uid = ?`,
    ),
    insertStudy: store.prepare(
      `INSERT INTO imaging_study (imaging_study_uid, subject_no, day, second, age_years)
       VALUES (?, ?, ?, ?, ?) RETURNING imaging_study_no`,
    ),
    insertSeries: store.prepare(
      `INSERT INTO imaging_series
       (imaging_series_uid, imaging_study_no, modality, body_part, series_number, frame_of_reference_uid)
       VALUES (?, ?, ?, ?, ?, ?) RETURNING imaging_series_no`,
    ),
    insertInstance: store.prepare(
      `INSERT INTO sop_instance (${instanceColumnNames}) VALUES (${Array(25).fill('?').join(', ')}) RETURNING sop_instance_no`,
    ),
    insertSource: store.prepare('INSERT OR IGNORE INTO segmentation_source VALUES (?, ?, ?, ?)'),
  };
}
