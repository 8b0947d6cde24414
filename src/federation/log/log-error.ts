// Refusals of the log's core; what a verifier finds in a whole log is a value (verify-log.ts).
import { CodedError } from '#base/coded-error.ts';

export type LogCode = 'BAD_LEAF' | 'BAD_CHECKPOINT' | 'BAD_LOG_PROOF' | 'LOG_KEY_NOT_TRUSTED' | 'LOG_DAMAGED';

/** A log entry, checkpoint or proof that was refused. */
export class LogError extends CodedError<LogCode> {}
