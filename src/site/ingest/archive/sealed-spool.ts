// An archive on its way in: its parts must be read in any order, so it rests in the profile, sealed under a key that only this process
// has. Nothing of it is readable on the disk, and what a crash leaves is noise.
import { closeSync, mkdirSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { RandomAccessReader } from 'yauzl';
import { toHex } from '#base/bytes.ts';
import { objectStoreFailure } from '#base/segment-writer.ts';
import { FRAME_TAG_BYTES, openFrame, sealFrame } from '#federation/crypto/frame-seal.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';

/** Beside the sealed objects. Emptied when the stage opens: what lies there then is left from a crash. */
export function spoolFolder(objects: { readonly folder: string }): string {
  return path.join(objects.folder, 'spool');
}

const pieceBytes = 65_536;
const sealedPieceBytes = pieceBytes + FRAME_TAG_BYTES;
const noData = new Uint8Array(0);

export class SealedSpool {
  readonly #file: string;
  readonly #descriptor: number;
  readonly #key = systemRandom(32);
  #pieceCount = 0;
  #tail: Buffer[] = [];
  #tailSize = 0;
  #lastPiece: { readonly number: number; readonly bytes: Uint8Array } | undefined;

  /** @throws ObjectStoreError. */
  constructor(folder: string) {
    this.#file = path.join(folder, `${toHex(systemRandom(8))}.spool`);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      this.#descriptor = openSync(this.#file, 'wx+', 0o600);
    } catch (error) {
      throw objectStoreFailure(error);
    }
  }

  get size(): number {
    return this.#pieceCount * pieceBytes + this.#tailSize;
  }

  /** @throws ObjectStoreError. */
  write(bytes: Uint8Array): void {
    this.#tail.push(Buffer.from(bytes));
    this.#tailSize += bytes.length;
    if (this.#tailSize < pieceBytes) return;
    const all = Buffer.concat(this.#tail);
    let at = 0;
    for (; all.length - at >= pieceBytes; at += pieceBytes) this.#append(all.subarray(at, at + pieceBytes));
    this.#tail = [all.subarray(at)];
    this.#tailSize = all.length - at;
  }

  /** A reader of what was written. */
  reader(): RandomAccessReader {
    return new SpoolReader((start, length) => this.#read(start, length));
  }

  close(): void {
    closeSync(this.#descriptor);
    rmSync(this.#file, { force: true });
  }

  #append(piece: Uint8Array): void {
    const parts = sealFrame({ key: this.#key, number: this.#pieceCount, aad: noData }, [piece]);
    let position = this.#pieceCount * sealedPieceBytes;
    try {
      for (let left = Buffer.concat(parts); left.length > 0; ) {
        const written = writeSync(this.#descriptor, left, 0, left.length, position);
        position += written;
        left = left.subarray(written);
      }
    } catch (error) {
      throw objectStoreFailure(error);
    }
    this.#pieceCount += 1;
  }

  #read(start: number, length: number): Buffer {
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, this.size - start)));
    for (let done = 0; done < bytes.length; ) {
      const number = Math.floor((start + done) / pieceBytes);
      const within = (start + done) % pieceBytes;
      const piece = this.#piece(number);
      const part = piece.subarray(within, within + bytes.length - done);
      bytes.set(part, done);
      done += part.length;
    }
    return bytes;
  }

  #piece(number: number): Uint8Array {
    if (number >= this.#pieceCount) return Buffer.concat(this.#tail);
    if (this.#lastPiece?.number === number) return this.#lastPiece.bytes;
    const sealed = Buffer.alloc(sealedPieceBytes);
    readSync(this.#descriptor, sealed, 0, sealedPieceBytes, number * sealedPieceBytes);
    const bytes = openFrame({ key: this.#key, number, aad: noData }, sealed);
    this.#lastPiece = { number, bytes };
    return bytes;
  }
}

class SpoolReader extends RandomAccessReader {
  readonly #readRange: (start: number, length: number) => Buffer;

  constructor(readRange: (start: number, length: number) => Buffer) {
    super();
    this.#readRange = readRange;
  }

  override _readStreamForRange(start: number, end: number): Readable {
    const readRange = this.#readRange;
    return Readable.from(
      (function* () {
        for (let at = start; at < end; at += pieceBytes) yield readRange(at, Math.min(pieceBytes, end - at));
      })(),
      { objectMode: false },
    );
  }
}
