// Many short texts by number, in one block of bytes: as strings a million ids would take twice the memory, and be looked at by every
// collection of garbage.

/** For each text at first: the length of an id. */
const usualBytes = 26;
/** Of a text in UTF-8. */
const mostBytes = 255;

export class ShortTexts {
  #bytes: Buffer;
  #end = 0;
  /** By number: where its text begins. */
  readonly #starts: Float64Array;
  /** By number: how many bytes its text has; 0 for one that has none. */
  readonly #lengths: Uint8Array;

  /** @param count numbers go from 0 up to before it */
  constructor(count: number) {
    this.#bytes = Buffer.alloc(usualBytes * count + 3 * mostBytes);
    this.#starts = new Float64Array(count);
    this.#lengths = new Uint8Array(count);
  }

  /** @throws RangeError when the text is empty or has more than 255 bytes: it would be another one when read. */
  set(number: number, text: string): void {
    // Three bytes at most for a unit of UTF-16.
    this.#reserve(3 * text.length);
    const length = this.#bytes.write(text, this.#end, 'utf8');
    if (length === 0 || length > mostBytes) throw new RangeError('a short text has 1 to 255 bytes');
    this.#starts[number] = this.#end;
    this.#lengths[number] = length;
    this.#end += length;
  }

  get(number: number): string | undefined {
    const length = this.#lengths[number] ?? 0;
    if (length === 0) return undefined;
    const start = this.#starts[number] ?? 0;
    return this.#bytes.toString('utf8', start, start + length);
  }

  #reserve(more: number): void {
    if (this.#end + more <= this.#bytes.length) return;
    const larger = Buffer.alloc(Math.ceil(1.5 * this.#bytes.length) + more);
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#bytes = larger;
  }
}
