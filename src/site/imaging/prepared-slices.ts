// Slices that were prepared in this run, as many as fit into a fixed part of memory: a small study is decoded once and not in every
// epoch, a large one is read again. They are kept bit by bit and nowhere else, and end with the run.
import type { BatchArrays } from './image-work.ts';

export interface PreparedShape {
  /** Of a slice. */
  readonly pixelCount: number;
  /** Whether its target is a mask of 0 and 1. */
  readonly hasMasks: boolean;
}

interface PreparedSlice {
  readonly input: Float32Array;
  readonly mask: Uint8Array | undefined;
}

export class PreparedSlices {
  readonly #shape: PreparedShape;
  readonly #mostSlices: number;
  readonly #slices = new Map<number, PreparedSlice>();

  constructor(mostBytes: number, shape: PreparedShape) {
    this.#shape = shape;
    this.#mostSlices = Math.floor(mostBytes / (shape.pixelCount * (shape.hasMasks ? 5 : 4)));
  }

  /** Copies a slice to its place in a batch; false where it is not kept. */
  copy(example: number, { inputs, targets }: BatchArrays, place: number): boolean {
    const slice = this.#slices.get(example);
    if (slice === undefined) return false;
    inputs.set(slice.input, place * this.#shape.pixelCount);
    if (slice.mask !== undefined) targets.set(slice.mask, place * this.#shape.pixelCount);
    return true;
  }

  /** The first that fit are kept: an epoch visits each slice once, so that the last used is the next needed last. */
  keep(example: number, { inputs, targets }: BatchArrays, place: number): void {
    if (this.#slices.size >= this.#mostSlices || this.#slices.has(example)) return;
    const { pixelCount, hasMasks } = this.#shape;
    const [start, end] = [place * pixelCount, (place + 1) * pixelCount];
    this.#slices.set(example, {
      input: inputs.slice(start, end),
      mask: hasMasks ? Uint8Array.from(targets.subarray(start, end)) : undefined,
    });
  }

  clear(): void {
    this.#slices.clear();
  }
}
