// What the site asks of its image threads, and what they answer. Buffers of a batch are handed over and come back with the answer.
import type { ObjectPlace } from '#site/store/index.ts';
import type { DrawnFrame, PlacedSlice } from './match-segmentation.ts';
import type { SliceWork } from './prepare-slice.ts';
import type { PixelSize } from './resample.ts';
import type { SummarisedSeries } from './summarise-series.ts';

export interface ImageThreadData {
  /** Folder of the sealed objects. */
  readonly folder: string;
}

export interface SummariseRequest {
  readonly kind: 'summarise';
  readonly objects: readonly ObjectPlace[];
}

export interface MatchRequest {
  readonly kind: 'match';
  readonly object: ObjectPlace;
  readonly slices: readonly PlacedSlice[];
}

export type MatchedSegmentation =
  | { readonly kind: 'matched'; readonly drawn: readonly DrawnFrame[] }
  | { readonly kind: 'left-out'; readonly reason: 'segmentation-not-decoded' | 'segmentation-geometry' };

/** Arrays of a batch, row by row; what is not asked for stays as it is. */
export interface BatchArrays {
  readonly inputs: Float32Array<ArrayBuffer>;
  readonly targets: Float32Array<ArrayBuffer>;
}

export interface PrepareRequest {
  readonly kind: 'prepare';
  readonly size: PixelSize;
  readonly slices: readonly (SliceWork & { readonly place: number })[];
  readonly arrays: BatchArrays;
  /** Whether targets are masks; else they are left alone. */
  readonly hasMasks: boolean;
}

export type ImageRequest = SummariseRequest | MatchRequest | PrepareRequest;

export interface ImageAnswers {
  readonly summarise: SummarisedSeries;
  readonly match: MatchedSegmentation;
  readonly prepare: BatchArrays;
}

export type ImageReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly answer: ImageAnswers[keyof ImageAnswers] }
  /** `reason`: a code, never the words of a decoder. */
  | { readonly kind: 'failed'; readonly code: 'IMAGE_UNREADABLE' | 'BUG'; readonly reason: string };

/** Buffers that go along with a message. */
export function buffersOf({ inputs, targets }: BatchArrays): ArrayBuffer[] {
  return [inputs.buffer, targets.buffer];
}
