// Refusals of the command line itself, before anything was asked of a site or a consortium.
import { CodedError } from '#base/coded-error.ts';

export type CliErrorCode = 'USAGE' | 'LOG_NOT_TRUSTED';

export class CliError extends CodedError<CliErrorCode> {}
