import { beforeAll, describe, expect, it } from 'vitest';
import { concatBytes, fromHex, utf8 } from '#base/bytes.ts';
import { CHUNK_BYTES, type HpkeSealed, openChunks, sealChunks } from '#federation/crypto/hpke.ts';
import { createReceivingKey } from '#federation/crypto/receiving-key.ts';
import { encodeSpki } from '#federation/crypto/spki.ts';

const key = createReceivingKey(new Uint8Array(32).fill(5));
const info = utf8('purpose and header');
const SEALED_CHUNK_BYTES = CHUNK_BYTES + 16;

describe('sealing in chunks', () => {
  it.each([0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES])(
    'gives back %i bytes',
    async (length) => {
      const plaintext = new Uint8Array(length).fill(7);
      const sealed = await sealChunks(key.publicKey, info, plaintext);
      expect(sealed.ciphertext).toHaveLength(length + 16 * Math.max(1, Math.ceil(length / CHUNK_BYTES)));
      expect(Buffer.compare(await openChunks(key, info, sealed), plaintext)).toBe(0);
    },
  );

  it('never gives the same ciphertext twice', async () => {
    const first = await sealChunks(key.publicKey, info, utf8('same'));
    const second = await sealChunks(key.publicKey, info, utf8('same'));
    expect(first.enc).not.toEqual(second.enc);
    expect(first.ciphertext).not.toEqual(second.ciphertext);
  });

  it('refuses to seal to a key of small order', async () => {
    await expect(sealChunks(encodeSpki('X25519', new Uint8Array(32)), info, utf8('x'))).rejects.toMatchObject(
      {
        code: 'BAD_KEY',
      },
    );
  });
});

describe('E2 and E3: what does not open', () => {
  const plaintext = new Uint8Array(3 * CHUNK_BYTES).map((_byte, index) => index >>> 12);
  let sealed: HpkeSealed;
  let chunks: Uint8Array[];
  beforeAll(async () => {
    sealed = await sealChunks(key.publicKey, info, plaintext);
    chunks = [0, 1, 2].map((index) =>
      sealed.ciphertext.subarray(index * SEALED_CHUNK_BYTES, (index + 1) * SEALED_CHUNK_BYTES),
    );
  });

  const part = (index: number): Uint8Array => chunks[index] ?? new Uint8Array();
  const changes: [string, () => Uint8Array][] = [
    ['the last chunk cut off', () => concatBytes(part(0), part(1))],
    ['the first chunk cut off', () => concatBytes(part(1), part(2))],
    ['two chunks swapped', () => concatBytes(part(1), part(0), part(2))],
    ['a chunk repeated', () => concatBytes(part(0), part(1), part(1), part(2))],
    ['the last chunk repeated', () => concatBytes(part(0), part(1), part(2), part(2))],
    ['one byte appended', () => concatBytes(sealed.ciphertext, new Uint8Array(1))],
    ['a tag of zeros appended', () => concatBytes(sealed.ciphertext, new Uint8Array(16))],
    ['one byte cut off', () => sealed.ciphertext.slice(0, -1)],
    ['everything cut off', () => new Uint8Array()],
  ];

  it.each(changes)('%s: DECRYPT_FAILED', async (_name, change) => {
    await expect(openChunks(key, info, { ...sealed, ciphertext: change() })).rejects.toMatchObject({
      code: 'DECRYPT_FAILED',
    });
  });

  it.each([0, 1, 2])('a flipped byte in chunk %i: DECRYPT_FAILED', async (index) => {
    const ciphertext = sealed.ciphertext.slice();
    const at = index * SEALED_CHUNK_BYTES + 1000;
    ciphertext[at] = (ciphertext[at] ?? 0) ^ 1;
    await expect(openChunks(key, info, { ...sealed, ciphertext })).rejects.toMatchObject({
      code: 'DECRYPT_FAILED',
    });
  });

  it('another info, key or encapsulated key: DECRYPT_FAILED', async () => {
    const other = createReceivingKey(new Uint8Array(32).fill(6));
    const refused = { code: 'DECRYPT_FAILED' };
    await expect(openChunks(key, utf8('another header'), sealed)).rejects.toMatchObject(refused);
    await expect(openChunks(other, info, sealed)).rejects.toMatchObject(refused);
    await expect(openChunks(key, info, { ...sealed, enc: other.publicKey.slice(-32) })).rejects.toMatchObject(
      refused,
    );
  });

  it.each([
    ['zero', '00'.repeat(32)],
    ['of order 8', '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'],
    ['short', '09'],
  ])('an encapsulated key that is %s: BAD_KEY', async (_name, hex) => {
    await expect(openChunks(key, info, { ...sealed, enc: fromHex(hex) })).rejects.toMatchObject({
      code: 'BAD_KEY',
    });
  });
});
