// Refusals of a new release. The running one stays as it is.
import { CodedError } from '#base/coded-error.ts';

export type ReleaseCode =
  | 'RELEASE_BROKEN'
  | 'RELEASE_NOT_SIGNED'
  | 'RELEASE_EXPIRED'
  | 'RELEASE_OLDER'
  | 'RELEASE_CHANGED'
  | 'RELEASE_UNREACHABLE'
  | 'RELEASE_NO_INSTALLER';

export class ReleaseError extends CodedError<ReleaseCode> {}
