// Turns, flips, scales and brightens a training image with a seeded keystream, in plain code: the engines' own image transforms
// differ or are missing. A mask goes along, by nearest pixel, so that it stays 0 and 1.
import type { Keystream } from '#federation/crypto/keystream.ts';

export interface Image {
  /** Row-major, channels last. */
  readonly values: Float32Array;
  readonly rows: number;
  readonly columns: number;
  readonly channels: number;
}

export interface Augmentation {
  readonly flipRows: boolean;
  readonly flipColumns: boolean;
  /** Counter-clockwise, about the middle of the image. */
  readonly angleDegrees: number;
  /** Larger than 1 enlarges. */
  readonly scale: number;
  /** Of the image alone: value * gain + offset. */
  readonly gain: number;
  readonly offset: number;
}

/** How far each may go; the image as it is lies in the middle of each range. */
export interface AugmentationLimits {
  readonly flips: boolean;
  readonly maxAngleDegrees: number;
  /** 0.1 allows 0.9 to 1.1, also of the gain. */
  readonly maxScaleChange: number;
  readonly maxGainChange: number;
  readonly maxOffset: number;
}

export const unchanged: Augmentation = {
  flipRows: false,
  flipColumns: false,
  angleDegrees: 0,
  scale: 1,
  gain: 1,
  offset: 0,
};

/** Six draws, in the order of the fields; the same keystream gives the same augmentation. */
export function drawAugmentation(
  limits: AugmentationLimits,
  keystream: Pick<Keystream, 'nextDouble'>,
): Augmentation {
  const flip = () => keystream.nextDouble() < 0.5 && limits.flips;
  const within = (largest: number) => (2 * keystream.nextDouble() - 1) * largest;
  return {
    flipRows: flip(),
    flipColumns: flip(),
    angleDegrees: within(limits.maxAngleDegrees),
    scale: 1 + within(limits.maxScaleChange),
    gain: 1 + within(limits.maxGainChange),
    offset: within(limits.maxOffset),
  };
}

/** Bilinear; what lies outside the image is its nearest edge. */
export function augmentImage(image: Image, augmentation: Augmentation): Image {
  const { gain, offset } = augmentation;
  return resample(image, augmentation, (row, column, channel) => {
    const [top, left] = [Math.floor(row), Math.floor(column)];
    const [down, across] = [row - top, column - left];
    const at = (y: number, x: number) => pixelAt(image, y, x, channel);
    const upper = at(top, left) * (1 - across) + at(top, left + 1) * across;
    const lower = at(top + 1, left) * (1 - across) + at(top + 1, left + 1) * across;
    return (upper * (1 - down) + lower * down) * gain + offset;
  });
}

/** The nearest pixel; what lies outside is 0, since nobody drew there. */
export function augmentMask(mask: Image, augmentation: Augmentation): Image {
  return resample(mask, augmentation, (row, column, channel) => {
    const [y, x] = [Math.round(row), Math.round(column)];
    const isInside = y >= 0 && x >= 0 && y < mask.rows && x < mask.columns;
    return isInside ? pixelAt(mask, y, x, channel) : 0;
  });
}

type Sample = (row: number, column: number, channel: number) => number;

/** For each pixel of the result, where in the source it comes from. */
function resample(
  image: Image,
  { flipRows, flipColumns, angleDegrees, scale }: Augmentation,
  sample: Sample,
): Image {
  const { rows, columns, channels } = image;
  const values = new Float32Array(image.values.length);
  const [cosine, sine] = turn(angleDegrees);
  const [middleRow, middleColumn] = [(rows - 1) / 2, (columns - 1) / 2];
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const [y, x] = [(row - middleRow) / scale, (column - middleColumn) / scale];
      const turnedRow = cosine * y + sine * x;
      const turnedColumn = cosine * x - sine * y;
      const sourceRow = middleRow + (flipRows ? -turnedRow : turnedRow);
      const sourceColumn = middleColumn + (flipColumns ? -turnedColumn : turnedColumn);
      const at = (row * columns + column) * channels;
      for (let channel = 0; channel < channels; channel += 1)
        values[at + channel] = sample(sourceRow, sourceColumn, channel);
    }
  }
  return { ...image, values };
}

/** Cosine and sine; exact for quarter turns, which a floating-point pi is not. */
function turn(angleDegrees: number): readonly [number, number] {
  const quarters = (((angleDegrees / 90) % 4) + 4) % 4;
  const exact = [
    [1, 0],
    [0, 1],
    [-1, 0],
    [0, -1],
  ] as const;
  const found = exact[quarters];
  if (found !== undefined) return found;
  const radians = (angleDegrees * Math.PI) / 180;
  return [Math.cos(radians), Math.sin(radians)];
}

function pixelAt(
  { values, rows, columns, channels }: Image,
  row: number,
  column: number,
  channel: number,
): number {
  const y = Math.min(Math.max(row, 0), rows - 1);
  const x = Math.min(Math.max(column, 0), columns - 1);
  return values[(y * columns + x) * channels + channel] ?? 0;
}
