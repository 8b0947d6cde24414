// The keys of a site in one 0600 JSON file outside the profile: a copied profile does not open elsewhere (security.md E23).
import { dirname, resolve } from 'node:path';
import { fromUtf8, utf8 } from '#base/bytes.ts';
import { CodedError } from '#base/coded-error.ts';
import { defaultKeyFile, isInsideProfile } from '#base/key-file-location.ts';
import {
  loadPrivateFile,
  makePrivateFolder,
  type PrivateFileCode,
  PrivateFileError,
  savePrivateFile,
} from '#base/private-file.ts';
import type { KeyStore, SiteKeys } from '#site/site.ts';
import { decodeSiteKeys, encodeSiteKeys } from './key-file-format.ts';

export type KeyStoreCode =
  | 'KEY_FILE_MODE'
  | 'KEY_FILE_INSIDE_PROFILE'
  | 'KEY_FILE_BROKEN'
  | 'KEY_FILE_UNAVAILABLE';

/** A refusal of the key file. Carries no path. */
export class KeyStoreError extends CodedError<KeyStoreCode> {}

/** What is wrong with the file, in the words of the key file. */
const refusals: Readonly<Record<PrivateFileCode, readonly [KeyStoreCode, string]>> = {
  PRIVATE_FILE_MODE: ['KEY_FILE_MODE', 'Other accounts may read or change the key file.'],
  PRIVATE_FILE_UNFIT: ['KEY_FILE_BROKEN', 'The key file is no plain file of a fitting size.'],
  PRIVATE_FILE_UNAVAILABLE: ['KEY_FILE_UNAVAILABLE', 'The key file cannot be opened or written.'],
};

/** The key file of a site's profile where none is named. */
export function siteKeyFile(profile: string): string {
  return defaultKeyFile(profile, 'keys.json');
}

/**
 * Opens the key store in `file`; neither the file nor its folder has to exist.
 * @throws KeyStoreError KEY_FILE_INSIDE_PROFILE when the file would be copied along with `profile`.
 */
export function createFileKeyStore({
  file,
  profile,
}: {
  readonly file: string;
  readonly profile: string;
}): KeyStore {
  refuseInsideProfile(file, profile);
  return {
    load: () => {
      refuseInsideProfile(file, profile);
      const bytes = renamingRefusals(() => loadPrivateFile(file));
      return bytes === undefined ? undefined : parseKeyFile(bytes);
    },
    save: (keys: SiteKeys) => {
      refuseInsideProfile(file, profile);
      renamingRefusals(() => {
        makePrivateFolder(dirname(resolve(file)));
        savePrivateFile(file, utf8(encodeSiteKeys(keys)));
      });
    },
  };
}

function parseKeyFile(bytes: Uint8Array): SiteKeys {
  try {
    return decodeSiteKeys(fromUtf8(bytes));
  } catch {
    // The cause is left out: a JSON error quotes the text it stumbled on, and this text is keys.
    throw new KeyStoreError('KEY_FILE_BROKEN', 'The key file cannot be read as the keys of a site.');
  }
}

/** Stops a copy of the profile from carrying its own keys. */
function refuseInsideProfile(file: string, profile: string): void {
  if (isInsideProfile(file, profile))
    throw new KeyStoreError('KEY_FILE_INSIDE_PROFILE', 'The key file must lie outside the profile folder.');
}

function renamingRefusals<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof PrivateFileError)) throw error;
    const [code, message] = refusals[error.code];
    throw new KeyStoreError(code, message, { details: error.details });
  }
}
