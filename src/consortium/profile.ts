// Opens the consortium of a profile folder: keys from outside the folder, the store and the lock inside.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, systemClock } from '#base/clock.ts';
import { defaultKeyFile } from '#base/key-file-location.ts';
import { createLogger, type Logger } from '#base/logger.ts';
import { lockProfile, type ProfileLock } from '#base/profile-lock.ts';
import type { ConsortiumPorts } from './ports.ts';
import { loadConsortiumKeys } from './store/key-file.ts';
import { ProfileError } from './store/profile-error.ts';

export interface ProfileOptions {
  readonly profile: string;
  /** Key file, outside the profile; a file of its own under the user's configuration folder where it is not said. */
  readonly keyFile?: string | undefined;
  readonly clock?: Clock | undefined;
  readonly logger?: Logger | undefined;
}

/** Name of the store in a profile. */
export function storeFileOf(profile: string): string {
  return join(profile, 'consortium.db');
}

export function keyFileOf({ profile, keyFile }: ProfileOptions): string {
  return keyFile ?? defaultKeyFile(profile, 'consortium-keys.json');
}

/** @throws ProfileError PROFILE_MISSING. */
export function requireProfile(profile: string): void {
  if (existsSync(storeFileOf(profile))) return;
  throw new ProfileError('PROFILE_MISSING', 'There is no consortium in this profile; make one with init.');
}

/** @throws ProfileError PROFILE_IN_USE. */
export function requireLock(profile: string): ProfileLock {
  const lock = lockProfile(profile);
  if (lock !== undefined) return lock;
  throw new ProfileError('PROFILE_IN_USE', 'Another process holds this profile.');
}

/** What openConsortium needs. @throws ProfileError of the key file. */
export function loadPorts(options: ProfileOptions): ConsortiumPorts {
  return {
    storeFile: storeFileOf(options.profile),
    keys: loadConsortiumKeys(keyFileOf(options), options.profile),
    clock: options.clock ?? systemClock,
    logger: options.logger ?? createLogger('consortium'),
  };
}
