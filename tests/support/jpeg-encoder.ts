// Encodes small JPEG streams for tests, lossless and 12-bit sequential, with one plain Huffman table for everything.
const quantOfOnes = Buffer.concat([Buffer.from('ffdb004300', 'hex'), Buffer.alloc(64, 1)]);

/** Codes of 8 bits for the symbols below 128, of 9 bits for the others. */
function huffmanSegment(tableClass: number): Buffer {
  const counts = Buffer.alloc(16);
  counts[7] = 128;
  counts[8] = 128;
  const symbols = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
  return Buffer.concat([Buffer.from([0xff, 0xc4, 0x01, 0x13, tableClass * 16]), counts, symbols]);
}

class BitWriter {
  readonly #bytes: number[] = [];
  #bits = 0;
  #count = 0;

  write(value: number, count: number): void {
    for (let at = count - 1; at >= 0; at -= 1) {
      this.#bits = (this.#bits << 1) | ((value >> at) & 1);
      this.#count += 1;
      if (this.#count === 8) this.#flush();
    }
  }

  symbol(symbol: number): void {
    if (symbol < 128) this.write(symbol, 8);
    else this.write(256 + symbol - 128, 9);
  }

  /** The magnitude category of a number, by `symbol` with `run`, and its bits. */
  signed(value: number, run = 0): void {
    const size = value === 0 ? 0 : 32 - Math.clz32(Math.abs(value));
    this.symbol(run * 16 + size);
    if (size > 0 && size < 16) this.write(value < 0 ? value + (1 << size) - 1 : value, size);
  }

  finish(): Buffer {
    while (this.#count !== 0) this.write(1, 1);
    return Buffer.from(this.#bytes);
  }

  restart(index: number): void {
    while (this.#count !== 0) this.write(1, 1);
    this.#bytes.push(0xff, 0xd0 + (index % 8));
  }

  #flush(): void {
    this.#bytes.push(this.#bits);
    if (this.#bits === 0xff) this.#bytes.push(0);
    this.#bits = 0;
    this.#count = 0;
  }
}

export interface EncodedShape {
  readonly rows: number;
  readonly columns: number;
  readonly componentCount: number;
  readonly precision: number;
}

function frameSegment(marker: number, { rows, columns, componentCount, precision }: EncodedShape): Buffer {
  const head = Buffer.from([0xff, marker, 0, 8 + componentCount * 3, precision, 0, 0, 0, 0, componentCount]);
  head.writeUInt16BE(rows, 5);
  head.writeUInt16BE(columns, 7);
  const components = Array.from({ length: componentCount }, (_, index) => [index + 1, 0x11, 0]).flat();
  return Buffer.concat([head, Buffer.from(components)]);
}

function scanSegment(componentCount: number, parameters: readonly number[]): Buffer {
  const components = Array.from({ length: componentCount }, (_, index) => [index + 1, 0x00]).flat();
  return Buffer.from([0xff, 0xda, 0, 6 + componentCount * 2, componentCount, ...components, ...parameters]);
}

const start = Buffer.from('ffd8', 'hex');
const end = Buffer.from('ffd9', 'hex');

/** The prediction of T.81 table H.1, written down a second time. */
const predictors: Readonly<Record<number, (left: number, above: number, corner: number) => number>> = {
  1: (left) => left,
  2: (_, above) => above,
  3: (_, __, corner) => corner,
  4: (left, above, corner) => left + above - corner,
  5: (left, above, corner) => left + ((above - corner) >> 1),
  6: (left, above, corner) => above + ((left - corner) >> 1),
  7: (left, above) => (left + above) >> 1,
};

/** Lossless JPEG of interleaved samples, by any predictor, with a restart after every `restartRows` rows. */
export function encodeLosslessJpeg(
  samples: ArrayLike<number>,
  shape: EncodedShape,
  { predictor = 1, restartRows = 0 }: { predictor?: number; restartRows?: number } = {},
): Buffer {
  const { rows, columns, componentCount, precision } = shape;
  const bits = new BitWriter();
  const at = (row: number, column: number, component: number) =>
    samples[(row * columns + column) * componentCount + component] ?? 0;
  for (let row = 0; row < rows; row += 1) {
    const isFirst = row === 0 || (restartRows > 0 && row % restartRows === 0);
    if (isFirst && row > 0) bits.restart(row / restartRows - 1);
    for (let column = 0; column < columns; column += 1) {
      for (let component = 0; component < componentCount; component += 1) {
        let prediction = 1 << (precision - 1);
        if (isFirst && column > 0) prediction = at(row, column - 1, component);
        if (!isFirst && column === 0) prediction = at(row - 1, 0, component);
        if (!isFirst && column > 0) {
          prediction =
            predictors[predictor]?.(
              at(row, column - 1, component),
              at(row - 1, column, component),
              at(row - 1, column - 1, component),
            ) ?? 0;
        }
        const difference = ((at(row, column, component) - prediction) << 16) >> 16;
        bits.signed(difference === -0x8000 ? 0x8000 : difference);
      }
    }
  }
  const interval = Buffer.from('ffdd00040000', 'hex');
  interval.writeUInt16BE(restartRows * columns, 4);
  return Buffer.concat([
    start,
    frameSegment(0xc3, shape),
    huffmanSegment(0),
    interval,
    scanSegment(componentCount, [predictor, 0, 0]),
    bits.finish(),
    end,
  ]);
}

/** 12-bit sequential JPEG of grey samples, rows and columns multiples of 8, quantised by 1: all but lossless. */
export function encodeTwelveBitJpeg(samples: ArrayLike<number>, rows: number, columns: number): Buffer {
  const bits = new BitWriter();
  let previous = 0;
  for (let top = 0; top < rows; top += 8) {
    for (let left = 0; left < columns; left += 8) {
      const coefficients = forwardTransform((x, y) => (samples[(top + y) * columns + left + x] ?? 0) - 2048);
      bits.signed((coefficients[0] ?? 0) - previous);
      previous = coefficients[0] ?? 0;
      writeRuns(bits, coefficients);
    }
  }
  const shape = { rows, columns, componentCount: 1, precision: 12 };
  return Buffer.concat([
    start,
    quantOfOnes,
    frameSegment(0xc1, shape),
    huffmanSegment(0),
    huffmanSegment(1),
    scanSegment(1, [0, 63, 0]),
    bits.finish(),
    end,
  ]);
}

function writeRuns(bits: BitWriter, coefficients: readonly number[]): void {
  let run = 0;
  for (const value of coefficients.slice(1)) {
    if (value === 0) {
      run += 1;
      continue;
    }
    for (; run > 15; run -= 16) bits.symbol(0xf0);
    bits.signed(value, run);
    run = 0;
  }
  if (run > 0) bits.symbol(0);
}

/** Coefficients in coding order, walked along the diagonals. */
function forwardTransform(sample: (x: number, y: number) => number): number[] {
  const scale = (u: number) => (u === 0 ? Math.SQRT1_2 : 1) / 2;
  const wave = (at: number, u: number) => Math.cos(((2 * at + 1) * u * Math.PI) / 16);
  const ordered: number[] = [];
  for (let diagonal = 0; diagonal < 15; diagonal += 1) {
    const places = Array.from({ length: 8 }, (_, v) => [diagonal - v, v] as const).filter(
      ([u]) => u >= 0 && u < 8,
    );
    for (const [u, v] of diagonal % 2 === 0 ? places.toReversed() : places) {
      let sum = 0;
      for (let y = 0; y < 8; y += 1)
        for (let x = 0; x < 8; x += 1) sum += sample(x, y) * wave(x, u) * wave(y, v);
      ordered.push(Math.round(sum * scale(u) * scale(v)));
    }
  }
  return ordered;
}
