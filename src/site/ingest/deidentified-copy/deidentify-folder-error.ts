// Refusals of a whole de-identification run, before any file was read.
import { CodedError } from '#base/coded-error.ts';

export type DeidentifyFolderCode = 'OUTPUT_NOT_EMPTY' | 'OUTPUT_UNAVAILABLE' | 'UNFIT_KEY_FILE';
export class DeidentifyFolderError extends CodedError<DeidentifyFolderCode> {}
