// Reads all pixels of a series once: where its slices lie, and how often each intensity occurs. The work of an image thread.
import { DicomRefusal, type FrameGeometry, openFrames } from '#site/ingest/index.ts';
import type { LeftOutReason } from './imaging-error.ts';
import { IntensityCounter, type IntensityCounts } from './intensity-counts.ts';

export interface SummarisedFrame {
  /** From 0. */
  readonly frame: number;
  readonly rows: number;
  readonly columns: number;
  readonly position: FrameGeometry['position'];
  readonly orientation: FrameGeometry['orientation'];
}

export type SummarisedSeries =
  | {
      readonly kind: 'read';
      /** Of each image. */
      readonly frames: readonly (readonly SummarisedFrame[])[];
      readonly intensities: IntensityCounts;
    }
  | { readonly kind: 'left-out'; readonly reason: LeftOutReason };

/** One at a time in a thread: its memory is used again. */
const counter = new IntensityCounter();

/** @param images whole Part 10 files, each read when its turn comes */
export async function summariseSeries(images: Iterable<Uint8Array>): Promise<SummarisedSeries> {
  counter.clear();
  const frames: SummarisedFrame[][] = [];
  for (const bytes of images) {
    const found = await summariseImage(bytes);
    if (typeof found === 'string') return { kind: 'left-out', reason: found };
    frames.push(found);
  }
  return { kind: 'read', frames, intensities: counter.counts() };
}

async function summariseImage(bytes: Uint8Array): Promise<SummarisedFrame[] | LeftOutReason> {
  try {
    const image = openFrames(bytes);
    if (image === null) return 'image-not-decoded';
    const { rows, columns, frameCount } = image.description;
    const frames: SummarisedFrame[] = [];
    for (let frame = 0; frame < frameCount; frame += 1) {
      const { pixels, geometry } = await image.decode(frame);
      if (pixels.kind !== 'grey') return 'image-not-grey';
      if (!counter.add(pixels.values)) return 'image-not-finite';
      const { position, orientation } = geometry;
      frames.push({ frame, rows, columns, position, orientation });
    }
    return frames;
  } catch (error) {
    // A person may have let in what nothing here decodes.
    if (error instanceof DicomRefusal) return 'image-not-decoded';
    throw error;
  }
}
