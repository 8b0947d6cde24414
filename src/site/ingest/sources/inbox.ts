// The sealed inbox: what comes over the network is durable here, under AES-256-GCM, before its sender is told that it arrived, and
// stays until the outcome of its import is committed. A killed process loses nothing that was acknowledged.
import { renameSync } from 'node:fs';
import path from 'node:path';
import { toHex } from '#base/bytes.ts';
import { makePrivateFolder } from '#base/private-file.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import { EntryWriter, type InboxEntryWriter } from './inbox-entry.ts';
import { InboxError, writeFailure } from './inbox-error.ts';
import { deriveInboxKey, type InboxEntryHeader } from './inbox-frame.ts';
import { InboxLog } from './inbox-log.ts';
import { findSegments, type InboxItem, SegmentQueue, segmentFile } from './inbox-queue.ts';
import { defaultInboxLimits, type InboxLimits, InboxRoom } from './inbox-room.ts';
import { type SegmentWriter, syncFolder } from './inbox-segment.ts';

export type { InboxEntryWriter } from './inbox-entry.ts';

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
  /** Deletes what is done already. */
  tidy(): Promise<void>;
  /** Sealed bytes that wait. */
  readonly heldBytes: number;
  /** Waits for what is being written. What waits stays. */
  close(): Promise<void>;
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
  readonly #log: InboxLog;
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
    this.#log = new InboxLog({
      inboxKey: this.#key,
      room: this.#room,
      nextFile: () => this.#nextFile(),
      onBegin: (queue) => void this.#queues.push(queue),
      onDone: (queue) => this.#discard(queue),
      onWritten: () => this.#wake(),
    });
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
    return new EntryWriter(header, {
      partialFile: path.join(this.#folder, `${toHex(systemRandom(8))}.partial`),
      inboxKey: this.#key,
      room: this.#room,
      commitWhole: (parts, byteCount) => this.#unlessClosed(() => this.#log.append(parts, byteCount)),
      commitLong: (writer) => this.#unlessClosed(() => this.#adopt(writer)),
    });
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

  async tidy(): Promise<void> {
    await this.#log.tidy();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#log.close();
    this.#wake();
    for (const queue of [...this.#queues]) {
      queue.note();
      if (queue.isDone) await this.#discard(queue);
      else await queue.close();
    }
  }

  async #unlessClosed(work: () => Promise<void>): Promise<void> {
    if (this.#isClosed) throw new InboxError('INBOX_CLOSED', 'The inbox is closed.');
    await work();
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
    if (!this.#log.holds(queue)) await this.#discard(queue);
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
