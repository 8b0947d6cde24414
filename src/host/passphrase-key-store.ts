// The keys of a site under a passphrase: scrypt (RFC 7914; N = 2^17, r = 8, p = 1) opens the data key that seals them. For a node
// without a window, and the way out where the operating system keeps no secret (security.md E23).
import { fromUtf8 } from '#base/bytes.ts';
import { isCodedError } from '#base/coded-error.ts';
import { isInsideProfile } from '#base/key-file-location.ts';
import { loadPrivateFile } from '#base/private-file.ts';
import { unwrapSeed, wrapSeed } from '#federation/crypto/secret-wrap.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import type { KeyStore } from '#site/site.ts';
import { type KeyFilePlace, openKeyFile } from './key-file.ts';
import { KeyStoreError } from './key-store-error.ts';
import {
  type DataKeyWrapping,
  decodeSealedKeyFile,
  openSiteKeys,
  sealSiteKeys,
} from './sealed-key-format.ts';

/** Nobody types it daily, and whoever has a copy of the file may guess without limit. */
const minPassphraseLength = 12;
/** Bound to the wrapped key in the place of a person's name; no person's name has a control character. */
const wrappedName = '\u0000the data key of a site';

type PassphraseWrapping = Extract<DataKeyWrapping, { kind: 'passphrase' }>;
interface OpenedDataKey {
  readonly dataKey: Uint8Array;
  readonly wrapping: PassphraseWrapping;
}

/** @throws KeyStoreError KEY_FILE_INSIDE_PROFILE, KEY_PASSPHRASE_TOO_SHORT. */
export function createPassphraseKeyStore(place: KeyFilePlace & { readonly passphrase: string }): KeyStore {
  const { passphrase } = place;
  if ([...passphrase].length < minPassphraseLength) {
    throw new KeyStoreError('KEY_PASSPHRASE_TOO_SHORT', 'The passphrase of the key file is too short.', {
      details: { expected: minPassphraseLength },
    });
  }
  const keyFile = openKeyFile(place);
  let opened: OpenedDataKey | undefined;
  const open = (wrapping: PassphraseWrapping): OpenedDataKey => {
    opened ??= { dataKey: unwrapDataKey(wrapping, passphrase), wrapping };
    return opened;
  };
  const read = () => {
    const content = keyFile.load();
    return content === undefined ? undefined : decodeSealedKeyFile(content, 'passphrase');
  };
  return {
    load: () => {
      const file = read();
      if (file?.wrapping.kind !== 'passphrase') return undefined;
      return openSiteKeys(file, open(file.wrapping).dataKey);
    },
    save: (keys) => {
      // Over a file that is there only with its own passphrase: another one would lock its owner out.
      const wrapping = read()?.wrapping;
      if (wrapping?.kind === 'passphrase') open(wrapping);
      opened ??= makeDataKey(passphrase);
      keyFile.save(sealSiteKeys(keys, opened.dataKey, opened.wrapping));
    },
  };
}

/**
 * The passphrase in a file of mode 0600, without the line's end. For services: such a file may lie in memory or come from the
 * service manager's credentials.
 * @throws KeyStoreError KEY_PASSPHRASE_MISSING, KEY_FILE_INSIDE_PROFILE; PrivateFileError.
 */
export function readPassphraseFile(file: string, profile: string): string {
  if (isInsideProfile(file, profile))
    throw new KeyStoreError(
      'KEY_FILE_INSIDE_PROFILE',
      'The passphrase must not be copied along with the profile.',
    );
  const content = loadPrivateFile(file);
  const passphrase = content === undefined ? '' : fromUtf8(content).replace(/\r?\n$/, '');
  if (passphrase === '')
    throw new KeyStoreError('KEY_PASSPHRASE_MISSING', 'The passphrase file is missing or empty.');
  return passphrase;
}

function makeDataKey(passphrase: string): OpenedDataKey {
  const dataKey = systemRandom(32);
  const { scrypt, sealedSeed } = wrapSeed(dataKey, passphrase, wrappedName);
  return { dataKey, wrapping: { kind: 'passphrase', scrypt, sealedDataKey: sealedSeed } };
}

function unwrapDataKey({ scrypt, sealedDataKey }: PassphraseWrapping, passphrase: string): Uint8Array {
  try {
    return unwrapSeed({ name: wrappedName, scrypt, sealedSeed: sealedDataKey }, passphrase);
  } catch (error) {
    if (isCodedError(error, 'WRONG_SECRET'))
      throw new KeyStoreError('KEY_PASSPHRASE_WRONG', 'The passphrase does not open the key file.');
    if (isCodedError(error, 'BAD_KEY'))
      throw new KeyStoreError('KEY_FILE_BROKEN', 'The key file is wrapped with weaker parameters than ours.');
    throw error;
  }
}
