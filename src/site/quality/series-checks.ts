// What the headers of one imaging series say about it: whether its images have one size, spacing and direction, and lie side by side.
import type { FindingCode } from './quality-report.ts';

/** One image as the store has it (sop_instance). */
export interface SeriesImage {
  readonly pixel_rows: number | null;
  readonly pixel_columns: number | null;
  readonly frame_count: number;
  readonly bits_stored: number | null;
  readonly row_spacing: number | null;
  readonly column_spacing: number | null;
  /** JSON: six direction cosines. */
  readonly orientation: string | null;
  /** JSON: three millimetres. */
  readonly position: string | null;
  readonly rescale_slope: number | null;
}

export type SeriesFault = Extract<FindingCode, `image-${string}`>;

/** Scanners round: a hundredth of a spacing is no other spacing, and half a degree no other direction. */
const spacingTolerance = 0.01;
const leastCosine = Math.cos((0.5 * Math.PI) / 180);
/** A gap of more than this many of the usual ones has room for a slice. */
const missingGap = 1.5;
/** Millimetres. Positions no further from each other are one: echoes and times of one slice. */
const samePlace = 0.01;
/** Modalities whose values mean something only after rescaling (Hounsfield units, activity). */
const rescaled: readonly string[] = ['CT', 'PT'];

/** Series of fewer images have no order to speak of. Frames of one object carry their places inside it, and are not judged. */
export function checkSeries(modality: string, images: readonly SeriesImage[]): SeriesFault[] {
  const plain = images.filter(({ frame_count: frames }) => frames === 1);
  if (plain.length === 0) return [];
  const faults: SeriesFault[] = [];
  const sizes = new Set(plain.map(({ pixel_rows: rows, pixel_columns: columns }) => `${rows}x${columns}`));
  if (sizes.size > 1) faults.push('image-size-mixed');
  if (varies(plain.map((one) => one.row_spacing)) || varies(plain.map((one) => one.column_spacing)))
    faults.push('image-spacing-mixed');
  if (new Set(plain.map((one) => one.bits_stored)).size > 1) faults.push('image-bits-mixed');
  if (rescaled.includes(modality) && plain.some((one) => one.rescale_slope === null))
    faults.push('image-rescale-missing');
  return [...faults, ...checkPlaces(plain)];
}

function checkPlaces(images: readonly SeriesImage[]): SeriesFault[] {
  if (images.length < 2) return [];
  const directions = images.map(({ orientation }) => numbersOf(orientation, 6));
  const places = images.map(({ position }) => numbersOf(position, 3));
  const [first] = directions;
  if (first === undefined || directions.includes(undefined) || places.includes(undefined))
    return ['image-geometry-missing'];
  const normal = normalOf(first);
  if (directions.some((other) => dot(normal, normalOf(other ?? first)) < leastCosine))
    return ['image-orientation-mixed'];
  return hasGap(places.map((place) => dot(normal, place ?? []))) ? ['image-slices-missing'] : [];
}

function hasGap(distances: readonly number[]): boolean {
  const sorted = distances.toSorted((left, right) => left - right);
  const steps = sorted.slice(1).map((distance, at) => distance - (sorted[at] ?? 0));
  const gaps = steps.filter((step) => step > samePlace).sort((left, right) => left - right);
  const usual = gaps[(gaps.length - 1) >> 1] ?? 0;
  // Two slices have one gap and nothing to compare it with; so have three with two.
  return gaps.length > 2 && (gaps.at(-1) ?? 0) > missingGap * usual;
}

function varies(spacings: readonly (number | null)[]): boolean {
  const [first] = spacings;
  if (first === undefined) return false;
  return spacings.some((other) =>
    other === null || first === null ? other !== first : Math.abs(other - first) > spacingTolerance * first,
  );
}

function numbersOf(json: string | null, count: number): number[] | undefined {
  if (json === null) return undefined;
  const found: unknown = JSON.parse(json);
  const isWhole = Array.isArray(found) && found.length === count && found.every(Number.isFinite);
  return isWhole ? (found as number[]) : undefined;
}

/** At right angles to rows and columns. */
function normalOf(cosines: readonly number[]): number[] {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = cosines;
  return [b * f - c * e, c * d - a * f, a * e - b * d];
}

function dot(one: readonly number[], other: readonly number[]): number {
  return one.reduce((sum, value, at) => sum + value * (other[at] ?? 0), 0);
}
