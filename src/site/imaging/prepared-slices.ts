// Slices that were prepared in this run, as many as fit into a fixed part of memory: a small study is decoded once and not in every
// epoch, a large one is read again. They are kept bit by bit and nowhere else, and end with the run.

export class PreparedSlices {
  readonly #pixelCount: number;
  readonly #mostSlices: number;
  readonly #slices = new Map<number, Float32Array>();

  /** @param pixelCount of a slice */
  constructor(mostBytes: number, pixelCount: number) {
    this.#pixelCount = pixelCount;
    this.#mostSlices = Math.floor(mostBytes / (pixelCount * Float32Array.BYTES_PER_ELEMENT));
  }

  /** Copies a slice to its place among the inputs of a batch; false where it is not kept. */
  copy(example: number, inputs: Float32Array, place: number): boolean {
    const slice = this.#slices.get(example);
    if (slice !== undefined) inputs.set(slice, place * this.#pixelCount);
    return slice !== undefined;
  }

  /** The first that fit are kept: an epoch visits each slice once, so that the last used is the next needed last. */
  keep(example: number, inputs: Float32Array, place: number): void {
    if (this.#slices.size >= this.#mostSlices || this.#slices.has(example)) return;
    this.#slices.set(example, inputs.slice(place * this.#pixelCount, (place + 1) * this.#pixelCount));
  }

  clear(): void {
    this.#slices.clear();
  }
}
