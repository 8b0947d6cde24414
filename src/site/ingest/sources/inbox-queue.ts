// The segments that wait, oldest first, and which of their entries are done. A segment goes when all of it is; how far one is done
// survives a restart, and an entry that comes again after a crash is found by its content digest.
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { firstFlag, type InboxEntryHeader, lastFlag, parseEntryHeader } from './inbox-frame.ts';
import { SegmentReader } from './inbox-segment.ts';

/** Entries between two notes of how far a segment is done. */
const entriesBetweenNotes = 64;

/** Ends the reading of an entry that cannot be read to its end, now or later; caught where entries are imported. */
export class DamagedEntry extends Error {
  override readonly name = 'DamagedEntry';
}

export interface InboxItem {
  readonly header: InboxEntryHeader;
  /** All of its bytes where it is held in one piece (up to 1 MiB); null where it must be read. */
  readonly bytes: Uint8Array | null;
  /** The entry's bytes in order; may be read once. @throws DamagedEntry; Error of the system. */
  read(): AsyncGenerator<Uint8Array>;
  /** The entry's outcome is committed: it goes. */
  remove(): Promise<void>;
}

export interface QueuedSegment {
  readonly file: string;
  /** Bytes that are durable: nobody reads further. */
  durableBytes(): number;
  /** Nothing more is written to it. */
  isClosed(): boolean;
}

export class SegmentQueue {
  readonly segment: QueuedSegment;
  /** Entries given out, and those done. */
  takenCount = 0;
  #reader: SegmentReader | undefined;
  #skip: number;
  /** Where the reader found no more; what was written since lies beyond it. */
  #readEnd = -1;
  readonly #done = new Set<number>();
  #doneBefore: number;
  #notedCount: number;

  constructor(segment: QueuedSegment) {
    this.segment = segment;
    this.#skip = loadNote(segment.file);
    this.#doneBefore = this.#skip;
    this.#notedCount = this.#skip;
  }

  /** All that was written was given out and is done. */
  get isDone(): boolean {
    return this.#readEnd === this.segment.durableBytes() && this.#doneBefore === this.takenCount;
  }

  get isReadToEnd(): boolean {
    return this.#readEnd === this.segment.durableBytes() && this.segment.isClosed();
  }

  get damagedBytes(): number {
    return this.#reader?.damagedBytes ?? 0;
  }

  /** The next entry that was not given out yet. @throws Error of the system. */
  async next(inboxKey: Uint8Array, onDone: () => Promise<void>): Promise<InboxItem | undefined> {
    this.#reader ??= await SegmentReader.open(this.segment.file, inboxKey);
    for (;;) {
      const end = this.segment.durableBytes();
      const frame = await this.#reader.next(end);
      if (frame === undefined) {
        this.#readEnd = end;
        return undefined;
      }
      if ((frame.flags & firstFlag) === 0) continue;
      const index = this.takenCount;
      this.takenCount += 1;
      if (index < this.#skip) continue;
      const { header, bytes } = parseEntryHeader(frame.bytes);
      const isWhole = (frame.flags & lastFlag) !== 0;
      // A long entry has its segment for itself, and whoever reads the entry reads the rest of it.
      if (!isWhole) this.#readEnd = end;
      const rest = isWhole ? undefined : this.#reader;
      return {
        header,
        bytes: isWhole ? bytes : null,
        read: () => readFrames(bytes, rest, () => this.segment.durableBytes()),
        remove: async () => {
          this.#markDone(index);
          await onDone();
        },
      };
    }
  }

  /** Writes down how far the segment is done. */
  note(): void {
    if (this.#doneBefore === this.#notedCount) return;
    this.#notedCount = this.#doneBefore;
    const file = noteFile(this.segment.file);
    writeFileSync(`${file}.tmp`, String(this.#doneBefore), { mode: 0o600 });
    renameSync(`${file}.tmp`, file);
  }

  /** Deletes the segment; one that holds damage is kept under another name. */
  async discard(): Promise<void> {
    await this.close();
    const { file } = this.segment;
    if (this.damagedBytes > 0) renameSync(file, `${file}.damaged`);
    else rmSync(file, { force: true });
    rmSync(noteFile(file), { force: true });
  }

  async close(): Promise<void> {
    await this.#reader?.close().catch(() => {});
  }

  #markDone(index: number): void {
    this.#done.add(index);
    while (this.#done.delete(this.#doneBefore)) this.#doneBefore += 1;
    if (this.#doneBefore - this.#notedCount >= entriesBetweenNotes) this.note();
  }
}

async function* readFrames(
  first: Uint8Array,
  rest: SegmentReader | undefined,
  end: () => number,
): AsyncGenerator<Uint8Array> {
  yield first;
  if (rest === undefined) return;
  for (;;) {
    const frame = await rest.next(end());
    // Attack: a byte changed in the middle would give a file with a hole that may look whole.
    if (frame === undefined || frame.isAfterDamage) throw new DamagedEntry();
    yield frame.bytes;
    if ((frame.flags & lastFlag) !== 0) return;
  }
}

/** Segments that an earlier process left, oldest first; what it had not finished writing is deleted. */
export function findSegments(folder: string): { segments: QueuedSegment[]; lastNumber: number } {
  const names = readdirSync(folder);
  for (const name of names)
    if (/\.(partial|tmp)$/.test(name)) rmSync(path.join(folder, name), { force: true });
  // Random names of partial files begin with digits too; a number taken from one would be no segment's.
  const numbered = names.filter((name) => /^\d{12}\./.test(name));
  const found = numbered.filter((name) => name.endsWith('.segment')).sort();
  const segments = found.map((name) => {
    const file = path.join(folder, name);
    const size = statSync(file).size;
    return { file, durableBytes: () => size, isClosed: () => true };
  });
  return { segments, lastNumber: Math.max(0, ...numbered.map((name) => Number.parseInt(name, 10))) };
}

export function segmentFile(folder: string, number: number): string {
  return path.join(folder, `${String(number).padStart(12, '0')}.segment`);
}

function noteFile(file: string): string {
  return file.replace(/segment$/, 'done');
}

function loadNote(file: string): number {
  const note = noteFile(file);
  const count = existsSync(note) ? Number(readFileSync(note, 'utf8')) : 0;
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}
