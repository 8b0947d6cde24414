// What went wrong, as the renderer understands it: a code it has a sentence for, or a code to report.
import { ORPCError } from '@orpc/client';

export interface Problem {
  /** A code of docs/errors.md, or CONNECTION_LOST where no answer came. */
  readonly code: string;
  /** What the site said, for codes without a sentence here. */
  readonly message: string | null;
}

function codeIn(data: unknown): string | null {
  if (typeof data !== 'object' || data === null || !('code' in data)) return null;
  return typeof data.code === 'string' ? data.code : null;
}

/** Reads a thrown value of the site client. A coded refusal travels as the ORPCError's code, or in its data. */
export function readProblem(error: unknown): Problem {
  if (error instanceof ORPCError) return { code: codeIn(error.data) ?? error.code, message: error.message };
  if (error instanceof DOMException && error.name === 'AbortError')
    return { code: 'CANCELLED', message: null };
  return { code: 'CONNECTION_LOST', message: error instanceof Error ? error.message : null };
}

/** Codes by which a host says that nobody is signed in any more. */
export const signedOutCodes: ReadonlySet<string> = new Set([
  'UNAUTHORIZED',
  'NOT_SIGNED_IN',
  'SESSION_EXPIRED',
]);
