// Why an image is refused, or waits for a person: a closed set of codes, each with its sentence. What is wrong inside a DICOM file is
// named in ingest/dicom.

import type { BurnedInCode } from '#site/deidentify/index.ts';

export type ImagingRefusalCode =
  | BurnedInCode
  | 'DICOMDIR_FILE_MISSING'
  | 'DICOMDIR_UNSAFE_PATH'
  | 'DICOM_MISSING_UID'
  | 'DICOM_NO_IMAGE'
  | 'DICOM_NO_PATIENT_ID'
  | 'DICOM_PATIENT_CONFLICT'
  | 'DICOM_PROCESSING_FAILED'
  | 'DICOM_UID_CONFLICT'
  | 'PATIENT_WITHDRAWN';

export const imagingReasonOf: Readonly<Record<ImagingRefusalCode, string>> = {
  BURNED_IN_SUSPECTED: 'Images of this kind often show text that names the patient.',
  BURNED_IN_TEXT: 'The pixels hold text that may name the patient.',
  DICOMDIR_FILE_MISSING: 'The DICOMDIR names a file that is not there.',
  DICOMDIR_UNSAFE_PATH: 'The DICOMDIR names a path that leads out of its folder.',
  DICOM_MISSING_UID: 'The file lacks a UID that every DICOM object has.',
  DICOM_NO_IMAGE: 'The DICOM object holds no pixels: a report, plan, presentation state or document.',
  DICOM_NO_PATIENT_ID: 'The file does not say whose image it is.',
  DICOM_PATIENT_CONFLICT: 'The imaging study or series of the file belongs to another patient.',
  DICOM_PROCESSING_FAILED: 'The file could not be processed; it was left out.',
  DICOM_UID_CONFLICT: 'Another file with the same SOP Instance UID and other content is stored.',
  PATIENT_WITHDRAWN: 'The patient withdrew their consent; nothing about them is taken in.',
};
