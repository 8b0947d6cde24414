// Why a FHIR server could not be exported from. No message holds an address, an identifier or a word of an answer.
import { CodedError } from '#base/coded-error.ts';

export type BulkExportCode =
  | 'BULK_ANSWER_TOO_LARGE'
  | 'BULK_BAD_ANSWER'
  | 'BULK_EXPIRED'
  | 'BULK_NOT_ALLOWED'
  | 'BULK_REDIRECTED'
  | 'BULK_REFUSED'
  | 'BULK_TIMED_OUT'
  | 'BULK_TLS_REFUSED'
  | 'BULK_TRUNCATED'
  | 'BULK_UNAVAILABLE';

export class BulkExportError extends CodedError<BulkExportCode> {
  /** The HTTP status that was answered; null where there was no answer. */
  readonly status: number | null;
  /** How long the server asks to be left alone; null where another try does not help. */
  readonly pauseMs: number | null;

  constructor(code: BulkExportCode, message: string, { status = null, pauseMs = null }: BulkFailure = {}) {
    super(code, message, status === null ? {} : { details: { found: status } });
    this.status = status;
    this.pauseMs = pauseMs;
  }
}

export interface BulkFailure {
  readonly status?: number | null;
  readonly pauseMs?: number | null;
}
