// Why a DICOM file is refused: a closed set of codes, each with its sentence, and the keyword of the element at fault, never a value.
import type { FileRefusalCode } from '../ingest-error.ts';

export type DicomRefusalCode =
  | 'DICOM_BAD_FRAGMENTS'
  | 'DICOM_BAD_INFLATE'
  | 'DICOM_BAD_LENGTH'
  | 'DICOM_BAD_SEGMENTATION'
  | 'DICOM_BAD_STRUCTURE'
  | 'DICOM_BAD_VALUE'
  | 'DICOM_BAD_VR'
  | 'DICOM_DECODER_FAILED'
  | 'DICOM_DUPLICATE_TAG'
  | 'DICOM_IMAGE_TOO_LARGE'
  | 'DICOM_INFLATE_LIMIT'
  | 'DICOM_MIXED_BYTE_ORDER'
  | 'DICOM_NOT_DEIDENTIFIED'
  | 'DICOM_PIXEL_COUNT'
  | 'DICOM_TIMEOUT'
  | 'DICOM_TOO_DEEP'
  | 'DICOM_TOO_MANY_ELEMENTS'
  | 'DICOM_UNSUPPORTED_IMAGE'
  | 'TRANSFER_SYNTAX_NOT_DECODED';

/** One sentence for each code, for outcome lists and reports. */
export const dicomReasonOf: Readonly<Record<DicomRefusalCode, string>> = {
  DICOM_BAD_FRAGMENTS: 'The fragments of the compressed pixel data do not make up its frames.',
  DICOM_BAD_INFLATE: 'The deflated data set cannot be inflated.',
  DICOM_BAD_LENGTH: 'An element says a length that does not fit where it stands.',
  DICOM_BAD_SEGMENTATION: 'The segments and frames of the segmentation do not fit together.',
  DICOM_BAD_STRUCTURE: 'Items or delimiters stand where none may.',
  DICOM_BAD_VALUE: 'An element that describes the object is missing or has a value that it cannot have.',
  DICOM_BAD_VR: 'An element has no value representation of the standard.',
  DICOM_DECODER_FAILED: 'The compressed pixel data is broken.',
  DICOM_DUPLICATE_TAG: 'A data set holds one element twice.',
  DICOM_IMAGE_TOO_LARGE: 'The image has more pixels than can be taken.',
  DICOM_INFLATE_LIMIT: 'The deflated data set grows beyond what may be inflated.',
  DICOM_MIXED_BYTE_ORDER: 'A big-endian data set holds a little-endian sequence.',
  DICOM_NOT_DEIDENTIFIED:
    'A second reader still finds what de-identification removes; nothing of the file was kept.',
  DICOM_PIXEL_COUNT: 'There are fewer pixels, or frames, than the image says.',
  DICOM_TIMEOUT: 'Decoding took too long.',
  DICOM_TOO_DEEP: 'Sequences are nested too deeply.',
  DICOM_TOO_MANY_ELEMENTS: 'The data set has more elements than can be taken.',
  DICOM_UNSUPPORTED_IMAGE: 'The pixels are of a kind that is not read.',
  TRANSFER_SYNTAX_NOT_DECODED: 'No decoder for the transfer syntax of the file is part of this release.',
};

/** Leaves the reading of one DICOM file; caught at its edge and turned into a value. */
export class DicomRefusal extends Error {
  readonly code: FileRefusalCode;
  /** Keyword of the data dictionary, or null: the tag of a file read out of step may itself be four letters of a name. */
  readonly field: string | null;

  constructor(code: FileRefusalCode, field: string | null = null) {
    super(code);
    this.name = 'DicomRefusal';
    this.code = code;
    this.field = field;
  }
}
