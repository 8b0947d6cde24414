// The masks that a segmentation draws on the slices of a series, in the size that a plan asks for. The work of an image thread: once in a
// run, so that a segmentation of hundreds of frames is not opened again for each slice.
import { DicomRefusal, openSegmentation, parseDicom, type Segmentation } from '#site/ingest/index.ts';
import type { LeftOutReason } from './imaging-error.ts';
import { matchSegmentation, type PlacedSlice } from './match-segmentation.ts';
import { type PackedMask, packMask } from './packed-mask.ts';
import { nearestPixels, type PixelSize } from './resample.ts';

export interface DrawnMask {
  /** Index of the slice. */
  readonly slice: number;
  readonly mask: PackedMask;
}

export type DrawnSegmentation =
  | { readonly kind: 'drawn'; readonly masks: readonly DrawnMask[] }
  | {
      readonly kind: 'left-out';
      readonly reason: Extract<LeftOutReason, 'segmentation-not-decoded' | 'segmentation-geometry'>;
    };

/** A share of the segment in a pixel that makes it the segment's. */
const leastShare = 0.5;

/** @param bytes a whole Part 10 file */
export async function readMasks(
  bytes: Uint8Array,
  slices: readonly PlacedSlice[],
  size: PixelSize,
): Promise<DrawnSegmentation> {
  try {
    const segmentation = openSegmentationBytes(bytes);
    const drawn = matchSegmentation(segmentation, slices);
    if (drawn === undefined) return { kind: 'left-out', reason: 'segmentation-geometry' };
    const slicesOf = Map.groupBy(drawn, ({ frame }) => frame);
    const masks: DrawnMask[] = [];
    for (const [frame, found] of slicesOf) {
      const mask = packMask(resizeMask(await segmentation.decodeShares(frame), segmentation, size));
      if (mask !== undefined) masks.push(...found.map(({ slice }) => ({ slice, mask })));
    }
    return { kind: 'drawn', masks };
  } catch (error) {
    if (error instanceof DicomRefusal) return { kind: 'left-out', reason: 'segmentation-not-decoded' };
    throw error;
  }
}

/** @throws DicomRefusal */
export function openSegmentationBytes(bytes: Uint8Array): Segmentation {
  return openSegmentation(parseDicom(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)));
}

function resizeMask(shares: Float32Array, from: PixelSize, to: PixelSize): Uint8Array {
  const rows = nearestPixels(from.rows, to.rows);
  const columns = nearestPixels(from.columns, to.columns);
  const mask = new Uint8Array(to.rows * to.columns);
  for (let row = 0; row < to.rows; row += 1) {
    const start = (rows[row] ?? 0) * from.columns;
    const target = row * to.columns;
    for (let column = 0; column < to.columns; column += 1)
      if ((shares[start + (columns[column] ?? 0)] ?? 0) >= leastShare) mask[target + column] = 1;
  }
  return mask;
}
