// AES-256-GCM (NIST SP 800-38D) for the frames of one file: the nonce is the frame's number, so frames cannot change places and
// no random nonce is spent. Every file has a key of its own, and a number is never used twice under it.
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { CryptoError } from '#federation/crypto/crypto-error.ts';

export const FRAME_TAG_BYTES = 16;

export interface FrameNumber {
  /** 32 bytes, of one file. */
  readonly key: Uint8Array;
  /** From 0, never twice under one key. */
  readonly number: number;
  /** What the frame is, bound to it. */
  readonly aad: Uint8Array;
}

/** Ciphertext in the parts that were given, then the tag: for one write without a copy. */
export function sealFrame({ key, number, aad }: FrameNumber, parts: readonly Uint8Array[]): Uint8Array[] {
  const cipher = createCipheriv('aes-256-gcm', key, nonce(number), { authTagLength: FRAME_TAG_BYTES });
  cipher.setAAD(aad);
  const sealed: Uint8Array[] = parts.map((part) => cipher.update(part));
  cipher.final();
  sealed.push(cipher.getAuthTag());
  return sealed;
}

/** @throws CryptoError DECRYPT_FAILED when key, number, `aad` or any byte is another. */
export function openFrame({ key, number, aad }: FrameNumber, sealed: Uint8Array): Uint8Array {
  const end = sealed.length - FRAME_TAG_BYTES;
  if (end < 0) throw failed();
  const decipher = createDecipheriv('aes-256-gcm', key, nonce(number), { authTagLength: FRAME_TAG_BYTES });
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(end));
  const plaintext = decipher.update(sealed.subarray(0, end));
  try {
    decipher.final();
  } catch (cause) {
    throw failed(cause);
  }
  return plaintext;
}

function nonce(number: number): Uint8Array {
  const bytes = Buffer.alloc(12);
  bytes.writeBigUInt64BE(BigInt(number), 4);
  return bytes;
}

function failed(cause?: unknown): CryptoError {
  return new CryptoError('DECRYPT_FAILED', 'The sealed frame does not open with this key.', { cause });
}
