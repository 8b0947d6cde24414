// Refusals of the cryptographic layer.
import { CodedError } from '#base/coded-error.ts';

export type CryptoCode = 'BAD_KEY' | 'BAD_SIGNATURE' | 'DECRYPT_FAILED' | 'WRONG_SECRET';

/** A key, signature or ciphertext that was refused. Carries no key material. */
export class CryptoError extends CodedError<CryptoCode> {}
