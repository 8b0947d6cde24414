// An entry whose bytes come in parts: a short one waits in memory and joins the log, a long one has a segment of its own from its first
// MiB on and takes its place in the inbox when it is whole.
import { rmSync } from 'node:fs';
import { InboxError, writeFailure } from './inbox-error.ts';
import {
  encodeEntryHeader,
  firstFlag,
  type InboxEntryHeader,
  lastFlag,
  maxFrameBytes,
} from './inbox-frame.ts';
import type { InboxRoom } from './inbox-room.ts';
import { SegmentWriter } from './inbox-segment.ts';

export interface InboxEntryWriter {
  /** Undefined where nothing has to be waited for. @throws InboxError INBOX_FULL, INBOX_UNAVAILABLE. */
  write(bytes: Uint8Array): Promise<void> | undefined;
  /** Durable when it returns. @throws InboxError INBOX_FULL, INBOX_UNAVAILABLE, INBOX_CLOSED. */
  commit(): Promise<void>;
  /** Nothing of it stays. */
  abandon(): Promise<void>;
}

export interface EntryWriterOptions {
  /** Where a long entry is written until it is whole. */
  readonly partialFile: string;
  readonly inboxKey: Uint8Array;
  readonly room: InboxRoom;
  readonly commitWhole: (parts: readonly Uint8Array[], byteCount: number) => Promise<void>;
  readonly commitLong: (writer: SegmentWriter) => Promise<void>;
}

export class EntryWriter implements InboxEntryWriter {
  readonly #options: EntryWriterOptions;
  #parts: Uint8Array[];
  #byteCount = 0;
  #flags = firstFlag;
  #spilled: SegmentWriter | undefined;

  constructor(header: InboxEntryHeader, options: EntryWriterOptions) {
    this.#options = options;
    this.#parts = [encodeEntryHeader(header)];
  }

  write(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#byteCount + bytes.length > maxFrameBytes) return this.#writeLong(bytes);
    this.#parts.push(bytes);
    this.#byteCount += bytes.length;
    return undefined;
  }

  async commit(): Promise<void> {
    if (this.#spilled === undefined) return this.#options.commitWhole(this.#parts, this.#byteCount);
    const writer = await this.#spill(lastFlag);
    await this.#options.commitLong(writer);
  }

  async abandon(): Promise<void> {
    this.#parts = [];
    const writer = this.#spilled;
    if (writer === undefined) return;
    this.#spilled = undefined;
    this.#options.room.heldBytes -= writer.durableBytes;
    await writer.close();
    rmSync(writer.file, { force: true });
  }

  async #writeLong(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += maxFrameBytes) {
      const part = bytes.subarray(at, at + maxFrameBytes);
      if (this.#byteCount + part.length > maxFrameBytes) await this.#spill(0);
      this.#parts.push(part);
      this.#byteCount += part.length;
    }
  }

  async #spill(flag: number): Promise<SegmentWriter> {
    const { partialFile, inboxKey, room } = this.#options;
    const frame = this.#parts;
    const before = this.#spilled?.durableBytes ?? 0;
    this.#parts = [];
    try {
      await room.check(this.#byteCount);
      this.#spilled ??= await SegmentWriter.create(partialFile, inboxKey);
      await this.#spilled.write(this.#spilled.seal(this.#flags | flag, frame));
    } catch (error) {
      throw error instanceof InboxError ? error : writeFailure(error);
    } finally {
      room.heldBytes += (this.#spilled?.durableBytes ?? 0) - before;
    }
    this.#byteCount = 0;
    this.#flags = 0;
    return this.#spilled;
  }
}
