// Ed25519 (RFC 8032), with the checks that the standard leaves open: no small-order or non-canonical point, S below L.
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { concatBytes, fromHex } from '#base/bytes.ts';
import { BugError } from '#base/coded-error.ts';
import { CryptoError } from '#federation/crypto/crypto-error.ts';
import { isCanonicalScalar, isHonestEd25519Point } from '#federation/crypto/curve25519-points.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { parseSpki } from '#federation/crypto/spki.ts';

/** PKCS #8 (DER) of an Ed25519 seed up to its 32 bytes, RFC 8410 section 7. */
const PKCS8_PREFIX = fromHex('302e020100300506032b657004220420');

/** A private key that signs and never shows itself. */
export interface SigningKey {
  /** sha256 of `publicKey`, hexadecimal. */
  readonly keyId: string;
  /** SubjectPublicKeyInfo (DER). */
  readonly publicKey: Uint8Array;
  /** 64 bytes. Deterministic. */
  sign(bytes: Uint8Array): Uint8Array;
}

/** The key of a 32-byte seed (the private key of RFC 8032). */
export function createSigningKey(seed: Uint8Array): SigningKey {
  if (seed.length !== 32) throw new BugError('an Ed25519 seed has 32 bytes');
  const privateKey = importPrivateKey(seed);
  const publicKey = new Uint8Array(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }));
  return {
    keyId: keyIdOf(publicKey),
    publicKey,
    sign: (bytes) => new Uint8Array(sign(null, bytes, privateKey)),
  };
}

/** How keys of every kind are named: sha256 of the SubjectPublicKeyInfo, hexadecimal. */
export function keyIdOf(publicKey: Uint8Array): string {
  return sha256Hex(publicKey);
}

/**
 * Checks that `publicKey` is an Ed25519 SubjectPublicKeyInfo of an honest point.
 * A key of small order would verify a signature over any message.
 * @throws CryptoError BAD_KEY.
 */
export function verifySigningPublicKey(publicKey: Uint8Array): void {
  if (!isHonestEd25519Point(parseSpki('Ed25519', publicKey))) {
    throw new CryptoError('BAD_KEY', 'The Ed25519 key is a non-canonical or small-order point.');
  }
}

/**
 * Checks `signature` over `bytes` by `publicKey` (SPKI).
 * @throws CryptoError BAD_SIGNATURE; BAD_KEY when the key itself is not to be used.
 */
export function verifySignature(publicKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array): void {
  verifySigningPublicKey(publicKey);
  const point = signature.subarray(0, 32);
  const scalar = signature.subarray(32);
  // S + L in place of S would make a second valid signature of the same message (malleability).
  const isWellFormed = isHonestEd25519Point(point) && isCanonicalScalar(scalar);
  if (!isWellFormed || !verify(null, bytes, importPublicKey(publicKey), signature)) {
    throw new CryptoError('BAD_SIGNATURE', 'The signature does not fit the bytes and the key.');
  }
}

function importPrivateKey(seed: Uint8Array): KeyObject {
  const key = Buffer.from(concatBytes(PKCS8_PREFIX, seed));
  try {
    return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  } finally {
    key.fill(0);
  }
}

function importPublicKey(publicKey: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
}
