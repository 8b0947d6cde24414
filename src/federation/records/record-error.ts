// Refusals of a signed record.
import { CodedError } from '#base/coded-error.ts';

export type RecordCode = 'BAD_SIGNATURE' | 'BAD_STATEMENT' | 'KEY_NOT_TRUSTED' | 'WRONG_TYPE';

/** A record that was refused. `details` name what was expected and found, never a value of the record. */
export class RecordError extends CodedError<RecordCode> {}
