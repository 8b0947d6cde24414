// De-identification: patients in, subjects out; days moved, ages capped, names sealed (security.md D2, D4, D10).
export { addYears, ageInYears, formatDay, highestExactAge, parseDay } from './calendar-day.ts';
export { dateOffsetDays, longestOffsetDays } from './date-offset.ts';
export { type DeidentifyCode, DeidentifyError } from './deidentify-error.ts';
export { type BurnedInCode, type BurnedInRisk, burnedInRisk, mayShowFace } from './dicom/burned-in.ts';
export {
  type DataSet,
  type DicomElement,
  type DicomFile,
  type DicomNote,
  type EncapsulatedElement,
  findElement,
  isEncapsulated,
  isSequence,
  type SequenceElement,
  type ValueElement,
} from './dicom/data-set.ts';
export { type DicomDeidentification, deidentifyDicom } from './dicom/deidentify-dicom.ts';
export { isPrivateTag, isSignDependent, keywordOf, tagOf, vrOf } from './dicom/dictionary.ts';
export { hasDrawnText, type PixelPlane } from './dicom/drawn-text.ts';
export { encodeDataSet, encodeDicom } from './dicom/encode-dicom.ts';
export {
  type DicomProfile,
  defaultDicomProfile,
  type ProfileOption,
  resolveProfile,
  type SafePrivateElement,
} from './dicom/profile.ts';
export { createUidMapper, type UidMapper } from './dicom/uid-mapper.ts';
export { erasedSubjects, identitiesOf, pendingSubjects } from './erased-subject.ts';
export { linkKeyOf, openLink, type PatientIdentity, sealLink } from './patient-link.ts';
export {
  type FoundPatient,
  openPatientDirectory,
  type PatientDirectory,
  patientOf,
  searchPatients,
} from './patient-search.ts';
export type { DeathRecord, DeathStatement } from './subject-death.ts';
export {
  derivePseudonym,
  joinParts,
  normaliseIdentifier,
  type PatientKey,
  subjectIdOf,
} from './subject-id.ts';
export {
  type ImagedPatient,
  openSubjectRegistry,
  type PatientChange,
  type PatientRecord,
  type Subject,
  type SubjectAges,
  type SubjectRegistry,
} from './subject-registry.ts';
