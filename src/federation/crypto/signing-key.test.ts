import { describe, expect, it } from 'vitest';
import { concatBytes, fromHex, toHex, utf8 } from '#base/bytes.ts';
import { createSigningKey, verifySignature, verifySigningPublicKey } from '#federation/crypto/signing-key.ts';
import { encodeSpki, parseSpki } from '#federation/crypto/spki.ts';

const key = createSigningKey(new Uint8Array(32).fill(1));
const message = utf8('an update');
const signature = key.sign(message);

const FIELD = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

/** 32 bytes, little-endian. */
function bytesOf(value: bigint): Uint8Array {
  return fromHex(value.toString(16).padStart(64, '0')).reverse();
}

const integerOf = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(bytes.slice().reverse())}`);

// Encodings of the points of order 1, 2, 4 and 8, with either sign bit, and those that are not below p (y + p).
const orderEight = [
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
];
const smallOrder = [0n, 1n, FIELD - 1n, ...orderEight.map((hex) => integerOf(fromHex(hex)))];
const weakPoints = [...smallOrder, FIELD, FIELD + 1n, FIELD + 18n].flatMap((y) => [y, y + 2n ** 255n]);

describe('an Ed25519 key', () => {
  it('signs what it verifies, and only that', () => {
    expect(() => verifySignature(key.publicKey, message, signature)).not.toThrow();
    expect(() => verifySignature(key.publicKey, utf8('an Update'), signature)).toThrow(
      expect.objectContaining({ code: 'BAD_SIGNATURE' }),
    );
  });

  it('does not verify under another key', () => {
    const other = createSigningKey(new Uint8Array(32).fill(2));
    expect(() => verifySignature(other.publicKey, message, signature)).toThrow(
      expect.objectContaining({ code: 'BAD_SIGNATURE' }),
    );
  });

  it('refuses a seed of another length', () => {
    expect(() => createSigningKey(new Uint8Array(31))).toThrow(expect.objectContaining({ code: 'BUG' }));
  });
});

describe('E18: weak Ed25519 points and scalars', () => {
  it.each(weakPoints.map((y) => [toHex(bytesOf(y))]))('the public key %s is BAD_KEY', (hex) => {
    const publicKey = encodeSpki('Ed25519', fromHex(hex));
    expect(() => verifySigningPublicKey(publicKey)).toThrow(expect.objectContaining({ code: 'BAD_KEY' }));
    expect(() => verifySignature(publicKey, message, signature)).toThrow(
      expect.objectContaining({ code: 'BAD_KEY' }),
    );
  });

  it('the signature that fits every message under the neutral element is BAD_KEY', () => {
    // With A neutral, [S]B = R + [k]A says [S]B = R, whatever the message: R = B and S = 1. Not every platform minds.
    const base = fromHex(`58${'66'.repeat(31)}`);
    const forged = concatBytes(base, bytesOf(1n));
    expect(() => verifySignature(encodeSpki('Ed25519', bytesOf(1n)), utf8('any text'), forged)).toThrow(
      expect.objectContaining({ code: 'BAD_KEY' }),
    );
  });

  it.each(weakPoints.map((y) => [toHex(bytesOf(y))]))('a signature with R = %s is BAD_SIGNATURE', (hex) => {
    const changed = concatBytes(fromHex(hex), signature.subarray(32));
    expect(() => verifySignature(key.publicKey, message, changed)).toThrow(
      expect.objectContaining({ code: 'BAD_SIGNATURE' }),
    );
  });

  it.each([
    ['S + L', (s: bigint) => s + ORDER],
    ['L', () => ORDER],
    ['all ones', () => 2n ** 256n - 1n],
  ])('a signature with S = %s is BAD_SIGNATURE', (_name, change) => {
    const scalar = bytesOf(change(integerOf(signature.subarray(32))));
    const changed = concatBytes(signature.subarray(0, 32), scalar);
    expect(() => verifySignature(key.publicKey, message, changed)).toThrow(
      expect.objectContaining({ code: 'BAD_SIGNATURE' }),
    );
  });

  it.each([0, 63, 65, 128])('a signature of %i bytes is BAD_SIGNATURE', (length) => {
    const changed = concatBytes(signature, signature).slice(0, length);
    expect(() => verifySignature(key.publicKey, message, changed)).toThrow(
      expect.objectContaining({ code: 'BAD_SIGNATURE' }),
    );
  });

  it.each([
    ['an X25519 key', () => encodeSpki('X25519', parseSpki('Ed25519', key.publicKey))],
    ['a key with a byte more', () => concatBytes(key.publicKey, new Uint8Array(1))],
    ['a key without its structure', () => parseSpki('Ed25519', key.publicKey)],
    ['nothing', () => new Uint8Array()],
  ])('%s is BAD_KEY', (_name, publicKey) => {
    expect(() => verifySignature(publicKey(), message, signature)).toThrow(
      expect.objectContaining({ code: 'BAD_KEY' }),
    );
  });
});
