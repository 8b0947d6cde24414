// AES-256-GCM under the key and nonces of an HPKE context (RFC 9180 section 5.2), on bytes where they lie. The library agrees on the key and
// counts the nonces; its own cipher copies every chunk to another thread and back, at a tenth of the rate of the cipher itself.
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { type AeadEncryptionContext, AeadId, type AeadInterface } from '@hpke/core';
import { BugError } from '#base/coded-error.ts';

const tagBytes = 16;
const options = { authTagLength: tagBytes };

type Bytes = ArrayBufferLike | ArrayBufferView;

/** Stands in for the AEAD of a suite: takes the key, and answers each call with its nonce. One for each context. */
export class KeySchedule implements AeadInterface {
  readonly id = AeadId.Aes256Gcm;
  readonly keySize = 32;
  readonly nonceSize = 12;
  readonly tagSize = tagBytes;
  #key: Uint8Array | undefined;

  createEncryptionContext(key: Bytes): AeadEncryptionContext {
    this.#key = copyOf(key);
    const nonceItself = async (nonce: Bytes): Promise<ArrayBuffer> => copyOf(nonce).buffer;
    return { seal: nonceItself, open: nonceItself };
  }

  get key(): Uint8Array {
    if (this.#key === undefined) throw new BugError('the context has no key yet');
    return this.#key;
  }
}

/** What a cipher needs beside the bytes. A nonce is never used twice under one key. */
export interface CipherInput {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly aad: Uint8Array;
}

/** Ciphertext, then its tag: for a write without a copy. */
export function encrypt({ key, nonce, aad }: CipherInput, plaintext: Uint8Array): [Uint8Array, Uint8Array] {
  const cipher = createCipheriv('aes-256-gcm', key, nonce, options);
  cipher.setAAD(aad);
  const ciphertext = cipher.update(plaintext);
  cipher.final();
  return [ciphertext, cipher.getAuthTag()];
}

/** @throws Error unless key, nonce, `aad` and every byte are those of the sender; nothing is given out before. */
export function decrypt({ key, nonce, aad }: CipherInput, sealed: Uint8Array): Uint8Array {
  const end = sealed.length - tagBytes;
  if (end < 0) throw new RangeError('shorter than its tag');
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, options);
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(end));
  const plaintext = decipher.update(sealed.subarray(0, end));
  decipher.final();
  return plaintext;
}

function copyOf(bytes: Bytes): Uint8Array<ArrayBuffer> {
  return ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength).slice()
    : new Uint8Array(bytes).slice();
}
