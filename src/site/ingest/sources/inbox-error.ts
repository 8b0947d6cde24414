// Why the inbox did not take an entry: the sender is told that it must keep what it has.
import { CodedError } from '#base/coded-error.ts';

export type InboxCode = 'INBOX_CLOSED' | 'INBOX_FULL' | 'INBOX_UNAVAILABLE';
export class InboxError extends CodedError<InboxCode> {}

/** A failed write by its code and without its path. */
export function writeFailure(error: unknown): InboxError {
  const cause = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  const isFull = cause === 'ENOSPC' || cause === 'EDQUOT' || cause === 'EFBIG';
  return isFull
    ? new InboxError('INBOX_FULL', 'The disk has no room for what arrives.', { details: { found: cause } })
    : new InboxError('INBOX_UNAVAILABLE', 'The inbox cannot be written.', { details: { found: cause } });
}
