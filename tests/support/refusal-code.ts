// The code that a piece of work is refused with, 'none' where it is done. What is no refusal of ours fails the test.
import { isCodedError } from '#base/coded-error.ts';

export function refusalCode(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return codeIn(error);
  }
  return 'none';
}

export function refusalCodeOf(work: Promise<unknown>): Promise<string> {
  return work.then(() => 'none', codeIn);
}

function codeIn(error: unknown): string {
  if (isCodedError(error)) return error.code;
  throw error;
}
