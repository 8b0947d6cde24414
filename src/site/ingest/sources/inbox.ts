// The sealed inbox: what comes over the network is durable here, under AES-256-GCM, before its sender is told that it arrived, and
// stays until the outcome of its import is committed. A killed process loses nothing that was acknowledged.
import { renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { toHex } from '#base/bytes.ts';
import { makePrivateFolder } from '#base/private-file.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import { InboxError, writeFailure } from './inbox-error.ts';
import {
  deriveInboxKey,
  encodeEntryHeader,
  firstFlag,
  type InboxEntryHeader,
  lastFlag,
  maxFrameBytes,
} from './inbox-frame.ts';
import { findSegments, type InboxItem, SegmentQueue, segmentFile } from './inbox-queue.ts';
import { defaultInboxLimits, type InboxLimits, InboxRoom } from './inbox-room.ts';
import { maxGroupBytes, SegmentWriter, syncFolder } from './inbox-segment.ts';

export interface InboxOptions {
  /** The site's profile folder; the inbox is a folder in it. */
  readonly profile: string;
  /** 32 bytes. */
  readonly linkageKey: Uint8Array;
  readonly limits?: Partial<InboxLimits>;
  /** Told how many bytes of a segment could not be read. */
  readonly onDamage?: (byteCount: number) => void;
}

export interface InboxEntry {
  readonly header: InboxEntryHeader;
  readonly bytes: Uint8Array;
}

/** An entry whose bytes come in parts; more than 1 MiB of them never waits in memory. */
export interface InboxEntryWriter {
  /** @throws InboxError INBOX_FULL, INBOX_UNAVAILABLE. */
  write(bytes: Uint8Array): Promise<void> | undefined;
  /** Durable when it returns. @throws InboxError INBOX_FULL, INBOX_UNAVAILABLE, INBOX_CLOSED. */
  commit(): Promise<void>;
  /** Nothing of it stays. */
  abandon(): Promise<void>;
}

export interface Inbox {
  /** Durable when it returns; entries that arrive together share one flush. @throws InboxError INBOX_FULL, INBOX_UNAVAILABLE, INBOX_CLOSED. */
  append(entry: InboxEntry): Promise<void>;
  openEntry(header: InboxEntryHeader): InboxEntryWriter;
  /** The next entry that was not given out since the inbox was opened, or undefined where none waits. One at a time. */
  take(): Promise<InboxItem | undefined>;
  /** Entries as they arrive, until the signal or the end of the inbox. */
  drain(signal: AbortSignal): AsyncGenerator<InboxItem>;
  /** Ends when something arrived since the last `take` that gave nothing, or at the signal. */
  whenChanged(signal: AbortSignal): Promise<void>;
  /** Sealed bytes that wait. */
  readonly heldBytes: number;
  /** Waits for what is being written. What waits stays. */
  close(): Promise<void>;
}

const segmentBytes = 64 * 2 ** 20;
/** A log that is all done is begun anew from this size on. */
const renewBytes = 4 * 2 ** 20;

interface PendingEntry {
  readonly parts: readonly Uint8Array[];
  readonly byteCount: number;
  readonly resolve: () => void;
  readonly reject: (error: InboxError) => void;
}

/** Opens the inbox of a profile; what an earlier process had acknowledged and not imported waits again. @throws PrivateFileError. */
export function openInbox(options: InboxOptions): Inbox {
  return new SegmentInbox(options);
}

class SegmentInbox implements Inbox {
  readonly #folder: string;
  readonly #key: Uint8Array;
  readonly #room: InboxRoom;
  readonly #onDamage: (byteCount: number) => void;
  readonly #queues: SegmentQueue[];
  #lastNumber: number;
  #log: { readonly writer: SegmentWriter; readonly queue: SegmentQueue } | undefined;
  #pending: PendingEntry[] = [];
  #writing: Promise<void> | undefined;
  #isClosed = false;
  #wakers = new Set<() => void>();
  #changeCount = 0;
  #seenChangeCount = -1;

  constructor({ profile, linkageKey, limits, onDamage }: InboxOptions) {
    this.#folder = path.join(profile, 'inbox');
    makePrivateFolder(this.#folder);
    this.#key = deriveInboxKey(linkageKey);
    this.#onDamage = onDamage ?? (() => {});
    this.#room = new InboxRoom(this.#folder, { ...defaultInboxLimits, ...limits });
    const { segments, lastNumber } = findSegments(this.#folder);
    this.#queues = segments.map((segment) => new SegmentQueue(segment));
    this.#lastNumber = lastNumber;
    for (const segment of segments) this.#room.heldBytes += segment.durableBytes();
  }

  get heldBytes(): number {
    return this.#room.heldBytes;
  }

  async append({ header, bytes }: InboxEntry): Promise<void> {
    const writer = this.openEntry(header);
    await writer.write(bytes);
    await writer.commit();
  }

  openEntry(header: InboxEntryHeader): InboxEntryWriter {
    let parts: Uint8Array[] = [encodeEntryHeader(header)];
    let byteCount = 0;
    let spilled: SegmentWriter | undefined;
    let flags = firstFlag;
    const partial = path.join(this.#folder, `${toHex(systemRandom(8))}.partial`);
    const spill = async (isLast: boolean): Promise<void> => {
      const frame = parts;
      const before = spilled?.durableBytes ?? 0;
      parts = [];
      try {
        await this.#room.check(byteCount);
        spilled ??= await SegmentWriter.create(partial, this.#key);
        await spilled.write(spilled.seal(flags | (isLast ? lastFlag : 0), frame));
      } catch (error) {
        throw error instanceof InboxError ? error : writeFailure(error);
      }
      this.#room.heldBytes += spilled.durableBytes - before;
      byteCount = 0;
      flags = 0;
    };
    const writeLong = async (bytes: Uint8Array): Promise<void> => {
      for (let at = 0; at < bytes.length; at += maxFrameBytes) {
        const part = bytes.subarray(at, at + maxFrameBytes);
        if (byteCount + part.length > maxFrameBytes) await spill(false);
        parts.push(part);
        byteCount += part.length;
      }
    };
    return {
      write: (bytes) => {
        if (byteCount + bytes.length > maxFrameBytes) return writeLong(bytes);
        parts.push(bytes);
        byteCount += bytes.length;
        return undefined;
      },
      commit: async () => {
        if (this.#isClosed) throw closed();
        if (spilled === undefined) return this.#enqueue(parts, byteCount);
        await spill(true);
        await this.#adopt(spilled);
      },
      abandon: async () => {
        parts = [];
        if (spilled === undefined) return;
        this.#room.heldBytes -= spilled.durableBytes;
        await spilled.close();
        rmSync(spilled.file, { force: true });
      },
    };
  }

  async take(): Promise<InboxItem | undefined> {
    const changeCount = this.#changeCount;
    for (const queue of [...this.#queues]) {
      if (queue.isReadToEnd) continue;
      const item = await queue.next(this.#key, () => this.#release(queue));
      if (item !== undefined) return item;
      await this.#release(queue);
    }
    this.#seenChangeCount = changeCount;
    for (const queue of this.#queues) queue.note();
    return undefined;
  }

  async *drain(signal: AbortSignal): AsyncGenerator<InboxItem> {
    while (!signal.aborted && !this.#isClosed) {
      const item = await this.take();
      if (item === undefined) await this.whenChanged(signal);
      else yield item;
    }
  }

  async whenChanged(signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#isClosed || this.#changeCount !== this.#seenChangeCount) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        this.#wakers.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#wakers.add(wake);
      signal.addEventListener('abort', wake);
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#writing;
    await this.#log?.writer.close();
    this.#log = undefined;
    this.#wake();
    for (const queue of [...this.#queues]) {
      queue.note();
      if (queue.isDone) await this.#discard(queue);
      else await queue.close();
    }
  }

  #enqueue(parts: readonly Uint8Array[], byteCount: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ parts, byteCount, resolve, reject });
      this.#writing ??= this.#writePending();
    });
  }

  /** Group commit: whatever came while the last group was on its way to the disk goes in one write. */
  async #writePending(): Promise<void> {
    while (this.#pending.length > 0) {
      const group = this.#takeGroup();
      const byteCount = group.reduce((total, entry) => total + entry.byteCount, 0);
      try {
        await this.#renewLog(byteCount);
        await this.#room.check(byteCount);
        await this.#writeGroup(group);
      } catch (error) {
        const refusal = error instanceof InboxError ? error : await this.#abandonLog(error);
        for (const { reject } of group) reject(refusal);
        continue;
      }
      this.#wake();
      for (const { resolve } of group) resolve();
    }
    this.#writing = undefined;
  }

  #takeGroup(): PendingEntry[] {
    let byteCount = 0;
    const count = this.#pending.findIndex((entry) => {
      byteCount += entry.byteCount;
      return byteCount > maxGroupBytes;
    });
    return this.#pending.splice(0, count === -1 ? this.#pending.length : Math.max(1, count));
  }

  /** Lets go of a log that is all done, when it is large or its room is needed. */
  async #renewLog(byteCount: number): Promise<void> {
    const { writer, queue } = this.#log ?? {};
    if (writer === undefined || queue?.isDone !== true) return;
    if (writer.durableBytes < renewBytes && this.#room.isWithin(byteCount)) return;
    await this.#endLog();
    await this.#discard(queue);
  }

  async #writeGroup(group: readonly PendingEntry[]): Promise<void> {
    if (this.#log !== undefined && this.#log.writer.durableBytes >= segmentBytes) await this.#endLog();
    this.#log ??= await this.#beginLog();
    const { writer } = this.#log;
    const before = writer.durableBytes;
    await writer.write(group.flatMap(({ parts }) => writer.seal(firstFlag | lastFlag, parts)));
    this.#room.heldBytes += writer.durableBytes - before;
  }

  async #beginLog() {
    const file = this.#nextFile();
    const writer = await SegmentWriter.create(file, this.#key);
    this.#room.heldBytes += writer.durableBytes;
    const isClosed = () => this.#log?.writer !== writer;
    const queue = new SegmentQueue({ file, durableBytes: () => writer.durableBytes, isClosed });
    this.#queues.push(queue);
    return { writer, queue };
  }

  async #endLog(): Promise<void> {
    const log = this.#log;
    this.#log = undefined;
    await log?.writer.close();
  }

  /** After a failed write nobody knows what of it is on the disk: the next entry begins a new file. */
  async #abandonLog(error: unknown): Promise<InboxError> {
    await this.#endLog().catch(() => {});
    return writeFailure(error);
  }

  /** A long entry that is whole takes its place in the queue. */
  async #adopt(writer: SegmentWriter): Promise<void> {
    const file = this.#nextFile();
    try {
      await writer.close();
      renameSync(writer.file, file);
      syncFolder(this.#folder);
    } catch (error) {
      throw writeFailure(error);
    }
    const { durableBytes } = writer;
    this.#queues.push(new SegmentQueue({ file, durableBytes: () => durableBytes, isClosed: () => true }));
    this.#wake();
  }

  #nextFile(): string {
    this.#lastNumber += 1;
    return segmentFile(this.#folder, this.#lastNumber);
  }

  async #release(queue: SegmentQueue): Promise<void> {
    if (!queue.isDone || !this.#queues.includes(queue)) return;
    // The log itself goes between two writes.
    if (this.#log?.queue !== queue) await this.#discard(queue);
  }

  async #discard(queue: SegmentQueue): Promise<void> {
    const at = this.#queues.indexOf(queue);
    if (at === -1) return;
    this.#queues.splice(at, 1);
    if (queue.damagedBytes > 0) this.#onDamage(queue.damagedBytes);
    this.#room.heldBytes -= queue.segment.durableBytes();
    await queue.discard();
  }

  #wake(): void {
    this.#changeCount += 1;
    for (const wake of [...this.#wakers]) wake();
  }
}

function closed(): InboxError {
  return new InboxError('INBOX_CLOSED', 'The inbox is closed.');
}
