// The log that short entries share, with group commit: whatever came while the last group was on its way to the disk goes in one write
// and one flush. After a failed write nobody knows what of it is on the disk, so the next entry begins a new segment.
import { InboxError, writeFailure } from './inbox-error.ts';
import { firstFlag, lastFlag } from './inbox-frame.ts';
import { SegmentQueue } from './inbox-queue.ts';
import type { InboxRoom } from './inbox-room.ts';
import { maxGroupBytes, SegmentWriter } from './inbox-segment.ts';

export interface InboxLogOptions {
  readonly inboxKey: Uint8Array;
  readonly room: InboxRoom;
  readonly nextFile: () => string;
  /** A segment was begun: it is read from now on. */
  readonly onBegin: (queue: SegmentQueue) => void;
  /** A segment that was written to is done and has ended. */
  readonly onDone: (queue: SegmentQueue) => Promise<void>;
  readonly onWritten: () => void;
}

/** A segment ends at this size. */
const segmentBytes = 64 * 2 ** 20;
/** One that is all done ends from this size on. */
const renewBytes = 4 * 2 ** 20;

interface PendingEntry {
  readonly parts: readonly Uint8Array[];
  readonly byteCount: number;
  readonly resolve: () => void;
  readonly reject: (error: InboxError) => void;
}

export class InboxLog {
  readonly #options: InboxLogOptions;
  #segment: { readonly writer: SegmentWriter; readonly queue: SegmentQueue } | undefined;
  #pending: PendingEntry[] = [];
  #writing: Promise<void> | undefined;

  constructor(options: InboxLogOptions) {
    this.#options = options;
  }

  /** Whether entries are still written to the segment. */
  holds(queue: SegmentQueue): boolean {
    return this.#segment?.queue === queue;
  }

  /** Durable when it returns. @throws InboxError INBOX_FULL, INBOX_UNAVAILABLE. */
  append(parts: readonly Uint8Array[], byteCount: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ parts, byteCount, resolve, reject });
      this.#writing ??= this.#writePending();
    });
  }

  /** Ends a segment that is all done. */
  async tidy(): Promise<void> {
    const queue = this.#segment?.queue;
    if (queue?.isDone !== true || this.#writing !== undefined) return;
    await this.#end();
    await this.#options.onDone(queue);
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#end();
  }

  async #writePending(): Promise<void> {
    while (this.#pending.length > 0) {
      const group = this.#takeGroup();
      const byteCount = group.reduce((total, entry) => total + entry.byteCount, 0);
      try {
        await this.#renew(byteCount);
        await this.#options.room.check(byteCount);
        await this.#writeGroup(group);
      } catch (error) {
        const refusal = error instanceof InboxError ? error : await this.#abandon(error);
        for (const { reject } of group) reject(refusal);
        continue;
      }
      this.#options.onWritten();
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

  /** Lets go of a segment that is all done, when it is large or its room is needed. */
  async #renew(byteCount: number): Promise<void> {
    const { writer, queue } = this.#segment ?? {};
    if (writer === undefined || queue?.isDone !== true) return;
    if (writer.durableBytes < renewBytes && this.#options.room.isWithin(byteCount)) return;
    await this.#end();
    await this.#options.onDone(queue);
  }

  async #writeGroup(group: readonly PendingEntry[]): Promise<void> {
    if (this.#segment !== undefined && this.#segment.writer.durableBytes >= segmentBytes) await this.#end();
    const { writer } = this.#segment ?? (await this.#begin());
    const before = writer.durableBytes;
    try {
      await writer.write(group.flatMap(({ parts }) => writer.seal(firstFlag | lastFlag, parts)));
    } finally {
      this.#options.room.heldBytes += writer.durableBytes - before;
    }
  }

  async #begin() {
    const { nextFile, inboxKey, room, onBegin } = this.#options;
    const file = nextFile();
    const writer = await SegmentWriter.create(file, inboxKey);
    room.heldBytes += writer.durableBytes;
    const isClosed = () => this.#segment?.writer !== writer;
    const queue = new SegmentQueue({ file, durableBytes: () => writer.durableBytes, isClosed });
    // Before anybody reads it: a segment that is not written to and has nothing unread would be taken for done.
    this.#segment = { writer, queue };
    onBegin(queue);
    return this.#segment;
  }

  async #end(): Promise<void> {
    const segment = this.#segment;
    this.#segment = undefined;
    await segment?.writer.close();
  }

  async #abandon(error: unknown): Promise<InboxError> {
    await this.#end().catch(() => {});
    return writeFailure(error);
  }
}
