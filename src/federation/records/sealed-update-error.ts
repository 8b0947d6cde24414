// Refusals of a sealed update, with the codes of the attacks they stop (security.md section 1).
import { CodedError, isCodedError } from '#base/coded-error.ts';

export type SealedUpdateCode =
  | 'BAD_BUNDLE'
  | 'BAD_KEY'
  | 'BAD_SIGNATURE'
  | 'BAD_STATEMENT'
  | 'DECRYPT_FAILED'
  | 'KEY_NOT_TRUSTED'
  | 'MIXUP'
  | 'NOT_APPROVED'
  | 'SUBSTITUTED'
  | 'WRONG_RECIPIENT'
  | 'WRONG_TYPE';

/** A sealed update, or an approval in it, that was refused. */
export class SealedUpdateError extends CodedError<SealedUpdateCode> {}

const CODES_OF_PARTS = [
  'BAD_KEY',
  'BAD_SIGNATURE',
  'BAD_STATEMENT',
  'DECRYPT_FAILED',
  'KEY_NOT_TRUSTED',
  'WRONG_TYPE',
] as const;

/** What a refused part (record, signature, ciphertext) means for the whole: the same code, named by the part. */
export function sealedUpdateErrorOf(part: string, cause: unknown): unknown {
  const code = CODES_OF_PARTS.find((known) => isCodedError(cause, known));
  if (code === undefined || !isCodedError(cause)) return cause;
  return new SealedUpdateError(code, cause.message, { cause, details: { part, ...cause.details } });
}
