// What the doctor needs to know of a profile, read beside a process that may hold it: nothing is written, locked or migrated.
import { existsSync } from 'node:fs';
import { lockProfile } from '#base/profile-lock.ts';
import { consortiumOf, consortiumSettingsOf } from '#site/agreement/index.ts';
import type { SitePorts } from '#site/ports.ts';
import { openStoreReader, type Store } from '#site/store/index.ts';
import { loadEngineSettings } from './engine-settings.ts';
import { SiteError } from './site-error.ts';
import { loadSiteName } from './site-overview.ts';
import { storeFile } from './site-profile.ts';

export interface SiteDiagnosis {
  readonly name: string;
  /** Null before enrolment. */
  readonly consortium: {
    readonly name: string;
    /** Base address, https. */
    readonly url: string;
    /** sha256 of its certificate (DER), lower-case hexadecimal. */
    readonly certificateDigest: string;
  } | null;
  readonly engineSettings: ReturnType<typeof loadEngineSettings>;
}

/** @throws SiteError NOT_INITIALISED, PROFILE_WITHOUT_KEYS; KeyStoreError of the port; DatabaseError DATABASE_UNREADABLE. */
export function diagnoseSite({
  paths,
  keyStore,
  clock,
}: Pick<SitePorts, 'paths' | 'keyStore' | 'clock'>): SiteDiagnosis {
  const file = storeFile(paths.profile);
  const keys = keyStore.load();
  if (!existsSync(file)) throw new SiteError('NOT_INITIALISED', 'There is no site in this profile yet.');
  if (keys === undefined) {
    const message = 'The profile has a store, but its key file is not there.';
    throw new SiteError('PROFILE_WITHOUT_KEYS', message);
  }
  const store = openStoreReader({ file, key: keys.storeKey, clock });
  try {
    return readDiagnosis(store);
  } finally {
    store.close();
  }
}

function readDiagnosis(store: Store): SiteDiagnosis {
  const settings = consortiumSettingsOf(store);
  return {
    name: loadSiteName(store) ?? '',
    consortium:
      settings === undefined
        ? null
        : {
            name: consortiumOf(store) ?? '',
            url: settings.url,
            certificateDigest: settings.certificateDigest,
          },
    engineSettings: loadEngineSettings(store),
  };
}

/** Whether no process holds the profile at this moment. */
export function isProfileFree(profile: string): boolean {
  const lock = lockProfile(profile);
  lock?.release();
  return lock !== undefined;
}
