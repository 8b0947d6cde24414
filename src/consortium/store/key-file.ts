// The consortium's keys in one 0600 file outside the profile: a copied profile does not open elsewhere (security.md E23).
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fromUtf8, utf8 } from '#base/bytes.ts';
import { isCodedError } from '#base/coded-error.ts';
import { isInsideProfile } from '#base/key-file-location.ts';
import { loadPrivateFile, makePrivateFolder, savePrivateFile } from '#base/private-file.ts';
import { type ConsortiumKeys, encodeConsortiumKeys, parseConsortiumKeys } from './consortium-keys.ts';
import { ProfileError } from './profile-error.ts';

/**
 * @throws ProfileError CONSORTIUM_KEYS_MISSING, CONSORTIUM_KEYS_BROKEN, CONSORTIUM_KEYS_INSIDE_PROFILE; PrivateFileError
 * PRIVATE_FILE_MODE, PRIVATE_FILE_UNAVAILABLE.
 */
export function loadConsortiumKeys(file: string, profile: string): ConsortiumKeys {
  refuseInsideProfile(file, profile);
  const bytes = loadKeyBytes(file);
  if (bytes === undefined)
    throw new ProfileError('CONSORTIUM_KEYS_MISSING', 'The key file of this consortium is not there.');
  try {
    return parseConsortiumKeys(fromUtf8(bytes));
  } catch {
    // The cause is left out: a JSON error quotes the text it stumbled on, and this text is keys.
    throw brokenKeys();
  }
}

/**
 * Writes the keys of a new consortium.
 * @throws ProfileError CONSORTIUM_KEYS_EXIST: keys are never overwritten; CONSORTIUM_KEYS_INSIDE_PROFILE; PrivateFileError
 * PRIVATE_FILE_MODE, PRIVATE_FILE_UNAVAILABLE.
 */
export function saveConsortiumKeys(file: string, profile: string, keys: ConsortiumKeys): void {
  refuseInsideProfile(file, profile);
  makePrivateFolder(dirname(resolve(file)));
  if (existsSync(file))
    throw new ProfileError('CONSORTIUM_KEYS_EXIST', 'There is a key file already; it is not overwritten.');
  savePrivateFile(file, utf8(encodeConsortiumKeys(keys)));
}

function loadKeyBytes(file: string): Uint8Array | undefined {
  try {
    return loadPrivateFile(file);
  } catch (error) {
    throw isCodedError(error, 'PRIVATE_FILE_UNFIT') ? brokenKeys() : error;
  }
}

function brokenKeys(): ProfileError {
  return new ProfileError(
    'CONSORTIUM_KEYS_BROKEN',
    'The key file cannot be read as the keys of a consortium.',
  );
}

function refuseInsideProfile(file: string, profile: string): void {
  if (!isInsideProfile(file, profile)) return;
  throw new ProfileError(
    'CONSORTIUM_KEYS_INSIDE_PROFILE',
    'The key file must lie outside the profile folder.',
  );
}
