// Text drawn into pixels for tests: letters of five by seven dots, at any size, place and value; and noise like that of a magnetic
// resonance image to draw them on.

/** Seven rows of five dots each, as hexadecimal numbers from the top. */
const letters: Readonly<Record<string, string>> = {
  A: '0e11111f111111',
  B: '1e11111e11111e',
  C: '0e11101010110e',
  D: '1e11111111111e',
  E: '1f10101e10101f',
  F: '1f10101e101010',
  G: '0e11101711110f',
  H: '1111111f111111',
  I: '0e04040404040e',
  J: '0702020202120c',
  K: '11121418141211',
  L: '1010101010101f',
  M: '111b1515111111',
  N: '11191513111111',
  O: '0e11111111110e',
  P: '1e11111e101010',
  Q: '0e11111115120d',
  R: '1e11111e141211',
  S: '0f10100e01011e',
  T: '1f040404040404',
  U: '1111111111110e',
  V: '11111111110a04',
  W: '1111111515150a',
  X: '11110a040a1111',
  Y: '11110a04040404',
  Z: '1f01020408101f',
  0: '0e11131519110e',
  1: '040c040404040e',
  2: '0e11010204081f',
  3: '1f02040201110e',
  4: '02060a121f0202',
  5: '1f101e0101110e',
  6: '0608101e11110e',
  7: '1f010204080808',
  8: '0e11110e11110e',
  9: '0e11110f01020c',
};

export interface Canvas {
  readonly samples: Uint8Array | Int8Array | Uint16Array | Int16Array;
  readonly rows: number;
  readonly columns: number;
}

export interface DrawnText {
  readonly text: string;
  readonly row: number;
  readonly column: number;
  /** Pixels of one dot. */
  readonly size: number;
  readonly value: number;
}

/** Rows and columns that a text takes. */
export function textExtent(text: string, size: number): { rows: number; columns: number } {
  return { rows: 7 * size, columns: 6 * size * text.length - size };
}

/** Draws capitals, digits and spaces. */
export function drawText({ samples, columns }: Canvas, { text, row, column, size, value }: DrawnText): void {
  for (const [index, letter] of [...text].entries()) {
    const dots = letters[letter] ?? '00000000000000';
    for (let dot = 0; dot < 35 * size * size; dot += 1) {
      const y = Math.floor(dot / (5 * size));
      const x = dot % (5 * size);
      const line = Number.parseInt(dots.slice(2 * Math.floor(y / size), 2 * Math.floor(y / size) + 2), 16);
      if (((line >> (4 - Math.floor(x / size))) & 1) === 0) continue;
      samples[(row + y) * columns + column + 6 * size * index + x] = value;
    }
  }
}

/** Numbers from 0 to 1 by mulberry32: fast enough for every pixel, repeatable, not for anything but tests. */
export function fastRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x100000000;
  };
}

/** A bright ellipse with structure on a dark ground, all of it noisy: values 0 to about 1,000. */
export function noisySlice(seed: number, rows = 256, columns = 256): Uint16Array {
  const random = fastRandom(seed);
  const samples = new Uint16Array(rows * columns);
  const [high, wide] = [0.3 + 0.15 * random(), 0.3 + 0.15 * random()];
  for (let index = 0; index < samples.length; index += 1) {
    const y = (Math.floor(index / columns) - rows / 2) / (high * rows);
    const x = ((index % columns) - columns / 2) / (wide * columns);
    const inside = x * x + y * y < 1;
    const tissue = inside ? 400 + 200 * Math.sin(5 * x + seed) * Math.cos(4 * y) : 0;
    // Rician noise: the length of a vector with noise in both parts.
    const noise = () => 20 * (random() + random() + random() - 1.5);
    samples[index] = Math.round(Math.hypot(tissue + noise(), noise()));
  }
  return samples;
}

const plantedTexts = ['DOE JANE', 'MRN 0047113', '1980 02 28', 'ST ANNA', 'SMITH', 'X17'];
/** Shares of the range of values, 0 the darkest. */
const plantedShades = [1, 0.9, 0.75, 0.6, 0.4, 0];
/** Text nearer than this to the mean of what it stands on cannot be read. */
const leastContrast = 0.1;

/**
 * Draws one line of text of some size (1 to 4), place and shade, such that it can be read.
 * Gives false, and draws nothing, where the place that was drawn by lot would hide it.
 */
export function plantText(canvas: Canvas, random: () => number): boolean {
  const { samples, rows, columns } = canvas;
  const pick = <T>(values: readonly T[]): T | undefined => values[Math.floor(random() * values.length)];
  const text = pick(plantedTexts) ?? '';
  const sizes = [1, 1, 2, 3, 4].filter((size) => {
    const extent = textExtent(text, size);
    return extent.columns < columns && extent.rows < rows / 3;
  });
  const size = pick(sizes);
  if (size === undefined) return false;
  const extent = textExtent(text, size);
  const row = Math.floor(random() * (rows - extent.rows));
  const column = Math.floor(random() * (columns - extent.columns));
  let least = samples[0] ?? 0;
  let most = least;
  for (const sample of samples) {
    least = Math.min(least, sample);
    most = Math.max(most, sample);
  }
  const value = Math.round(least + (most - least) * (pick(plantedShades) ?? 1));
  let sum = 0;
  for (let y = row; y < row + extent.rows; y += 1) {
    for (let x = column; x < column + extent.columns; x += 1) sum += samples[y * columns + x] ?? 0;
  }
  const mean = sum / (extent.rows * extent.columns);
  if (Math.abs(value - mean) < leastContrast * (most - least)) return false;
  drawText(canvas, { text, row, column, size, value });
  return true;
}
