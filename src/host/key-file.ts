// The file that holds a site's keys, as bytes: mode 0600, outside the profile, replaced whole. What is in it is its store's affair.
import { dirname, resolve } from 'node:path';
import { isInsideProfile } from '#base/key-file-location.ts';
import {
  loadPrivateFile,
  makePrivateFolder,
  type PrivateFileCode,
  PrivateFileError,
  savePrivateFile,
} from '#base/private-file.ts';
import { type KeyStoreCode, KeyStoreError } from './key-store-error.ts';

export interface KeyFile {
  /** undefined where there is none. @throws KeyStoreError. */
  load(): Uint8Array | undefined;
  /** @throws KeyStoreError. */
  save(bytes: Uint8Array): void;
}

export interface KeyFilePlace {
  readonly file: string;
  /** The profile folder that must not carry the file along when it is copied. */
  readonly profile: string;
}

/** What is wrong with the file, in the words of the key file. */
const refusals: Readonly<Record<PrivateFileCode, readonly [KeyStoreCode, string]>> = {
  PRIVATE_FILE_MODE: ['KEY_FILE_MODE', 'Other accounts may read or change the key file.'],
  PRIVATE_FILE_UNFIT: ['KEY_FILE_BROKEN', 'The key file is no plain file of a fitting size.'],
  PRIVATE_FILE_UNAVAILABLE: ['KEY_FILE_UNAVAILABLE', 'The key file cannot be opened or written.'],
};

/**
 * Neither the file nor its folder has to exist.
 * @throws KeyStoreError KEY_FILE_INSIDE_PROFILE when the file would be copied along with `profile`.
 */
export function openKeyFile({ file, profile }: KeyFilePlace): KeyFile {
  refuseInsideProfile(file, profile);
  return {
    load: () => {
      refuseInsideProfile(file, profile);
      return renamingRefusals(() => loadPrivateFile(file));
    },
    save: (bytes) => {
      refuseInsideProfile(file, profile);
      renamingRefusals(() => {
        makePrivateFolder(dirname(resolve(file)));
        savePrivateFile(file, bytes);
      });
    },
  };
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
