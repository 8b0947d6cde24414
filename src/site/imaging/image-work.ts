// What the site asks of its image threads, and what they answer. The inputs of a batch are handed over and come back with the answer.
import type { ObjectPlace } from '#site/store/index.ts';
import type { PlacedSlice } from './match-segmentation.ts';
import type { SliceWork } from './prepare-slice.ts';
import type { DrawnSegmentation } from './read-masks.ts';
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

export interface DrawRequest {
  readonly kind: 'draw';
  /** The segmentation. */
  readonly object: ObjectPlace;
  readonly slices: readonly PlacedSlice[];
  readonly size: PixelSize;
}

export interface PlacedWork extends SliceWork {
  /** In the batch. */
  readonly place: number;
}

export interface PrepareRequest {
  readonly kind: 'prepare';
  readonly size: PixelSize;
  readonly slices: readonly PlacedWork[];
  /** Of the whole batch; places that no slice goes to stay as they are. */
  readonly inputs: Float32Array<ArrayBuffer>;
}

export type ImageRequest = SummariseRequest | DrawRequest | PrepareRequest;

export interface ImageAnswers {
  readonly summarise: SummarisedSeries;
  readonly draw: DrawnSegmentation;
  readonly prepare: Float32Array<ArrayBuffer>;
}

export type ImageAnswer = ImageAnswers[keyof ImageAnswers];

export type ImageReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly answer: ImageAnswer }
  /** `reason`: a code, never the words of a decoder. */
  | { readonly kind: 'failed'; readonly code: 'IMAGE_UNREADABLE' | 'BUG'; readonly reason: string };
