// Refusals of the profile folder, its lock and the key file. They carry no path.
import { CodedError } from '#base/coded-error.ts';

export type ProfileCode =
  | 'PROFILE_EXISTS'
  | 'PROFILE_MISSING'
  | 'PROFILE_IN_USE'
  | 'CONSORTIUM_KEYS_MISSING'
  | 'CONSORTIUM_KEYS_BROKEN'
  | 'CONSORTIUM_KEYS_EXIST'
  | 'CONSORTIUM_KEYS_INSIDE_PROFILE';

export class ProfileError extends CodedError<ProfileCode> {}
