// SubjectPublicKeyInfo (DER) of Curve25519 keys, RFC 8410 section 4: a fixed prefix and the 32 bytes of the key.
import { concatBytes, equalBytes, fromHex } from '#base/bytes.ts';
import { CryptoError } from '#federation/crypto/crypto-error.ts';

/** DER up to the key bytes: SEQUENCE { SEQUENCE { OID 1.3.101.112 or 1.3.101.110 }, BIT STRING }. */
const PREFIX = {
  Ed25519: fromHex('302a300506032b6570032100'),
  X25519: fromHex('302a300506032b656e032100'),
} as const;

export type Curve = keyof typeof PREFIX;

/** SPKI of a 32-byte key. */
export function encodeSpki(curve: Curve, key: Uint8Array): Uint8Array {
  return concatBytes(PREFIX[curve], key);
}

/** The 32 bytes of a key. @throws CryptoError BAD_KEY on any other structure, length or curve. */
export function parseSpki(curve: Curve, publicKey: Uint8Array): Uint8Array {
  const prefix = PREFIX[curve];
  if (publicKey.length !== prefix.length + 32 || !equalBytes(publicKey.subarray(0, prefix.length), prefix)) {
    throw new CryptoError('BAD_KEY', 'The public key is not of the expected kind.', {
      details: { expected: curve },
    });
  }
  return publicKey.slice(prefix.length);
}
