// Refusals of the signing stage.
import { CodedError } from '#base/coded-error.ts';

export type SigningCode = 'CONSENT_CHANGED' | 'NOT_APPROVED' | 'STALE_ROUND' | 'UPDATE_NOT_FOUND';

export class SigningError extends CodedError<SigningCode> {}
