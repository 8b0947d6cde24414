// Refusals at the door of a site, and the one translation of our errors into the contract's.
import { ORPCError } from '@orpc/server';
import { CodedError } from '#base/coded-error.ts';
import type { Logger } from '#base/logger.ts';

export type HostErrorCode =
  | 'SIGN_IN_NEEDED'
  | 'ROLE_NOT_ALLOWED'
  | 'BAD_INPUT'
  | 'BUG'
  | 'RENDERER_NOT_BUILT';

export class HostError extends CodedError<HostErrorCode> {}

/**
 * What a caller sees of `error`: code, message and details of a refusal; nothing of a bug but its code.
 * A stack could quote what was being parsed, so it goes to the redacting logger and not to the caller.
 */
export function toContractError(error: unknown, logger: Logger): ORPCError<string, unknown> {
  if (error instanceof ORPCError) {
    if (error.code !== 'BAD_REQUEST') return error;
    return new ORPCError('BAD_INPUT', {
      status: 400,
      message: 'The request does not have the shape of the contract.',
    });
  }
  if (error instanceof CodedError && error.code !== 'BUG') {
    return new ORPCError(error.code, { status: 422, message: error.message, data: error.details });
  }
  logger.error('a call failed unexpectedly', {
    code: 'BUG',
    stack: error instanceof Error ? (error.stack ?? '') : '',
  });
  return new ORPCError('BUG', {
    status: 500,
    message: 'Something is wrong in Consilium itself; the log has the details.',
  });
}
