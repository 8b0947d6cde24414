// Refusals of a signed request.
import { CodedError } from '#base/coded-error.ts';

export type RequestSignatureCode =
  | 'BAD_REQUEST_SIGNATURE'
  | 'KEY_NOT_TRUSTED'
  | 'REPLAYED_REQUEST'
  | 'STALE_REQUEST';

/** A request that was refused before its body was read. REPLAYED_REQUEST is thrown by whoever remembers the nonces. */
export class RequestSignatureError extends CodedError<RequestSignatureCode> {}
