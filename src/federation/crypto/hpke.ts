// HPKE (RFC 9180), mode base, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, over chunks of 1 MiB.
// Each chunk is bound to its index and to being the last one: cut, swapped, repeated or added chunks do not open.
import { CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import { BugError } from '#base/coded-error.ts';
import { CryptoError } from '#federation/crypto/crypto-error.ts';
import { isHonestX25519Point } from '#federation/crypto/curve25519-points.ts';
import { decrypt, encrypt, KeySchedule } from '#federation/crypto/hpke-cipher.ts';
import { type ReceivingKey, verifyReceivingPublicKey } from '#federation/crypto/receiving-key.ts';

export const CHUNK_BYTES = 1024 * 1024;
const TAG_BYTES = 16;
export const SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES;
const MAX_CHUNKS = 2 ** 32;
const nothing = new ArrayBuffer(0);

/** A ciphertext and the encapsulated key (32 bytes) it opens with. */
export interface HpkeSealed {
  readonly enc: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** Opens the messages of one sender in their order; of no use once it has refused one. */
export interface HpkeOpener {
  /** @throws CryptoError DECRYPT_FAILED. */
  open(ciphertext: Uint8Array, aad: Uint8Array): Promise<Uint8Array>;
}

/** Seals the chunks of one message in their order: `CHUNK_BYTES` each but for the last. */
export interface ChunkSealer {
  /** The encapsulated key, 32 bytes. */
  readonly enc: Uint8Array;
  /** The sealed chunk, in two parts for a write without a copy. */
  seal(chunk: Uint8Array, isLast: boolean): Promise<readonly Uint8Array[]>;
}

/** Opens the chunks of one message in their order, each with its tag: `SEALED_CHUNK_BYTES` each but for the last. */
export interface ChunkOpener {
  /** @throws CryptoError DECRYPT_FAILED. */
  open(sealed: Uint8Array, isLast: boolean): Promise<Uint8Array>;
}

/**
 * A sealer to `recipientPublicKey` (SPKI) with a fresh ephemeral key, with memory for one chunk. `info` binds the purpose and the header.
 * @throws CryptoError BAD_KEY on a recipient key that must not be used.
 */
export async function createChunkSealer(
  recipientPublicKey: Uint8Array,
  info: Uint8Array,
): Promise<ChunkSealer> {
  const { suite, schedule } = createSuite();
  const point = verifyReceivingPublicKey(recipientPublicKey);
  const sender = await suite.createSenderContext({
    recipientPublicKey: await suite.kem.deserializePublicKey(point),
    info,
  });
  let index = 0;
  return {
    enc: new Uint8Array(sender.enc),
    seal: async (chunk, isLast) => {
      if (index === MAX_CHUNKS) throw new BugError('the plaintext has more chunks than the index can count');
      const aad = chunkAad(index, isLast);
      index += 1;
      const nonce = new Uint8Array(await sender.seal(nothing));
      return encrypt({ key: schedule.key, nonce, aad }, chunk);
    },
  };
}

/** The recipient's side of `createChunkSealer`. @throws CryptoError BAD_KEY as `createHpkeOpener`. */
export async function createChunkOpener(
  receivingKey: ReceivingKey,
  info: Uint8Array,
  enc: Uint8Array,
): Promise<ChunkOpener> {
  const opener = await createHpkeOpener(receivingKey, info, enc);
  let index = 0;
  return {
    open: (sealed, isLast) => {
      const aad = chunkAad(index, isLast);
      index += 1;
      return opener.open(sealed, aad);
    },
  };
}

/** Seals a message that lies in memory whole. @throws as `createChunkSealer`. */
export async function sealChunks(
  recipientPublicKey: Uint8Array,
  info: Uint8Array,
  plaintext: Uint8Array,
): Promise<HpkeSealed> {
  const sealer = await createChunkSealer(recipientPublicKey, info);
  // Nothing is a chunk too: an empty last one.
  const chunkCount = Math.max(1, Math.ceil(plaintext.length / CHUNK_BYTES));
  const ciphertext = new Uint8Array(plaintext.length + chunkCount * TAG_BYTES);
  let end = 0;
  for (let index = 0; index < chunkCount; index += 1) {
    const chunk = plaintext.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES);
    for (const part of await sealer.seal(chunk, index === chunkCount - 1)) {
      ciphertext.set(part, end);
      end += part.length;
    }
  }
  return { enc: sealer.enc, ciphertext };
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
  const opener = await createChunkOpener(receivingKey, info, enc);
  const chunkCount = Math.max(1, Math.ceil(ciphertext.length / SEALED_CHUNK_BYTES));
  if (ciphertext.length < (chunkCount - 1) * SEALED_CHUNK_BYTES + TAG_BYTES) throw doesNotOpen();
  const plaintext = new Uint8Array(ciphertext.length - chunkCount * TAG_BYTES);
  for (let index = 0; index < chunkCount; index += 1) {
    const chunk = ciphertext.subarray(index * SEALED_CHUNK_BYTES, (index + 1) * SEALED_CHUNK_BYTES);
    plaintext.set(await opener.open(chunk, index === chunkCount - 1), index * CHUNK_BYTES);
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
  const { suite, schedule } = createSuite();
  const recipientKey = await suite.kem.importKey('raw', exactBuffer(receivingKey.raw), false);
  const recipient = await suite.createRecipientContext({ recipientKey, enc, info });
  return {
    open: async (ciphertext, aad) => {
      const nonce = new Uint8Array(await recipient.open(nothing));
      try {
        return decrypt({ key: schedule.key, nonce, aad }, ciphertext);
      } catch (cause) {
        throw doesNotOpen(cause);
      }
    },
  };
}

function doesNotOpen(cause?: unknown): CryptoError {
  return new CryptoError('DECRYPT_FAILED', 'The ciphertext does not open.', { cause });
}

/** A suite for one context, and what its key schedule gives. */
function createSuite(): { readonly suite: CipherSuite; readonly schedule: KeySchedule } {
  const schedule = new KeySchedule();
  const kdf = new HkdfSha256();
  return { suite: new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf, aead: schedule }), schedule };
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
