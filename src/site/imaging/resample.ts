// Images and masks in the size that a plan asks for (docs/formats/imaging-input.md): each axis by itself, linear between the centres of
// pixels where it grows, the mean over the area of a pixel where it shrinks. In float64 and a fixed order: the same bits everywhere.

export interface PixelSize {
  readonly rows: number;
  readonly columns: number;
}

/** Which source pixels each target pixel of an axis is made of: `weights[starts[at]]` of source pixel `firsts[at]`, and those behind it. */
interface Axis {
  readonly firsts: Int32Array;
  /** One more than there are target pixels. */
  readonly starts: Int32Array;
  readonly weights: Float64Array;
}

/** Resamples images of one size to another; its buffers are used again. */
export class Resampler {
  readonly #from: PixelSize;
  readonly #to: PixelSize;
  readonly #rows: Axis;
  readonly #columns: Axis;
  /** The rows of the image in the width of the target. */
  readonly #narrowed: Float64Array;
  readonly #sums: Float64Array;

  constructor(from: PixelSize, to: PixelSize) {
    this.#from = from;
    this.#to = to;
    this.#rows = axisOf(from.rows, to.rows);
    this.#columns = axisOf(from.columns, to.columns);
    this.#narrowed = new Float64Array(from.rows * to.columns);
    this.#sums = new Float64Array(to.columns);
  }

  /**
   * @param image row by row
   * @param target gets the resampled pixels, each divided and then rounded once
   */
  resample(image: Float32Array, divisor: number, target: Float32Array): void {
    const { rows, columns } = this.#to;
    if (columns === this.#from.columns) this.#narrowed.set(image);
    else this.#narrow(image);
    if (rows === this.#from.rows) {
      for (let at = 0; at < target.length; at += 1) target[at] = (this.#narrowed[at] ?? 0) / divisor;
      return;
    }
    const { firsts, starts, weights } = this.#rows;
    const sums = this.#sums;
    for (let row = 0; row < rows; row += 1) {
      const start = starts[row] ?? 0;
      const end = starts[row + 1] ?? 0;
      sums.fill(0);
      for (let at = start; at < end; at += 1) this.#addRow((firsts[row] ?? 0) + at - start, weights[at] ?? 0);
      for (let column = 0; column < columns; column += 1)
        target[row * columns + column] = (sums[column] ?? 0) / divisor;
    }
  }

  #narrow(image: Float32Array): void {
    const { firsts, starts, weights } = this.#columns;
    const width = this.#to.columns;
    for (let row = 0; row < this.#from.rows; row += 1) {
      const source = row * this.#from.columns;
      for (let column = 0; column < width; column += 1) {
        const start = starts[column] ?? 0;
        const end = starts[column + 1] ?? 0;
        const first = source + (firsts[column] ?? 0) - start;
        let sum = 0;
        for (let at = start; at < end; at += 1) sum += (weights[at] ?? 0) * (image[first + at] ?? 0);
        this.#narrowed[row * width + column] = sum;
      }
    }
  }

  #addRow(row: number, weight: number): void {
    const sums = this.#sums;
    const start = row * sums.length;
    for (let column = 0; column < sums.length; column += 1)
      sums[column] = (sums[column] ?? 0) + weight * (this.#narrowed[start + column] ?? 0);
  }
}

interface Footprint {
  readonly first: number;
  readonly weights: readonly number[];
}

function axisOf(from: number, to: number): Axis {
  const footprints = Array.from({ length: to }, (_, at) =>
    to < from ? areaOf(at, from, to) : lineOf(at, from, to),
  );
  const starts = new Int32Array(to + 1);
  for (const [at, { weights }] of footprints.entries()) starts[at + 1] = (starts[at] ?? 0) + weights.length;
  return {
    firsts: Int32Array.from(footprints, ({ first }) => first),
    starts,
    weights: Float64Array.from(footprints.flatMap(({ weights }) => weights)),
  };
}

/** In units of 1/to source pixels: the target pixel covers [at x from, (at + 1) x from), a source pixel is `to` wide. */
function areaOf(at: number, from: number, to: number): Footprint {
  const [start, end] = [at * from, (at + 1) * from];
  const first = Math.floor(start / to);
  const last = Math.ceil(end / to);
  const weights = Array.from({ length: last - first }, (_, index) => {
    const pixel = (first + index) * to;
    return (Math.min(end, pixel + to) - Math.max(start, pixel)) / from;
  });
  return { first, weights };
}

/** In units of 1/(2 x to): the target's centre is (2 x at + 1) x from, a source pixel's the odd multiples of `to`. */
function lineOf(at: number, from: number, to: number): Footprint {
  const centre = (2 * at + 1) * from - to;
  const first = Math.floor(centre / (2 * to));
  const share = (centre - first * 2 * to) / (2 * to);
  // Beyond the outer centres the outer pixel stands alone.
  if (first < 0 || first >= from - 1 || share === 0)
    return { first: Math.min(Math.max(first, 0), from - 1), weights: [1] };
  return { first, weights: [1 - share, share] };
}

/** For each target pixel of an axis, the source pixel that its centre lies in; on an edge, the one behind it. */
export function nearestPixels(from: number, to: number): Int32Array {
  return Int32Array.from({ length: to }, (_, at) => Math.floor(((2 * at + 1) * from) / (2 * to)));
}
