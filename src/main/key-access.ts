// How the desktop app reaches the keys of its site: by the managed policy's choice, and without one by the system's key store. The main
// process decides and unwraps; the site's process gets what it needs to open its key store and nothing to decide.
import { createFileKeyStore, siteKeyFile } from '#host/file-key-store.ts';
import type { ManagedPolicy } from '#host/managed-policy.ts';
import { createPassphraseKeyStore, readPassphraseFile } from '#host/passphrase-key-store.ts';
import { createSystemKeyStore, readSystemWrapping, type SystemDataKey } from '#host/system-key-store.ts';
import type { KeyStore } from '#site/site.ts';
import { type AsyncSafeStorage, openSystemDataKey } from './system-data-key.ts';

export type KeyAccess =
  | { readonly kind: 'system'; readonly held: SystemDataKey }
  | { readonly kind: 'key-file'; readonly file: string }
  | { readonly kind: 'passphrase'; readonly passphraseFile: string };

export interface KeyAccessOptions {
  readonly profile: string;
  readonly choice: ManagedPolicy['keyStore'];
  readonly safeStorage: AsyncSafeStorage;
  readonly platform: NodeJS.Platform;
}

/** In the main process. @throws KeyStoreError where the system's key store is chosen and keeps no secret. */
export async function resolveKeyAccess(options: KeyAccessOptions): Promise<KeyAccess> {
  const { profile, choice = { kind: 'system' }, safeStorage, platform } = options;
  if (choice.kind !== 'system') return choice;
  const wrapping = readSystemWrapping({ file: siteKeyFile(profile), profile });
  return { kind: 'system', held: await openSystemDataKey({ safeStorage, platform, wrapping }) };
}

/** In the site's process. @throws KeyStoreError, PrivateFileError. */
export function openKeyStore(access: KeyAccess, profile: string): KeyStore {
  if (access.kind === 'key-file') return createFileKeyStore({ file: access.file, profile });
  const place = { file: siteKeyFile(profile), profile };
  if (access.kind === 'system') return createSystemKeyStore(place, access.held);
  return createPassphraseKeyStore({
    ...place,
    passphrase: readPassphraseFile(access.passphraseFile, profile),
  });
}
