// AES-256-GCM over long bytes in pieces of 1 MiB (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015): the nonce is
// the piece's number and whether it is the last, so that no piece can be left out, repeated, moved or cut off unseen.
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { CryptoError } from '#federation/crypto/crypto-error.ts';

/** One call over 40 MB is several times slower than 40 calls: the pages of one output buffer are touched for the first time. */
export const pieceBytes = 1_048_576;
const tagBytes = 16;

/** Bytes that `byteCount` bytes take when sealed; nothing at all is one empty piece. */
export function sealedPiecesSize(byteCount: number): number {
  return byteCount + tagBytes * Math.max(1, Math.ceil(byteCount / pieceBytes));
}

/**
 * Seals under a 32-byte key that seals nothing else, ever: the nonces are counted and not random.
 * @returns parts in order; each piece is ciphertext and then its tag (16)
 */
export function sealPieces(key: Uint8Array, plaintext: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let start = 0, piece = 0; start === 0 || start < plaintext.length; start += pieceBytes, piece += 1) {
    const isLast = start + pieceBytes >= plaintext.length;
    const cipher = createCipheriv('aes-256-gcm', key, nonceOf(piece, isLast), { authTagLength: tagBytes });
    parts.push(cipher.update(plaintext.subarray(start, start + pieceBytes)));
    cipher.final();
    parts.push(cipher.getAuthTag());
  }
  return parts;
}

/**
 * @param byteCount of the plaintext
 * @throws CryptoError DECRYPT_FAILED when key, length or any byte is another.
 */
export function openPieces(key: Uint8Array, sealed: Uint8Array, byteCount: number): Uint8Array {
  if (sealed.length !== sealedPiecesSize(byteCount)) throw failed();
  const plaintext = new Uint8Array(byteCount);
  for (let start = 0, piece = 0; start === 0 || start < byteCount; start += pieceBytes, piece += 1) {
    const isLast = start + pieceBytes >= byteCount;
    const at = start + piece * tagBytes;
    const end = at + Math.min(pieceBytes, byteCount - start);
    const options = { authTagLength: tagBytes };
    const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(piece, isLast), options);
    decipher.setAuthTag(sealed.subarray(end, end + tagBytes));
    plaintext.set(decipher.update(sealed.subarray(at, end)), start);
    try {
      decipher.final();
    } catch (cause) {
      throw failed(cause);
    }
  }
  return plaintext;
}

/** 12 bytes: seven of zero, the piece's number, whether it is the last. */
function nonceOf(piece: number, isLast: boolean): Uint8Array {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setUint32(7, piece);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

function failed(cause?: unknown): CryptoError {
  return new CryptoError('DECRYPT_FAILED', 'The sealed bytes do not open with this key.', { cause });
}
