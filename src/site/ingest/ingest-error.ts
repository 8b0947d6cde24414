// What can be wrong with a batch (thrown), a file or a row (values). No code's text ever holds a value from a file.
import { CodedError } from '#base/coded-error.ts';
import { type ArchiveRefusalCode, archiveReasonOf } from './archive/archive-error.ts';
import { type DicomRefusalCode, dicomReasonOf } from './dicom/dicom-refusal.ts';
import { type ImagingRefusalCode, imagingReasonOf } from './imaging/imaging-error.ts';

export type IngestCode =
  | 'BAD_MAPPING'
  | 'BATCH_NOT_OPEN'
  | 'CHUNK_OUT_OF_ORDER'
  | 'NOT_A_TABLE'
  | 'READER_STOPPED'
  | 'QUARANTINE_NOT_FOUND'
  | 'QUARANTINE_NOT_RELEASABLE'
  | 'UNIT_NOT_CONVERTIBLE';
export class IngestError extends CodedError<IngestCode> {}

/** Why a file is not, or not wholly, accepted. A file whose refused rows all have one code carries that code. */
export type FileRefusalCode =
  | ArchiveRefusalCode
  | DicomRefusalCode
  | ImagingRefusalCode
  | 'BAD_MAPPING'
  | 'CDA_FRAGMENT'
  | 'CDA_UNSTRUCTURED'
  | 'CONCEPTS_REQUIRED'
  | 'EMPTY_FILE'
  | 'FILE_TOO_LARGE'
  | 'IMPORT_CANCELLED'
  | 'MALFORMED_HEADER'
  | 'MALFORMED_JSON'
  | 'MALFORMED_XML'
  | 'MAPPING_REQUIRED'
  | 'MISSING_COLUMN'
  | 'NOT_A_FILE'
  | 'NOT_RECOGNISED'
  | 'NOT_UTF8'
  | 'READER_STOPPED'
  | 'SEVERAL_REASONS'
  | 'TOO_DEEP'
  | 'TOO_MANY_COLUMNS'
  | 'TOO_MANY_CONCEPTS'
  | 'TRUNCATED'
  | 'UNREADABLE'
  | 'UNSUPPORTED_BUNDLE'
  | 'UNSUPPORTED_ENCODING'
  | 'XML_DTD_REFUSED'
  | 'XML_ENTITY_REFUSED'
  | 'XML_TOO_LARGE';

/** Why a row is refused; the rest of its file goes in. */
export type RowRefusalCode =
  | 'BAD_CHARACTER'
  | 'BAD_CODE'
  | 'BAD_DATE'
  | 'BAD_NUMBER'
  | 'BAD_VALUE'
  | 'COLUMN_COUNT'
  | 'CONSENT_WITHOUT_PATIENT'
  | 'IDENTITY_CONFLICT'
  | 'MALFORMED_JSON'
  | 'MALFORMED_MESSAGE'
  | 'MALFORMED_RESOURCE'
  | 'MALFORMED_ROW'
  | 'MISSING_FIELD'
  | 'MISSING_UNIT'
  | 'NOT_UTF8'
  | 'NO_UCUM_SYSTEM'
  | 'PATIENT_WITHDRAWN'
  | 'REPEATED_RECORD'
  | 'ROW_TOO_LONG'
  | 'STATUS_NOT_TAKEN'
  | 'TOO_DEEP'
  | 'UNKNOWN_CONCEPT'
  | 'UNKNOWN_UNIT'
  | 'UNRESOLVED_REFERENCE'
  | 'UNSUPPORTED_CONSENT'
  | 'UNSUPPORTED_ENCODING'
  | 'UNSUPPORTED_REQUEST'
  | 'UNSUPPORTED_RESOURCE'
  | 'UNSUPPORTED_VALUE';

/** One sentence for each code, for outcome lists and reports. */
export const reasonOf: Readonly<Record<FileRefusalCode | RowRefusalCode, string>> = {
  ...archiveReasonOf,
  ...dicomReasonOf,
  ...imagingReasonOf,
  BAD_CHARACTER: 'A cell holds a control character.',
  BAD_CODE: 'A code or its system is not written as codes are.',
  BAD_DATE: 'A date is not a day of the calendar (YYYY-MM-DD).',
  BAD_MAPPING: 'The column mapping is not a valid mapping document.',
  BAD_NUMBER: 'A number is not a finite decimal number.',
  BAD_VALUE: 'A value is none that the mapping or the format names.',
  CDA_FRAGMENT: 'The file is a part of a CDA document, not a whole one.',
  CDA_UNSTRUCTURED: 'The CDA document holds a text or a file instead of coded sections.',
  COLUMN_COUNT: 'A row has more or fewer cells than the header.',
  CONCEPTS_REQUIRED: 'The OMOP concept table must be imported in the same batch, before this table.',
  EMPTY_FILE: 'The file holds no record.',
  FILE_TOO_LARGE: 'The file is larger than its format may be.',
  CONSENT_WITHOUT_PATIENT: 'The consent, which may be a refusal, does not say whose it is.',
  IDENTITY_CONFLICT: 'The record names two different patients.',
  IMPORT_CANCELLED: 'The import was stopped before the end of the file.',
  MALFORMED_HEADER: 'The header row cannot be read, or names a column twice.',
  MALFORMED_JSON: 'This is not valid JSON.',
  MALFORMED_MESSAGE: 'The message has no readable header (MSH).',
  MALFORMED_RESOURCE: 'An element of the resource has the wrong type.',
  MALFORMED_ROW: 'The quotes of a row do not match.',
  MALFORMED_XML: 'This is not well-formed XML.',
  MAPPING_REQUIRED: 'A plain CSV file needs a column mapping.',
  MISSING_COLUMN: 'A column that the mapping or the table needs is not there.',
  MISSING_FIELD: 'A required field is empty.',
  MISSING_UNIT: 'A measured value has no UCUM unit.',
  NOT_A_FILE: 'This is a link or device, not a plain file.',
  NOT_RECOGNISED: 'The content is none of the formats that can be imported.',
  NOT_UTF8: 'The text is not UTF-8.',
  NO_UCUM_SYSTEM: 'The unit of a measured value is not stated as UCUM.',
  READER_STOPPED: 'The file could not be read within the limits of memory and time.',
  REPEATED_RECORD: 'An earlier row of the file names the same record and says something else.',
  ROW_TOO_LONG: 'A row is longer than a row may be.',
  SEVERAL_REASONS: 'Some rows were refused, for different reasons.',
  STATUS_NOT_TAKEN: 'The record is preliminary or of unknown status.',
  TOO_DEEP: 'The JSON or XML is nested too deeply.',
  TOO_MANY_COLUMNS: 'The header has too many columns.',
  TOO_MANY_CONCEPTS: 'The concept table is larger than can be held.',
  TRUNCATED: 'The file breaks off before its end.',
  UNKNOWN_CONCEPT: 'A concept id is not in the concept table, or of a vocabulary that is not taken.',
  UNKNOWN_UNIT: 'A unit is not a UCUM unit.',
  UNREADABLE: 'The file could not be read.',
  UNRESOLVED_REFERENCE: 'The patient or medication that the record refers to cannot be told.',
  UNSUPPORTED_BUNDLE: 'The bundle is not a collection, transaction, batch or searchset.',
  UNSUPPORTED_CONSENT: 'The consent does not say in codes that it is for research.',
  UNSUPPORTED_ENCODING: 'The text states a character encoding that is not read.',
  UNSUPPORTED_REQUEST: 'The bundle entry is neither a resource nor the deletion of a named one.',
  UNSUPPORTED_RESOURCE: 'This is no resource type of FHIR R4.',
  UNSUPPORTED_VALUE: 'A value of this kind is not imported.',
  XML_DTD_REFUSED: 'The XML declares a document type; entities could then be expanded or fetched.',
  XML_ENTITY_REFUSED: 'The XML refers to an entity that XML itself does not define.',
  XML_TOO_LARGE: 'The XML has more elements or attributes than are read.',
};
