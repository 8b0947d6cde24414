// Seals and opens in chunks of 1 MiB, an update in memory, a file that is longer than memory. Run by the bench as processes of their own:
// seal-child.ts cipher|seal|open|update|stream MEGABYTES FOLDER
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import path from 'node:path';
import { utf8 } from '#base/bytes.ts';
import { createSha256, sha256Hex } from '#federation/crypto/digest.ts';
import {
  CHUNK_BYTES,
  createChunkOpener,
  createChunkSealer,
  openChunks,
  SEALED_CHUNK_BYTES,
  sealChunks,
} from '#federation/crypto/hpke.ts';
import { encrypt } from '#federation/crypto/hpke-cipher.ts';
import { createReceivingKey } from '#federation/crypto/receiving-key.ts';
import { createSigningKey, verifySignature } from '#federation/crypto/signing-key.ts';
import { beginMeasured, reportMeasured } from '../cases/child-report.ts';

const [what = '', megabytesText, folder = ''] = process.argv.slice(2);
const chunkCount = Math.max(1, Math.round((Number(megabytesText) * 1e6) / CHUNK_BYTES));
const amount = (chunkCount * CHUNK_BYTES) / 1e6;
const receiving = createReceivingKey(new Uint8Array(32).fill(9));
const signer = createSigningKey(new Uint8Array(32).fill(8));
const info = utf8('bench');
const chunk = new Uint8Array(CHUNK_BYTES).fill(3);
const isLast = (index: number): boolean => index === chunkCount - 1;

/** The cipher by itself. */
function cipher(): void {
  const key = new Uint8Array(32).fill(1);
  const nonce = new Uint8Array(12);
  const aad = new Uint8Array(5);
  const start = beginMeasured();
  for (let index = 0; index < chunkCount; index += 1) {
    new DataView(nonce.buffer).setUint32(0, index);
    encrypt({ key, nonce, aad }, chunk);
  }
  reportMeasured(start, { amount });
}

async function seal(): Promise<void> {
  const sealer = await createChunkSealer(receiving.publicKey, info);
  const start = beginMeasured();
  for (let index = 0; index < chunkCount; index += 1) await sealer.seal(chunk, isLast(index));
  reportMeasured(start, { amount });
}

async function open(): Promise<void> {
  const sealer = await createChunkSealer(receiving.publicKey, info);
  const sealed: Uint8Array[] = [];
  for (let index = 0; index < chunkCount; index += 1)
    sealed.push(new Uint8Array(Buffer.concat(await sealer.seal(chunk, isLast(index)))));
  const opener = await createChunkOpener(receiving, info, sealer.enc);
  const start = beginMeasured();
  for (const [index, one] of sealed.entries()) await opener.open(one, isLast(index));
  reportMeasured(start, { amount });
}

/** What a site and the consortium do with the bytes of one update: sealed, digested and signed; verified, opened, digested. */
async function update(): Promise<void> {
  const payload = new Uint8Array(chunkCount * CHUNK_BYTES).fill(3);
  const start = beginMeasured();
  const payloadDigest = sha256Hex(payload);
  const sealed = await sealChunks(receiving.publicKey, info, payload);
  const statement = utf8(`${payloadDigest} ${sha256Hex(sealed.ciphertext)}`);
  const signature = signer.sign(statement);
  verifySignature(signer.publicKey, statement, signature);
  if (!Buffer.from(statement).includes(sha256Hex(sealed.ciphertext))) throw new Error('another ciphertext');
  const opened = await openChunks(receiving, info, sealed);
  if (sha256Hex(opened) !== payloadDigest) throw new Error('another payload');
  reportMeasured(start, { amount });
}

/** Through files, with memory for one chunk. */
async function stream(): Promise<void> {
  const file = path.join(folder, 'sealed');
  const start = beginMeasured();
  const written = openSync(file, 'w');
  const sealer = await createChunkSealer(receiving.publicKey, info);
  const before = createSha256();
  for (let index = 0; index < chunkCount; index += 1) {
    new DataView(chunk.buffer).setUint32(0, index);
    before.update(chunk);
    for (const part of await sealer.seal(chunk, isLast(index))) writeSync(written, part);
  }
  closeSync(written);
  const read = openSync(file, 'r');
  const opener = await createChunkOpener(receiving, info, sealer.enc);
  const after = createSha256();
  const sealed = new Uint8Array(SEALED_CHUNK_BYTES);
  for (let index = 0; index < chunkCount; index += 1) {
    if (readSync(read, sealed) !== sealed.length) throw new Error('a short read');
    after.update(await opener.open(sealed, isLast(index)));
  }
  closeSync(read);
  if (Buffer.compare(before.digest(), after.digest()) !== 0) throw new Error('another content');
  reportMeasured(start, { amount });
}

const works: Readonly<Record<string, () => void | Promise<void>>> = { cipher, seal, open, update, stream };
await works[what]?.();
