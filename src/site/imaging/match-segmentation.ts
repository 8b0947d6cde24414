// Which slices the frames of a segmentation were drawn on: those that they name, else those that lie where they do. A frame of another
// size or another place than its slice would mark other pixels than a person did, so that the series is left out.
import { isSamePlane, type Segmentation, type SegmentFrame } from '#site/ingest/index.ts';
import type { Slice } from './slice.ts';

export type PlacedSlice = Pick<
  Slice,
  'sopInstanceUid' | 'frame' | 'frameCount' | 'rows' | 'columns' | 'position' | 'orientation'
>;

export interface DrawnFrame {
  /** Index of the slice. */
  readonly slice: number;
  /** Of the segmentation, from 0. */
  readonly frame: number;
}

/** In the order of the segmentation's frames; undefined where one does not fit the slice that it names. */
export function matchSegmentation(
  segmentation: Pick<Segmentation, 'rows' | 'columns' | 'frames'>,
  slices: readonly PlacedSlice[],
): DrawnFrame[] | undefined {
  const byUid = Map.groupBy(slices.keys(), (at) => slices[at]?.sopInstanceUid);
  const drawn: DrawnFrame[] = [];
  for (const [frame, segmentFrame] of segmentation.frames.entries()) {
    const named = segmentFrame.sources.flatMap((source) =>
      namedSlices(segmentFrame, source.frameNumber, byUid.get(source.sopInstanceUid) ?? [], slices),
    );
    const found =
      segmentFrame.sources.length > 0
        ? named
        : [...slices.keys()].filter((at) => isOnSlice(segmentFrame, slices[at]));
    for (const slice of new Set(found)) {
      if (!fits(segmentation, segmentFrame, slices[slice])) return undefined;
      drawn.push({ slice, frame });
    }
  }
  return drawn;
}

/** Of a multi-frame image without the number of a frame, the frame that lies where the segment's does. */
function namedSlices(
  segmentFrame: SegmentFrame,
  frameNumber: number | null,
  candidates: readonly number[],
  slices: readonly PlacedSlice[],
): readonly number[] {
  if (frameNumber !== null) return candidates.filter((at) => slices[at]?.frame === frameNumber - 1);
  return candidates.length <= 1 ? candidates : candidates.filter((at) => isOnSlice(segmentFrame, slices[at]));
}

function isOnSlice({ geometry }: SegmentFrame, slice: PlacedSlice | undefined): boolean {
  return slice !== undefined && isSamePlane(geometry, { ...noSpacing, ...slice });
}

const noSpacing = { pixelSpacing: null, sliceThickness: null, spacingBetweenSlices: null };

/** What one of the two does not say is not held against them. */
function fits(
  { rows, columns }: Pick<Segmentation, 'rows' | 'columns'>,
  { geometry }: SegmentFrame,
  slice: PlacedSlice | undefined,
): boolean {
  if (slice === undefined || slice.rows !== rows || slice.columns !== columns) return false;
  const position = slice.position ?? geometry.position ?? origin;
  const orientation = slice.orientation ?? geometry.orientation ?? axes;
  return isSamePlane(
    {
      ...noSpacing,
      position: geometry.position ?? position,
      orientation: geometry.orientation ?? orientation,
    },
    { ...noSpacing, position, orientation },
  );
}

const origin = [0, 0, 0] as const;
const axes = [1, 0, 0, 0, 1, 0] as const;
