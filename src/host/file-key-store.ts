// The keys of a site in one 0600 JSON file outside the profile: a copied profile does not open elsewhere (security.md E23).
import { fromUtf8, utf8 } from '#base/bytes.ts';
import { defaultKeyFile } from '#base/key-file-location.ts';
import type { KeyStore } from '#site/site.ts';
import { type KeyFilePlace, openKeyFile } from './key-file.ts';
import { decodeSiteKeys, encodeSiteKeys } from './key-file-format.ts';
import { KeyStoreError } from './key-store-error.ts';
import { refuseOtherKind } from './sealed-key-format.ts';

/** The key file of a site's profile where none is named. */
export function siteKeyFile(profile: string): string {
  return defaultKeyFile(profile, 'keys.json');
}

/** @throws KeyStoreError KEY_FILE_INSIDE_PROFILE when the file would be copied along with the profile. */
export function createFileKeyStore(place: KeyFilePlace): KeyStore {
  const keyFile = openKeyFile(place);
  return {
    load: () => {
      const bytes = keyFile.load();
      if (bytes === undefined) return undefined;
      refuseOtherKind(bytes, 'key-file');
      try {
        return decodeSiteKeys(fromUtf8(bytes));
      } catch {
        // The cause is left out: a JSON error quotes the text it stumbled on, and this text is keys.
        throw new KeyStoreError('KEY_FILE_BROKEN', 'The key file cannot be read as the keys of a site.');
      }
    },
    save: (keys) => keyFile.save(utf8(encodeSiteKeys(keys))),
  };
}
