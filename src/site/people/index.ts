// The people stage: keys, accounts, roles.

export {
  type Credentials,
  MIN_SECRET_LENGTH,
  openPeople,
  type People,
  type PeopleOptions,
  type Person,
  type PersonKey,
} from './people.ts';
export { type PeopleCode, PeopleError } from './people-error.ts';
export { createSiteKeys, type RandomBytes } from './site-keys.ts';
