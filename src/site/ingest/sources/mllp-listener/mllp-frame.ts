// MLLP frames (HL7 v2.5.1 transport, release 1): 0x0B, the message, 0x1C 0x0D. A message that is too long is skipped to its end, so
// that it never lies in memory whole, and its beginning is kept: the answer must name it.

export interface MllpMessage {
  /** The whole message; of one that is too long its first bytes. */
  readonly bytes: Buffer;
  readonly isTooLong: boolean;
}

const startByte = 0x0b;
const endByte = 0x1c;
const returnByte = 0x0d;
/** What is kept of a message that is too long: its header fits in. */
const keptBytes = 4_096;
/** Line ends that some senders put between frames; more is no MLLP. */
const maxStrayBytes = 1_024;

export class MllpFrameReader {
  readonly #maxMessageBytes: number;
  #parts: Buffer[] = [];
  #size = 0;
  #isInFrame = false;
  #isTooLong = false;
  #strayBytes = 0;
  /** The last chunk ended with 0x1C. */
  #isEndPending = false;

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** A message has begun and is not whole yet. */
  get isInFrame(): boolean {
    return this.#isInFrame;
  }

  /** Messages that these bytes complete. @returns undefined after bytes that are no MLLP */
  *push(chunk: Buffer): Generator<MllpMessage | undefined> {
    let at = 0;
    while (at < chunk.length) {
      if (!this.#isInFrame) {
        const start = chunk.indexOf(startByte, at);
        this.#strayBytes += (start === -1 ? chunk.length : start) - at;
        if (this.#strayBytes > maxStrayBytes) {
          yield undefined;
          return;
        }
        if (start === -1) return;
        this.#begin();
        at = start + 1;
        continue;
      }
      const end = this.#findEnd(chunk, at);
      if (end === undefined) {
        this.#hold(chunk.subarray(at));
        this.#isEndPending = chunk.at(-1) === endByte;
        return;
      }
      this.#hold(chunk.subarray(at, end));
      yield this.#finish();
      at = end + 1;
    }
  }

  /** Place of the 0x0D that ends the frame. */
  #findEnd(chunk: Buffer, from: number): number | undefined {
    if (from === 0 && this.#isEndPending && chunk[0] === returnByte) return 0;
    for (let at = chunk.indexOf(endByte, from); at !== -1; at = chunk.indexOf(endByte, at + 1)) {
      if (chunk[at + 1] === returnByte) return at + 1;
    }
    return undefined;
  }

  #begin(): void {
    this.#isInFrame = true;
    this.#strayBytes = 0;
    this.#isEndPending = false;
  }

  #hold(part: Buffer): void {
    this.#size += part.length;
    if (this.#isTooLong) return;
    this.#parts.push(part);
    if (this.#size <= this.#maxMessageBytes + 1) return;
    this.#isTooLong = true;
    this.#parts = [Buffer.from(Buffer.concat(this.#parts).subarray(0, keptBytes))];
  }

  #finish(): MllpMessage {
    const whole = Buffer.concat(this.#parts);
    // The 0x1C was held with what is before it.
    const message = { bytes: this.#isTooLong ? whole : whole.subarray(0, -1), isTooLong: this.#isTooLong };
    this.#parts = [];
    this.#size = 0;
    this.#isInFrame = false;
    this.#isTooLong = false;
    this.#isEndPending = false;
    return message;
  }
}

/** The message in its frame. */
export function encodeMllpFrame(message: string): Uint8Array {
  return Buffer.concat([
    Buffer.from([startByte]),
    Buffer.from(message, 'utf8'),
    Buffer.from([endByte, returnByte]),
  ]);
}
