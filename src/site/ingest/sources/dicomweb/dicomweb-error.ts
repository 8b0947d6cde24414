// Why a DICOMweb server could not be fetched from. No message holds an address, a UID or a word of the answer.
import { CodedError } from '#base/coded-error.ts';

export type DicomwebCode =
  | 'DICOMWEB_ANSWER_TOO_LARGE'
  | 'DICOMWEB_BAD_ANSWER'
  | 'DICOMWEB_NOT_ALLOWED'
  | 'DICOMWEB_REDIRECTED'
  | 'DICOMWEB_REFUSED'
  | 'DICOMWEB_TLS_REFUSED'
  | 'DICOMWEB_UNAVAILABLE';
export class DicomwebError extends CodedError<DicomwebCode> {
  /** The HTTP status that was answered; null where there was no answer. */
  readonly status: number | null;

  constructor(code: DicomwebCode, message: string, status: number | null = null) {
    super(code, message, status === null ? {} : { details: { found: status } });
    this.status = status;
  }
}
