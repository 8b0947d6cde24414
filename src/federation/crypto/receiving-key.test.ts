import { createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { concatBytes, fromHex, toHex } from '#base/bytes.ts';
import { createReceivingKey, verifyReceivingPublicKey } from '#federation/crypto/receiving-key.ts';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import { encodeSpki } from '#federation/crypto/spki.ts';

const FIELD = 2n ** 255n - 19n;
const bytesOf = (value: bigint): Uint8Array => fromHex(value.toString(16).padStart(64, '0')).reverse();
const hexOf = (value: bigint): string => toHex(bytesOf(value));

const smallOrder = [
  hexOf(0n),
  hexOf(1n),
  hexOf(FIELD - 1n),
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
];
const nonCanonical = [FIELD, FIELD + 1n, FIELD + 9n, 2n ** 255n - 1n, 2n ** 255n + 9n].map(hexOf);

describe('E18: X25519 keys', () => {
  it.each([...smallOrder, ...nonCanonical].map((hex) => [hex]))('%s is BAD_KEY', (hex) => {
    expect(() => verifyReceivingPublicKey(encodeSpki('X25519', fromHex(hex)))).toThrow(
      expect.objectContaining({ code: 'BAD_KEY' }),
    );
  });

  it.each(smallOrder.map((hex) => [hex]))('the platform agrees that %s gives no secret', (hex) => {
    const pkcs8 = concatBytes(fromHex('302e020100300506032b656e04220420'), new Uint8Array(32).fill(9));
    const privateKey = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
    const publicKey = createPublicKey({
      key: Buffer.from(encodeSpki('X25519', fromHex(hex))),
      format: 'der',
      type: 'spki',
    });
    expect(() => diffieHellman({ privateKey, publicKey })).toThrow();
  });

  it('takes an honest key and gives its 32 bytes', () => {
    const { publicKey } = createReceivingKey(new Uint8Array(32).fill(3));
    expect(verifyReceivingPublicKey(publicKey)).toEqual(publicKey.slice(-32));
  });

  it('does not take a signing key', () => {
    const { publicKey } = createSigningKey(new Uint8Array(32).fill(3));
    expect(() => verifyReceivingPublicKey(publicKey)).toThrow(expect.objectContaining({ code: 'BAD_KEY' }));
  });
});
