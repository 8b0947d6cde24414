// Refusals of an offline bundle as a whole; what is in it is refused by whoever takes it, with the codes of the same record sent online.
import { CodedError } from '#base/coded-error.ts';

export type BundleCode =
  | 'BAD_BUNDLE'
  | 'BUNDLE_FORK'
  | 'BUNDLE_IN_THE_WAY'
  | 'BUNDLE_NOT_FOUND'
  | 'EXPIRED'
  | 'MIXUP'
  | 'RESEARCH_STUDY_NEEDED';

export class BundleError extends CodedError<BundleCode> {}

/** @param what is wrong, without a name from the medium. */
export function badBundle(what: string): BundleError {
  return new BundleError('BAD_BUNDLE', `The bundle is refused: ${what}.`, { details: { found: what } });
}
