// A slice: one frame of one SOP instance, and the order in which the slices of a series lie (docs/formats/imaging-input.md).
import type { FrameGeometry } from '#site/ingest/index.ts';

export interface Slice {
  readonly sopInstanceNo: number;
  readonly sopInstanceUid: string;
  readonly instanceNumber: number | null;
  /** From 0. */
  readonly frame: number;
  readonly frameCount: number;
  readonly rows: number;
  readonly columns: number;
  readonly position: FrameGeometry['position'];
  readonly orientation: FrameGeometry['orientation'];
}

/** Along the normal; those without a place behind all others; then by instance number, UID and frame. */
export function orderSlices(slices: readonly Slice[]): Slice[] {
  return slices
    .map((slice) => ({ slice, distance: distanceAlongNormal(slice) }))
    .sort((left, right) => {
      const byPlace = compare(left.distance, right.distance);
      return byPlace === 0 ? compareNames(left.slice, right.slice) : byPlace;
    })
    .map(({ slice }) => slice);
}

/** Millimetres from the origin of the frame of reference along the normal of the slice; infinite where it does not say where it lies. */
function distanceAlongNormal({ position, orientation }: Slice): number {
  if (position === null || orientation === null) return Number.POSITIVE_INFINITY;
  const [rowX = 0, rowY = 0, rowZ = 0, columnX = 0, columnY = 0, columnZ = 0] = orientation;
  const [x, y, z] = position;
  const normalX = rowY * columnZ - rowZ * columnY;
  const normalY = rowZ * columnX - rowX * columnZ;
  const normalZ = rowX * columnY - rowY * columnX;
  return normalX * x + normalY * y + normalZ * z;
}

function compareNames(left: Slice, right: Slice): number {
  const byNumber = compare(
    left.instanceNumber ?? Number.POSITIVE_INFINITY,
    right.instanceNumber ?? Number.POSITIVE_INFINITY,
  );
  if (byNumber !== 0) return byNumber;
  const byUid = compare(left.sopInstanceUid, right.sopInstanceUid);
  return byUid === 0 ? left.frame - right.frame : byUid;
}

function compare<Value extends number | string>(left: Value, right: Value): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
