// Why entries did not reach the repository. No message holds an address or what a server said.
import { CodedError } from '#base/coded-error.ts';

export type ForwardingCode =
  | 'BAD_FORWARDING_SETTINGS'
  | 'FORWARDING_NOT_SET'
  | 'REPOSITORY_REFUSED'
  | 'REPOSITORY_UNAVAILABLE';

export class ForwardingError extends CodedError<ForwardingCode> {}
