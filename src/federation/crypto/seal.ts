// AES-256-GCM (NIST SP 800-38D) for what rests at a site: nonce (12) then ciphertext then tag (16).
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { concatBytes } from '#base/bytes.ts';
import { CryptoError } from '#federation/crypto/crypto-error.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seals under a 32-byte key and a random nonce; one key serves far fewer than the 2^32 messages that random nonces allow.
 * `aad` says what the bytes are and where they belong, so that they do not open elsewhere.
 */
export function sealBytes(key: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Uint8Array {
  const nonce = systemRandom(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyObjectOf(key), nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(aad);
  const ciphertext = cipher.update(plaintext);
  return concatBytes(nonce, ciphertext, cipher.final(), cipher.getAuthTag());
}

/** @throws CryptoError DECRYPT_FAILED when key, `aad` or any byte is another. */
export function openBytes(key: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Uint8Array {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) throw failed();
  const end = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv('aes-256-gcm', keyObjectOf(key), sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(end));
  const plaintext = decipher.update(sealed.subarray(NONCE_BYTES, end));
  try {
    return concatBytes(plaintext, decipher.final());
  } catch (cause) {
    throw failed(cause);
  }
}

/** By the array that holds the key: making one takes three times as long as sealing a name. Arrays of keys are never written to. */
const keyObjects = new WeakMap<Uint8Array, KeyObject>();

function keyObjectOf(key: Uint8Array): KeyObject {
  const known = keyObjects.get(key);
  if (known !== undefined) return known;
  const made = createSecretKey(key);
  keyObjects.set(key, made);
  return made;
}

function failed(cause?: unknown): CryptoError {
  return new CryptoError('DECRYPT_FAILED', 'The sealed bytes do not open with this key.', { cause });
}
