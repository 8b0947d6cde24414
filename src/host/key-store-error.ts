// Refusals of the places where a site's keys rest.
import { CodedError } from '#base/coded-error.ts';

export type KeyStoreCode =
  | 'KEY_FILE_MODE'
  | 'KEY_FILE_INSIDE_PROFILE'
  | 'KEY_FILE_BROKEN'
  | 'KEY_FILE_UNAVAILABLE'
  | 'KEY_FILE_OTHER_KIND'
  | 'KEY_PASSPHRASE_WRONG'
  | 'KEY_PASSPHRASE_TOO_SHORT'
  | 'KEY_PASSPHRASE_MISSING'
  | 'SYSTEM_KEY_STORE_UNSAFE'
  | 'SYSTEM_KEY_STORE_UNAVAILABLE'
  | 'SYSTEM_KEY_STORE_OTHER';

/** A refusal of a key store. Carries no path and no key. */
export class KeyStoreError extends CodedError<KeyStoreCode> {}
