// The key of a de-identification run, in a file of its own: 32 random bytes that no other account may read. Without it the link from
// pseudonyms back to patients is gone for good; with it the same patients get the same pseudonyms again.
import { loadPrivateFile, savePrivateFile } from '#base/private-file.ts';
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
