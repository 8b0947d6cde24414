// The keys of a site under a data key that the operating system's key store wraps (security.md E23). Only Electron's main process
// reaches that key store: it unwraps the data key and hands it in; this store never sees a way around it.
import { equalBytes } from '#base/bytes.ts';
import type { KeyStore } from '#site/site.ts';
import { type KeyFilePlace, openKeyFile } from './key-file.ts';
import {
  type DataKeyWrapping,
  decodeSealedKeyFile,
  openSiteKeys,
  sealSiteKeys,
} from './sealed-key-format.ts';

export type SystemWrapping = Extract<DataKeyWrapping, { kind: 'system' }>;

/** A data key in memory, with how it is wrapped on disk. */
export interface SystemDataKey {
  /** 32 bytes. */
  readonly dataKey: Uint8Array;
  readonly wrapping: SystemWrapping;
}

/** How the data key of an existing key file is wrapped; undefined where there is no file yet. @throws KeyStoreError. */
export function readSystemWrapping(place: KeyFilePlace): SystemWrapping | undefined {
  const content = openKeyFile(place).load();
  if (content === undefined) return undefined;
  const { wrapping } = decodeSealedKeyFile(content, 'system');
  return wrapping.kind === 'system' ? wrapping : undefined;
}

/** @throws KeyStoreError KEY_FILE_INSIDE_PROFILE. */
export function createSystemKeyStore(place: KeyFilePlace, { dataKey, wrapping }: SystemDataKey): KeyStore {
  const keyFile = openKeyFile(place);
  const save: KeyStore['save'] = (keys) => keyFile.save(sealSiteKeys(keys, dataKey, wrapping));
  return {
    load: () => {
      const content = keyFile.load();
      if (content === undefined) return undefined;
      const file = decodeSealedKeyFile(content, 'system');
      const keys = openSiteKeys(file, dataKey);
      // The system renewed its own key: the old wrapping may stop opening.
      if (
        file.wrapping.kind === 'system' &&
        !equalBytes(file.wrapping.wrappedDataKey, wrapping.wrappedDataKey)
      )
        save(keys);
      return keys;
    },
    save,
  };
}
