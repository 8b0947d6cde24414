// Faults that no file and no sender is to blame for, and that pass when somebody makes room: what met one is tried again.
import { isCodedError } from '#base/coded-error.ts';

const diskCodes = ['DATABASE_FULL', 'OBJECT_STORE_FULL', 'OBJECT_STORE_UNAVAILABLE'];

/** Whether the disk has no room, or is not there. */
export function isDiskFault(error: unknown): boolean {
  return diskCodes.some((code) => isCodedError(error, code));
}
