// The key of a de-identification run, in a file of its own: 32 random bytes that no other account may read. Without it the link from
// pseudonyms back to patients is gone for good; with it the same patients get the same pseudonyms again.
import { utf8 } from '#base/bytes.ts';
import { loadPrivateFile, savePrivateFile } from '#base/private-file.ts';
import { hmacSha256 } from '#federation/crypto/digest.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import { DeidentifyFolderError } from './deidentify-folder-error.ts';

const keyBytes = 32;

/**
 * The key in `file`; makes both where the file is missing.
 * @throws DeidentifyFolderError UNFIT_KEY_FILE; PrivateFileError.
 */
export function loadOrMakeDeidentifyKey(file: string): Uint8Array {
  const stored = loadPrivateFile(file);
  if (stored === undefined) {
    const key = systemRandom(keyBytes);
    savePrivateFile(file, key);
    return key;
  }
  // Attack: an empty or well-known file as the key: pseudonyms that anybody can work out.
  if (stored.length !== keyBytes || new Set(stored).size < 8)
    throw new DeidentifyFolderError('UNFIT_KEY_FILE', 'The key file does not hold 32 random bytes.');
  return stored;
}

/**
 * The key of a site's copies: the same patients get the same pseudonyms in each, and others than in the site's store, whose subject
 * ids never leave it.
 */
export function deriveDeidentifyKey(subjectKey: Uint8Array): Uint8Array {
  return hmacSha256(subjectKey, utf8('deidentified-copy'));
}
