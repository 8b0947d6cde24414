// Cuts HL7 v2 bytes into messages: CR, LF or both as segment ends, batch envelopes (FHS BHS BTS FTS) and MLLP frames around them,
// within limits for lines and messages (security.md X11).
import { LineSplitter } from './line-splitter.ts';

/** Longer segments are refused: an embedded document is no fact. */
export const maxSegmentBytes = 1_048_576;
/** Of one message. */
export const maxSegments = 20_000;
export const maxMessageBytes = 16_777_216;

export interface RawLine {
  readonly row: number;
  readonly bytes: Buffer;
}

export interface RawMessage {
  /** From the MSH line on; empty for lines that stand before any. */
  readonly lines: readonly RawLine[];
  /** Line of a segment that was too long, or where the message became too large; null where all of it was read. */
  readonly brokenAt: number | null;
  readonly isHeaded: boolean;
}

export interface BatchTrailer {
  /** Number of messages that the trailer states; null where it states none. */
  readonly stated: number | null;
}

const carriageReturn = 0x0d;
const newline = 0x0a;

export class BatchSplitter {
  readonly #lines = new LineSplitter({ maxBytes: maxSegmentBytes, quotes: false });
  #lastByte = 0;
  #message: { lines: RawLine[]; bytes: number; brokenAt: number | null; isHeaded: boolean } | undefined;

  *write(bytes: Uint8Array): Generator<RawMessage | BatchTrailer> {
    for (const { row, bytes: line } of this.#lines.write(this.#withNewlines(bytes)))
      yield* this.#take(row, line);
  }

  *end(): Generator<RawMessage | BatchTrailer> {
    for (const { row, bytes: line } of this.#lines.end()) yield* this.#take(row, line);
    if (this.#message !== undefined) yield this.#message;
    this.#message = undefined;
  }

  /** CR and CRLF as LF, also where a chunk ends between the two. */
  #withNewlines(bytes: Uint8Array): Buffer {
    const out = Buffer.allocUnsafe(bytes.length);
    let length = 0;
    for (const byte of bytes) {
      const isSecond = byte === newline && this.#lastByte === carriageReturn;
      this.#lastByte = byte;
      if (isSecond) continue;
      out[length] = byte === carriageReturn ? newline : byte;
      length += 1;
    }
    return out.subarray(0, length);
  }

  *#take(row: number, line: Buffer | null): Generator<RawMessage | BatchTrailer> {
    const start = line === null ? '' : withoutFrame(line).subarray(0, 3).toString('latin1');
    if (line !== null && start === '') return;
    if (['MSH', 'FHS', 'BHS', 'BTS', 'FTS'].includes(start)) {
      if (this.#message !== undefined) yield this.#message;
      this.#message = undefined;
      if (start === 'BTS') yield { stated: statedCount(line) };
      if (start !== 'MSH') return;
    }
    this.#message ??= { lines: [], bytes: 0, brokenAt: null, isHeaded: start === 'MSH' };
    this.#hold(row, line === null ? null : withoutFrame(line));
  }

  #hold(row: number, line: Buffer | null): void {
    const message = this.#message;
    // A message that is refused is only skipped: it must not fill the memory.
    if (message === undefined || message.brokenAt !== null) return;
    message.bytes += line?.length ?? 0;
    if (line === null || message.lines.length >= maxSegments || message.bytes > maxMessageBytes) {
      message.brokenAt = row;
      message.lines.length = Math.min(message.lines.length, 1);
      return;
    }
    // Without a header the message is refused as a whole: its first line stands for it.
    if (!message.isHeaded && message.lines.length > 0) return;
    message.lines.push({ row, bytes: Buffer.from(line) });
  }
}

/** MLLP frames and a byte order mark are no part of a segment. */
function withoutFrame(line: Buffer): Buffer {
  let start = line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf ? 3 : 0;
  while (line[start] === 0x0b || line[start] === 0x1c || line[start] === 0x20) start += 1;
  let end = line.length;
  while (end > start && line[end - 1] === 0x1c) end -= 1;
  return line.subarray(start, end);
}

function statedCount(line: Buffer | null): number | null {
  const count = /^BTS.(\d{1,9})(?!\d)/.exec((line ?? Buffer.alloc(0)).toString('latin1'))?.[1];
  return count === undefined ? null : Number(count);
}
