// Appends to segment files, and lets a place count only for bytes that are on the disk: write and fdatasync come before the caller
// commits what names them.
import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  writevSync,
} from 'node:fs';
import path from 'node:path';
import { CodedError } from '#base/coded-error.ts';

export type ObjectStoreCode = 'OBJECT_STORE_FULL' | 'OBJECT_STORE_UNAVAILABLE' | 'OBJECT_UNREADABLE';

/** A fault of the sealed objects' files. Carries no path, and no cause that would quote one. */
export class ObjectStoreError extends CodedError<ObjectStoreCode> {}

/** Where appended bytes lie. */
export interface SegmentPlace {
  readonly segment: number;
  readonly position: number;
}

/** A segment that is longer is not continued. */
export const fullSegmentBytes = 1_073_741_824;
const mostParts = 512;

/** Name of a segment's file: its number in 12 hexadecimal digits. */
export function segmentFile(folder: string, segment: number): string {
  return path.join(folder, `${segment.toString(16).padStart(12, '0')}.segment`);
}

interface OpenSegment {
  readonly segment: number;
  readonly descriptor: number;
  /** Where the next object begins. */
  end: number;
}

/** The only writer of its segments: two writers never share one. */
export class SegmentWriter {
  readonly #folder: string;
  #continued: number | null;
  #open: OpenSegment | undefined;
  #pending: Uint8Array[] = [];
  #pendingSize = 0;

  /** @param segment one to go on with that no other writer has, or null for a new one */
  constructor(folder: string, segment: number | null) {
    this.#folder = folder;
    this.#continued = segment;
  }

  /** The segment that is written to, if any yet. */
  get segment(): number | null {
    return this.#open?.segment ?? this.#continued;
  }

  /**
   * Takes bytes. Their place holds once `flush` has returned; until then the parts must not change.
   * @throws ObjectStoreError OBJECT_STORE_FULL, OBJECT_STORE_UNAVAILABLE.
   */
  append(parts: readonly Uint8Array[]): SegmentPlace {
    const open = this.#openSegment();
    const position = open.end + this.#pendingSize;
    for (const part of parts) {
      this.#pending.push(part);
      this.#pendingSize += part.length;
    }
    return { segment: open.segment, position };
  }

  /**
   * Makes everything appended so far durable.
   * @throws ObjectStoreError OBJECT_STORE_FULL, OBJECT_STORE_UNAVAILABLE: no place given since the last flush holds.
   */
  flush(): void {
    const open = this.#open;
    if (open === undefined || this.#pendingSize === 0) return;
    const parts = this.#pending;
    this.#pending = [];
    try {
      let position = open.end;
      for (let at = 0; at < parts.length; at += mostParts) {
        position += writeParts(open.descriptor, parts.slice(at, at + mostParts), position);
      }
      fdatasyncSync(open.descriptor);
      open.end += this.#pendingSize;
    } catch (error) {
      // What was half written is behind no row; the next object gets a segment of its own.
      this.#leave();
      throw objectStoreFailure(error);
    } finally {
      this.#pendingSize = 0;
    }
    if (open.end >= fullSegmentBytes) this.#leave();
  }

  close(): void {
    this.#pending = [];
    this.#pendingSize = 0;
    this.#leave();
  }

  #leave(): void {
    if (this.#open !== undefined) closeSync(this.#open.descriptor);
    this.#open = undefined;
    this.#continued = null;
  }

  #openSegment(): OpenSegment {
    if (this.#open !== undefined) return this.#open;
    try {
      this.#open =
        this.#continued === null
          ? createSegment(this.#folder)
          : continueSegment(this.#folder, this.#continued);
      return this.#open;
    } catch (error) {
      throw objectStoreFailure(error);
    }
  }
}

function createSegment(folder: string): OpenSegment {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const segment = drawNumber();
  // Exclusive: a number drawn twice does not open another writer's file.
  const descriptor = openSync(segmentFile(folder, segment), 'wx', 0o600);
  syncFolder(folder);
  return { segment, descriptor, end: 0 };
}

/** 48 bits; only that it was not drawn before matters, and that is seen when its file is made. */
function drawNumber(): number {
  return Number.parseInt(crypto.randomUUID().slice(-12), 16);
}

function continueSegment(folder: string, segment: number): OpenSegment {
  const descriptor = openSync(segmentFile(folder, segment), 'r+');
  return { segment, descriptor, end: fstatSync(descriptor).size };
}

/** Bytes written: all of them. A write may stop short. */
function writeParts(descriptor: number, parts: Uint8Array[], start: number): number {
  let position = start;
  for (let next = 0; next < parts.length; ) {
    let count = writevSync(descriptor, next === 0 ? parts : parts.slice(next), position);
    position += count;
    for (let part = parts[next]; part !== undefined && count >= part.length; part = parts[next]) {
      count -= part.length;
      next += 1;
    }
    const cut = parts[next];
    if (count > 0 && cut !== undefined) parts[next] = cut.subarray(count);
  }
  return position - start;
}

/** Makes the file's name survive a power cut. Windows has no handle on folders and needs none. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, constants.O_RDONLY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** A failed call of the system by its code and without its path. */
export function objectStoreFailure(error: unknown): ObjectStoreError {
  const code =
    error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG'
    ? new ObjectStoreError('OBJECT_STORE_FULL', 'There is no room left for sealed objects.', {
        details: { found: code },
      })
    : new ObjectStoreError(
        'OBJECT_STORE_UNAVAILABLE',
        'The files of sealed objects cannot be read or written.',
        {
          details: { found: code },
        },
      );
}
