// One file of the inbox: a writer whose bytes are durable when `write` returns, and a reader that stops at what is durable.
import { closeSync, constants, fsyncSync, openSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { isCodedError } from '#base/coded-error.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import {
  encodeFrame,
  encodeSegmentHeader,
  frameHeaderBytes,
  openFrameBytes,
  openSegmentKey,
  parseFrameHeader,
  segmentHeaderBytes,
} from './inbox-frame.ts';

/** With it a write returns when the disk has it; without it (Windows) the file is flushed after each write. */
const writesThrough = constants.O_DSYNC as number | undefined;
const buffersInWrite = 512;
/** What one group commit writes at most; so much can a killed process leave torn. */
export const maxGroupBytes = 16 * 2 ** 20;

export class SegmentWriter {
  durableBytes = 0;
  readonly file: string;
  readonly #key: Uint8Array;
  readonly #handle: FileHandle;
  #frameCount = 0;

  private constructor(file: string, key: Uint8Array, handle: FileHandle) {
    this.file = file;
    this.#key = key;
    this.#handle = handle;
  }

  /** Makes the file. Never continues one: a frame number must not be used twice under one key. @throws Error of the system. */
  static async create(file: string, inboxKey: Uint8Array): Promise<SegmentWriter> {
    const header = encodeSegmentHeader(systemRandom(16));
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (writesThrough ?? 0);
    const handle = await open(file, flags, 0o600);
    const writer = new SegmentWriter(file, openSegmentKey(inboxKey, header) ?? new Uint8Array(), handle);
    await writer.#write([header]);
    syncFolder(path.dirname(file));
    return writer;
  }

  /** Seals a frame that is not written yet. Frames must be written in this order. */
  seal(flags: number, parts: readonly Uint8Array[]): Uint8Array[] {
    const number = this.#frameCount;
    this.#frameCount += 1;
    return encodeFrame({ key: this.#key, number }, flags, parts);
  }

  /** Writes sealed frames; they are durable when it returns. @throws Error of the system; the file is then of no further use. */
  async write(frames: readonly Uint8Array[]): Promise<void> {
    for (let at = 0; at < frames.length; at += buffersInWrite)
      await this.#write(frames.slice(at, at + buffersInWrite));
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #write(buffers: readonly Uint8Array[]): Promise<void> {
    let rest = [...buffers];
    while (rest.length > 0) {
      const { bytesWritten } = await this.#handle.writev(rest);
      this.durableBytes += bytesWritten;
      rest = after(rest, bytesWritten);
    }
    if (writesThrough === undefined) await this.#handle.datasync();
  }
}

/** What of `buffers` lies beyond the first `count` bytes. */
function after(buffers: readonly Uint8Array[], count: number): Uint8Array[] {
  let skip = count;
  return buffers.flatMap((buffer) => {
    const part = buffer.subarray(Math.min(skip, buffer.length));
    skip -= buffer.length - part.length;
    return part.length === 0 ? [] : [part];
  });
}

export interface SegmentFrame {
  readonly flags: number;
  /** Frames before it could not be opened. */
  readonly isAfterDamage: boolean;
  readonly bytes: Uint8Array;
}

export class SegmentReader {
  /** Bytes that were durable and cannot be opened. The torn tail of a process that was killed is none: it was not acknowledged. */
  damagedBytes = 0;
  #unreadBytes = 0;
  readonly #handle: FileHandle;
  readonly #inboxKey: Uint8Array;
  #key: Uint8Array | undefined;
  #offset = 0;
  #number = 0;

  private constructor(handle: FileHandle, inboxKey: Uint8Array) {
    this.#handle = handle;
    this.#inboxKey = inboxKey;
  }

  /** @throws Error of the system. */
  static async open(file: string, inboxKey: Uint8Array): Promise<SegmentReader> {
    return new SegmentReader(await open(file, 'r'), inboxKey);
  }

  /** The next frame that ends before `end`, or undefined. @throws Error of the system. */
  async next(end: number): Promise<SegmentFrame | undefined> {
    if (this.#key === undefined) {
      this.#key = openSegmentKey(this.#inboxKey, await this.#read(segmentHeaderBytes, end));
      if (this.#key === undefined) return this.#stop(end);
    }
    for (;;) {
      if (this.#offset >= end) return undefined;
      const header = parseFrameHeader(await this.#read(frameHeaderBytes, end));
      if (header === undefined || this.#offset + header.length > end) return this.#stop(end);
      const sealed = await this.#read(header.length, end);
      const place = { key: this.#key, number: this.#number };
      this.#number += 1;
      try {
        const bytes = openFrameBytes(place, header.flags, sealed);
        const frame = { flags: header.flags, isAfterDamage: this.#unreadBytes > 0, bytes };
        // What was written before a frame that is whole was durable too.
        this.damagedBytes += this.#unreadBytes;
        this.#unreadBytes = 0;
        return frame;
      } catch (error) {
        if (!isCodedError(error, 'DECRYPT_FAILED')) throw error;
        this.#unreadBytes += header.length;
      }
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  #stop(end: number): undefined {
    this.#unreadBytes += Math.max(0, end - this.#offset);
    this.#offset = end;
    if (this.#unreadBytes > maxGroupBytes) {
      this.damagedBytes += this.#unreadBytes;
      this.#unreadBytes = 0;
    }
    return undefined;
  }

  async #read(length: number, end: number): Promise<Uint8Array> {
    const wanted = Math.min(length, Math.max(0, end - this.#offset));
    const buffer = Buffer.allocUnsafe(wanted);
    let filled = 0;
    while (filled < wanted) {
      const { bytesRead } = await this.#handle.read(buffer, filled, wanted - filled, this.#offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    this.#offset += filled;
    return buffer.subarray(0, filled);
  }
}

/** Makes new names survive a power cut. Windows has no handle on folders and needs none. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, constants.O_RDONLY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
