// HPKE (RFC 9180), mode base, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, over chunks of 1 MiB.
// Each chunk is bound to its index and to being the last one: cut, swapped, repeated or added chunks do not open.
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import { BugError } from '#base/coded-error.ts';
import { CryptoError } from '#federation/crypto/crypto-error.ts';
import { isHonestX25519Point } from '#federation/crypto/curve25519-points.ts';
import { type ReceivingKey, verifyReceivingPublicKey } from '#federation/crypto/receiving-key.ts';

export const CHUNK_BYTES = 1024 * 1024;
const TAG_BYTES = 16;
const SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES;
const MAX_CHUNKS = 2 ** 32;

/** A ciphertext and the encapsulated key (32 bytes) it opens with. */
export interface HpkeSealed {
  readonly enc: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** Opens the messages of one sender in their order. */
export interface HpkeOpener {
  /** @throws CryptoError DECRYPT_FAILED. */
  open(ciphertext: Uint8Array, aad: Uint8Array): Promise<Uint8Array>;
}

/**
 * Seals `plaintext` to `recipientPublicKey` (SPKI) with a fresh ephemeral key. `info` binds the purpose and the header.
 * @throws CryptoError BAD_KEY on a recipient key that must not be used.
 */
export async function sealChunks(
  recipientPublicKey: Uint8Array,
  info: Uint8Array,
  plaintext: Uint8Array,
): Promise<HpkeSealed> {
  const suite = createSuite();
  const point = verifyReceivingPublicKey(recipientPublicKey);
  const sender = await suite.createSenderContext({
    recipientPublicKey: await suite.kem.deserializePublicKey(point),
    info,
  });
  // Nothing is a chunk too: an empty last one.
  const chunkCount = Math.max(1, Math.ceil(plaintext.length / CHUNK_BYTES));
  if (chunkCount > MAX_CHUNKS) throw new BugError('the plaintext has more chunks than the index can count');
  const ciphertext = new Uint8Array(plaintext.length + chunkCount * TAG_BYTES);
  for (let index = 0; index < chunkCount; index += 1) {
    const chunk = plaintext.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES);
    const sealed = await sender.seal(chunk, chunkAad(index, index === chunkCount - 1));
    ciphertext.set(new Uint8Array(sealed), index * SEALED_CHUNK_BYTES);
  }
  return { enc: new Uint8Array(sender.enc), ciphertext };
}

/**
 * Opens what `sealChunks` made.
 * @throws CryptoError BAD_KEY on an `enc` of small order, DECRYPT_FAILED on anything else that is not as it was sealed.
 */
export async function openChunks(
  receivingKey: ReceivingKey,
  info: Uint8Array,
  sealed: HpkeSealed,
): Promise<Uint8Array> {
  const { enc, ciphertext } = sealed;
  const opener = await createHpkeOpener(receivingKey, info, enc);
  const chunkCount = Math.max(1, Math.ceil(ciphertext.length / SEALED_CHUNK_BYTES));
  if (ciphertext.length < (chunkCount - 1) * SEALED_CHUNK_BYTES + TAG_BYTES) throw doesNotOpen();
  const plaintext = new Uint8Array(ciphertext.length - chunkCount * TAG_BYTES);
  for (let index = 0; index < chunkCount; index += 1) {
    const chunk = ciphertext.subarray(index * SEALED_CHUNK_BYTES, (index + 1) * SEALED_CHUNK_BYTES);
    const opened = await opener.open(chunk, chunkAad(index, index === chunkCount - 1));
    plaintext.set(opened, index * CHUNK_BYTES);
  }
  return plaintext;
}

/**
 * The recipient's context of RFC 9180 section 5.1.1.
 * @throws CryptoError BAD_KEY when `enc` would make the shared secret zero or is no canonical point.
 */
export async function createHpkeOpener(
  receivingKey: ReceivingKey,
  info: Uint8Array,
  enc: Uint8Array,
): Promise<HpkeOpener> {
  if (!isHonestX25519Point(enc)) throw new CryptoError('BAD_KEY', 'The encapsulated key is not to be used.');
  const suite = createSuite();
  const recipientKey = await suite.kem.importKey('raw', exactBuffer(receivingKey.raw), false);
  const recipient = await suite.createRecipientContext({ recipientKey, enc, info });
  return {
    open: async (ciphertext, aad) => {
      try {
        return new Uint8Array(await recipient.open(ciphertext, aad));
      } catch (cause) {
        throw doesNotOpen(cause);
      }
    },
  };
}

function doesNotOpen(cause?: unknown): CryptoError {
  return new CryptoError('DECRYPT_FAILED', 'The ciphertext does not open.', { cause });
}

function createSuite(): CipherSuite {
  return new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });
}

/** Chunk index (u32, big-endian) then 1 for the last chunk and 0 for the others. */
function chunkAad(index: number, isLast: boolean): Uint8Array {
  const aad = new Uint8Array(5);
  new DataView(aad.buffer).setUint32(0, index);
  aad[4] = isLast ? 1 : 0;
  return aad;
}

function exactBuffer(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
