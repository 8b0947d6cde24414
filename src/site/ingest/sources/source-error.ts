// What can be wrong with a source itself: refusals towards whoever sets one up or runs it. No message holds a setting's value.
import { CodedError } from '#base/coded-error.ts';

export type SourceCode =
  | 'BAD_SOURCE_SETTINGS'
  | 'SOURCE_KIND_UNKNOWN'
  | 'SOURCE_NOT_FOUND'
  | 'SOURCE_NOT_RUNNABLE'
  | 'SOURCE_RUNNING'
  | 'SOURCE_UNAVAILABLE';
export class SourceError extends CodedError<SourceCode> {}

/** @param setting its name, never its value */
export function badSetting(setting: string, expected: string): SourceError {
  return new SourceError('BAD_SOURCE_SETTINGS', 'A setting of the source is missing or not usable.', {
    details: { setting, expected },
  });
}
