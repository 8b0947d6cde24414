// Refusals of the people stage.
import { CodedError } from '#base/coded-error.ts';

export type PeopleCode =
  | 'BAD_PERSON_NAME'
  | 'KEYS_MISSING'
  | 'PERSON_EXISTS'
  | 'PERSON_KEY_MISSING'
  | 'SECRET_TOO_SHORT'
  | 'SIGN_IN_LOCKED'
  | 'SIGN_IN_REFUSED';

export class PeopleError extends CodedError<PeopleCode> {}
