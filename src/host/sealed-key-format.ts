// A key file whose keys are sealed (AES-256-GCM) under a 32-byte data key, which itself is wrapped by a passphrase or by the
// operating system's key store (security.md E23). The seal covers how the data key is wrapped: the two do not part.
import { z } from 'zod';
import { fromBase64, fromUtf8, toBase64, utf8 } from '#base/bytes.ts';
import { openBytes, sealBytes } from '#federation/crypto/seal.ts';
import type { SiteKeys } from '#site/site.ts';
import { decodeSiteKeys, encodeSiteKeys } from './key-file-format.ts';
import { KeyStoreError } from './key-store-error.ts';

/** Which key stores of an operating system wrap a data key: Keychain, DPAPI, and on Linux those that keep a secret. */
export const systemBackends = [
  'keychain',
  'dpapi',
  'gnome_libsecret',
  'kwallet',
  'kwallet5',
  'kwallet6',
] as const;
export type SystemBackend = (typeof systemBackends)[number];

const bytes = (min: number, max: number) =>
  z
    .base64()
    .transform(fromBase64)
    .refine((value) => value.length >= min && value.length <= max);

const wrappingSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('passphrase'),
    scrypt: z.strictObject({ N: z.int(), r: z.int(), p: z.int(), salt: bytes(16, 16) }),
    sealedDataKey: bytes(60, 60),
  }),
  z.strictObject({
    kind: z.literal('system'),
    backend: z.enum(systemBackends),
    wrappedDataKey: bytes(1, 4096),
  }),
]);

/** How the data key is wrapped, and the wrapped key. */
export type DataKeyWrapping = z.infer<typeof wrappingSchema>;

const fileSchema = z.strictObject({
  format: z.literal('consilium-sealed-site-keys/v1'),
  wrapping: wrappingSchema,
  sealedKeys: bytes(28, 4 * 1024 * 1024),
});

export interface SealedKeyFile {
  readonly wrapping: DataKeyWrapping;
  readonly sealedKeys: Uint8Array;
}

/** Three ways to keep the keys of a site: in the clear in a 0600 file, under a passphrase, under the system's key store. */
export type KeyFileKind = 'key-file' | DataKeyWrapping['kind'];

/**
 * Stops a site from being opened another way than its keys are kept: the wrong store would report damage, or make new keys.
 * @throws KeyStoreError KEY_FILE_OTHER_KIND.
 */
export function refuseOtherKind(content: Uint8Array, expected: KeyFileKind): void {
  const found = kindOf(content);
  if (found === undefined || found === expected) return;
  throw new KeyStoreError('KEY_FILE_OTHER_KIND', 'The keys of this profile are kept another way.', {
    details: { expected, found },
  });
}

/** undefined for what is no key file. */
function kindOf(content: Uint8Array): KeyFileKind | undefined {
  try {
    const { format, wrapping } = JSON.parse(fromUtf8(content)) as {
      format?: unknown;
      wrapping?: { kind?: unknown };
    };
    if (format === 'consilium-site-keys/v1') return 'key-file';
    const kind = wrapping?.kind;
    return kind === 'passphrase' || kind === 'system' ? kind : undefined;
  } catch {
    return undefined;
  }
}

/** @throws KeyStoreError KEY_FILE_BROKEN, KEY_FILE_OTHER_KIND. */
export function decodeSealedKeyFile(content: Uint8Array, expected: DataKeyWrapping['kind']): SealedKeyFile {
  refuseOtherKind(content, expected);
  try {
    return fileSchema.parse(JSON.parse(fromUtf8(content)));
  } catch {
    throw broken();
  }
}

/** The file's bytes: `keys` sealed anew under `dataKey`. */
export function sealSiteKeys(keys: SiteKeys, dataKey: Uint8Array, wrapping: DataKeyWrapping): Uint8Array {
  const sealedKeys = sealBytes(dataKey, utf8(encodeSiteKeys(keys)), associatedData(wrapping));
  const file = {
    format: 'consilium-sealed-site-keys/v1',
    wrapping: plainWrapping(wrapping),
    sealedKeys: toBase64(sealedKeys),
  };
  return utf8(`${JSON.stringify(file, null, 2)}\n`);
}

/** @throws KeyStoreError KEY_FILE_BROKEN when any byte or the data key is another. */
export function openSiteKeys({ wrapping, sealedKeys }: SealedKeyFile, dataKey: Uint8Array): SiteKeys {
  try {
    return decodeSiteKeys(fromUtf8(openBytes(dataKey, sealedKeys, associatedData(wrapping))));
  } catch {
    throw broken();
  }
}

function associatedData(wrapping: DataKeyWrapping): Uint8Array {
  return utf8(`consilium/site-keys/v1\0${JSON.stringify(plainWrapping(wrapping))}`);
}

/** As JSON, its members in one order. */
function plainWrapping(wrapping: DataKeyWrapping) {
  if (wrapping.kind === 'system') {
    const { kind, backend, wrappedDataKey } = wrapping;
    return { kind, backend, wrappedDataKey: toBase64(wrappedDataKey) };
  }
  const { kind, scrypt, sealedDataKey } = wrapping;
  const { N, r, p, salt } = scrypt;
  return { kind, scrypt: { N, r, p, salt: toBase64(salt) }, sealedDataKey: toBase64(sealedDataKey) };
}

function broken(): KeyStoreError {
  return new KeyStoreError('KEY_FILE_BROKEN', 'The key file cannot be read as the sealed keys of a site.');
}
