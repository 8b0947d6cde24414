// A person's private key under the person's own secret: scrypt (RFC 7914) makes the key, AES-256-GCM seals the seed.
import { scryptSync } from 'node:crypto';
import { utf8 } from '#base/bytes.ts';
import { isCodedError } from '#base/coded-error.ts';
import { CryptoError } from '#federation/crypto/crypto-error.ts';
import { openBytes, sealBytes } from '#federation/crypto/seal.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';

/** One guess costs 128 MiB and about 0.6 s. */
const COST = { N: 2 ** 17, r: 8, p: 1 } as const;
const MAX_MEMORY_BYTES = 256 * 1024 * 1024;

/** A wrapped 32-byte seed as the key store keeps it. */
export interface WrappedPersonKey {
  readonly name: string;
  readonly scrypt: { readonly N: number; readonly r: number; readonly p: number; readonly salt: Uint8Array };
  /** Nonce (12) then ciphertext and tag (48). */
  readonly sealedSeed: Uint8Array;
}

/** Wraps `seed` (32 bytes) under `secret`; the person's name is bound to it. */
export function wrapSeed(seed: Uint8Array, secret: string, name: string): WrappedPersonKey {
  const scrypt = { ...COST, salt: systemRandom(16) };
  return { name, scrypt, sealedSeed: sealBytes(deriveKey(secret, scrypt.salt), seed, associatedData(name)) };
}

/** The seed. @throws CryptoError WRONG_SECRET; BAD_KEY when the parameters are not ours (a weaker cost is a downgrade). */
export function unwrapSeed({ name, scrypt, sealedSeed }: WrappedPersonKey, secret: string): Uint8Array {
  if (scrypt.N !== COST.N || scrypt.r !== COST.r || scrypt.p !== COST.p) {
    throw new CryptoError(
      'BAD_KEY',
      'The key is wrapped with other scrypt parameters than this release uses.',
      {
        details: { expected: COST, found: { N: scrypt.N, r: scrypt.r, p: scrypt.p } },
      },
    );
  }
  try {
    return openBytes(deriveKey(secret, scrypt.salt), sealedSeed, associatedData(name));
  } catch (error) {
    if (isCodedError(error, 'DECRYPT_FAILED'))
      throw new CryptoError('WRONG_SECRET', 'The secret does not open the key.');
    throw error;
  }
}

/** The same characters typed on another keyboard are the same secret: Unicode NFC (RFC 8265 section 4.2). */
function deriveKey(secret: string, salt: Uint8Array): Uint8Array {
  return scryptSync(utf8(secret.normalize('NFC')), salt, 32, { ...COST, maxmem: MAX_MEMORY_BYTES });
}

function associatedData(name: string): Uint8Array {
  return utf8(`consilium/person-key/v1\0${name}`);
}
