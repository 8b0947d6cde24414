// What becomes of an image that was read, before it is made pseudonymous: known already, in conflict with what is stored, or to be
// imported for a subject. Reads only; the writer looks again in its transaction.
import { type PatientKey, type Subject, type SubjectRegistry, subjectIdOf } from '#site/deidentify/index.ts';
import type { Store } from '#site/store/index.ts';
import type { FileDecision, PreparedFile } from './worker-message.ts';

type PreparedImage = Extract<PreparedFile, { kind: 'image' }>;

export interface StoredImages {
  /** The image with this digest or UID, if any. */
  find(sourceDigest: Uint8Array, sopInstanceUid: string): 'same' | 'other-content' | undefined;
  /** The file in quarantine with this digest, if any. */
  findQuarantined(
    sourceDigest: Uint8Array,
  ): { readonly code: string; readonly field: string | null } | undefined;
  /** @param released digest of a file that leaves quarantine: that it is there does not count */
  decide(file: PreparedFile, released?: Uint8Array): FileDecision;
}

export function openStoredImages(
  store: Store,
  { subjects, subjectKey }: { readonly subjects: SubjectRegistry; readonly subjectKey: Uint8Array },
): StoredImages {
  const statements = {
    byDigest: store.prepare('SELECT 1 FROM sop_instance WHERE source_digest = ?'),
    byUid: store.prepare('SELECT 1 FROM sop_instance WHERE sop_instance_uid = ?'),
    quarantined: store.prepare('SELECT code, field FROM quarantine WHERE source_digest = ?'),
    ownerOfStudy: store.prepare(`SELECT ${standingNo} AS subject_no, subject_id FROM imaging_study
      JOIN subject USING (subject_no) WHERE imaging_study_uid = ?`),
    ownerOfSeries: store.prepare(`SELECT ${standingNo} AS subject_no, imaging_study_uid FROM imaging_series
      JOIN imaging_study USING (imaging_study_no) JOIN subject USING (subject_no) WHERE imaging_series_uid = ?`),
  };
  /** Images of one imaging series mostly come together. */
  let lastFitting: { readonly place: string; readonly subjectId: string } | undefined;
  /** Whom an image is made pseudonymous for; undefined where its imaging study or series is another patient's. */
  const subjectIdFor = (
    { imagingStudyUid, imagingSeriesUid }: PreparedImage,
    { key, subject }: { readonly key: PatientKey; readonly subject: Subject | undefined },
  ): string | undefined => {
    const place = `${imagingStudyUid} ${imagingSeriesUid} ${subject?.subjectNo} ${subjects.mergeCount}`;
    if (lastFitting?.place === place) return lastFitting.subjectId;
    const study = statements.ownerOfStudy.get(imagingStudyUid) as
      | (Owner & { readonly subject_id: string })
      | undefined;
    const series = statements.ownerOfSeries.get(imagingSeriesUid) as
      | (Owner & { readonly imaging_study_uid: string })
      | undefined;
    const isOfOther =
      (study !== undefined && study.subject_no !== subject?.subjectNo) ||
      (series !== undefined &&
        (series.subject_no !== subject?.subjectNo || series.imaging_study_uid !== imagingStudyUid));
    if (isOfOther) return undefined;
    // An imaging study keeps the identity that it came for, also after a merge: one date offset in all of it.
    const subjectId = study?.subject_id ?? subject?.subjectId ?? subjectIdOf(subjectKey, key);
    if (series !== undefined) lastFitting = { place, subjectId };
    return subjectId;
  };
  const images: StoredImages = {
    find: (sourceDigest, sopInstanceUid) => {
      if (statements.byDigest.get(sourceDigest) !== undefined) return 'same';
      return statements.byUid.get(sopInstanceUid) === undefined ? undefined : 'other-content';
    },
    findQuarantined: (sourceDigest) =>
      statements.quarantined.get(sourceDigest) as ReturnType<StoredImages['findQuarantined']>,
    decide: (file, released) => {
      if (file.kind !== 'image') return { kind: 'skip' };
      const { sourceDigest, sopInstanceUid, patient } = file;
      const found = images.find(sourceDigest, sopInstanceUid);
      const isHeld = released === undefined && images.findQuarantined(sourceDigest) !== undefined;
      if (found === 'same' || isHeld) return { kind: 'skip' };
      // Attack, or a PACS that edits in place: an image must not take the place of the one that a cohort was frozen with.
      if (found === 'other-content') return quarantined('DICOM_UID_CONFLICT', 'SOPInstanceUID');
      if (patient === null) return quarantined('DICOM_NO_PATIENT_ID', 'PatientID');
      const { key } = patient;
      const subject = subjects.findSubject(key);
      // Not even into quarantine: what was erased after a withdrawal does not come back with the next export.
      if (subject?.isErased === 1) return { kind: 'refuse', code: 'PATIENT_WITHDRAWN', field: 'PatientID' };
      const subjectId = subjectIdFor(file, { key, subject });
      // Two patients' images under one UID would become one patient's.
      if (subjectId === undefined) return quarantined('DICOM_PATIENT_CONFLICT', 'PatientID');
      return { kind: 'import', subjectId };
    },
  };
  return images;
}

interface Owner {
  readonly subject_no: number;
}

/** A subject as it stands: after a merge the survivor. */
const standingNo = 'coalesce(subject.survivor_no, subject.subject_no)';

function quarantined(
  code: 'DICOM_UID_CONFLICT' | 'DICOM_NO_PATIENT_ID' | 'DICOM_PATIENT_CONFLICT',
  field: string,
) {
  return { kind: 'quarantine', code, field } as const;
}
