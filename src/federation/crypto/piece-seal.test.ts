import { createDecipheriv } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openPieces, pieceBytes, sealedPiecesSize, sealPieces } from './piece-seal.ts';

const key = new Uint8Array(32).fill(7);
const plaintextOf = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 8)) & 0xff);
const seal = (plaintext: Uint8Array): Buffer => Buffer.concat(sealPieces(key, plaintext));

describe('bytes sealed in pieces', () => {
  it.each([0, 1, pieceBytes - 1, pieceBytes, pieceBytes + 1, 3 * pieceBytes])(
    'open again: %i bytes',
    (length) => {
      const plaintext = plaintextOf(length);
      const sealed = seal(plaintext);
      expect(sealed).toHaveLength(sealedPiecesSize(length));
      expect(Buffer.from(openPieces(key, sealed, length)).equals(plaintext)).toBe(true);
    },
  );

  it('are AES-256-GCM with the nonce that the format says', () => {
    const sealed = seal(Buffer.from('words'));
    const nonce = Buffer.from('000000000000000000000001', 'hex');
    const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAuthTag(sealed.subarray(5));
    expect(decipher.update(sealed.subarray(0, 5)).toString()).toBe('words');
    decipher.final();
  });

  const length = 2 * pieceBytes + 5;
  const whole = seal(plaintextOf(length));
  const step = pieceBytes + 16;
  const flipped = (at: number): Buffer => {
    const copy = Buffer.from(whole);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  };
  it.each([
    ['another key', new Uint8Array(32), whole, length],
    ['a changed byte', key, flipped(pieceBytes + 100), length],
    ['a changed tag', key, flipped(whole.length - 1), length],
    [
      'two pieces swapped',
      key,
      Buffer.concat([whole.subarray(step, 2 * step), whole.subarray(0, step), whole.subarray(2 * step)]),
      length,
    ],
    ['the last piece left out', key, whole.subarray(0, 2 * step), 2 * pieceBytes],
    ['fewer bytes than stated', key, whole.subarray(0, -1), length],
  ])('do not open with %s', (_, usedKey, sealed, byteCount) => {
    expect(() => openPieces(usedKey, sealed, byteCount)).toThrow(
      expect.objectContaining({ code: 'DECRYPT_FAILED' }),
    );
  });
});
