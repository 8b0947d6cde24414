// X25519 (RFC 7748): the key that updates are sealed to.
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { concatBytes, fromHex } from '#base/bytes.ts';
import { BugError } from '#base/coded-error.ts';
import { CryptoError } from '#federation/crypto/crypto-error.ts';
import { isHonestX25519Point } from '#federation/crypto/curve25519-points.ts';
import { keyIdOf } from '#federation/crypto/signing-key.ts';
import { parseSpki } from '#federation/crypto/spki.ts';

/** PKCS #8 (DER) of an X25519 private key up to its 32 bytes, RFC 8410 section 7. */
const PKCS8_PREFIX = fromHex('302e020100300506032b656e04220420');

export interface ReceivingKey {
  /** sha256 of `publicKey`, hexadecimal. */
  readonly keyId: string;
  /** SubjectPublicKeyInfo (DER). */
  readonly publicKey: Uint8Array;
  /** The private key, 32 bytes, for HPKE. Never written or sent. */
  readonly raw: Uint8Array;
}

/** The key of a 32-byte seed, which is the X25519 private key itself. */
export function createReceivingKey(seed: Uint8Array): ReceivingKey {
  if (seed.length !== 32) throw new BugError('an X25519 private key has 32 bytes');
  const key = Buffer.from(concatBytes(PKCS8_PREFIX, seed));
  const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  key.fill(0);
  const publicKey = new Uint8Array(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }));
  return { keyId: keyIdOf(publicKey), publicKey, raw: seed.slice() };
}

/**
 * The 32 bytes of an X25519 SubjectPublicKeyInfo. A point of small order would give a shared secret of zeros that
 * everyone knows.
 * @throws CryptoError BAD_KEY.
 */
export function verifyReceivingPublicKey(publicKey: Uint8Array): Uint8Array {
  const point = parseSpki('X25519', publicKey);
  if (!isHonestX25519Point(point)) {
    throw new CryptoError('BAD_KEY', 'The X25519 key is a non-canonical or small-order point.');
  }
  return point;
}
