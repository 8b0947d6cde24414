// One slice as a model takes it: decoded, resampled, divided by its patient's percentile; and its mask. The work of an image thread.
import {
  DicomRefusal,
  type OpenFrames,
  openFrames,
  openSegmentation,
  parseDicom,
  type Segmentation,
} from '#site/ingest/index.ts';
import type { ObjectPlace } from '#site/store/index.ts';
import { nearestPixels, type PixelSize, Resampler } from './resample.ts';

export interface SliceWork {
  readonly object: ObjectPlace;
  /** From 0. */
  readonly frame: number;
  readonly isMultiFrame: boolean;
  readonly divisor: number;
  /** Frames of segmentations that were drawn on it. */
  readonly masks: readonly MaskWork[];
}

export interface MaskWork {
  readonly object: ObjectPlace;
  /** From 0. */
  readonly frame: number;
}

/** Bytes of objects of many frames that stay open in a thread: the next slice is often of the same one. */
const mostOpenBytes = 32 * 2 ** 20;
/** A share of the segment in a pixel that makes it the segment's. */
const leastShare = 0.5;

export class SlicePreparer {
  readonly #size: PixelSize;
  readonly #read: (object: ObjectPlace) => Uint8Array;
  readonly #resamplers = new Map<string, Resampler>();
  readonly #nearest = new Map<string, Int32Array>();
  readonly #open = new OpenObjects(mostOpenBytes);

  /** @param read gives the bytes of a sealed object */
  constructor(size: PixelSize, read: (object: ObjectPlace) => Uint8Array) {
    this.#size = size;
    this.#read = read;
  }

  /**
   * @param input gets rows x columns intensities
   * @param mask gets 1 where any segment lies, else 0; undefined: none is wanted
   * @throws DicomRefusal
   */
  async prepare(work: SliceWork, input: Float32Array, mask: Float32Array | undefined): Promise<void> {
    const image = this.#imageOf(work);
    const { rows, columns } = image.description;
    const { pixels } = await image.decode(work.frame);
    if (pixels.kind !== 'grey')
      throw new DicomRefusal('DICOM_UNSUPPORTED_IMAGE', 'PhotometricInterpretation');
    this.#resampler({ rows, columns }).resample(pixels.values, work.divisor, input);
    if (mask === undefined) return;
    mask.fill(0);
    for (const { object, frame } of work.masks) {
      const segmentation = this.#segmentationOf(object);
      this.#draw(await segmentation.decodeShares(frame), segmentation, mask);
    }
  }

  #draw(shares: Float32Array, from: PixelSize, mask: Float32Array): void {
    const rows = this.#nearestOf(from.rows, this.#size.rows);
    const columns = this.#nearestOf(from.columns, this.#size.columns);
    for (let row = 0; row < rows.length; row += 1) {
      const start = (rows[row] ?? 0) * from.columns;
      const target = row * columns.length;
      for (let column = 0; column < columns.length; column += 1)
        if ((shares[start + (columns[column] ?? 0)] ?? 0) >= leastShare) mask[target + column] = 1;
    }
  }

  #imageOf({ object, isMultiFrame }: SliceWork): OpenFrames {
    const open = () => {
      const image = openFrames(this.#read(object));
      if (image === null) throw new DicomRefusal('DICOM_NO_IMAGE');
      return image;
    };
    return isMultiFrame ? this.#open.get(object, 'image', open) : open();
  }

  #segmentationOf(object: ObjectPlace): Segmentation {
    return this.#open.get(object, 'segmentation', () => openSegmentationBytes(this.#read(object)));
  }

  #resampler(from: PixelSize): Resampler {
    return remember(this.#resamplers, `${from.rows}x${from.columns}`, () => new Resampler(from, this.#size));
  }

  #nearestOf(from: number, to: number): Int32Array {
    return remember(this.#nearest, `${from}/${to}`, () => nearestPixels(from, to));
  }
}

/** @throws DicomRefusal */
export function openSegmentationBytes(bytes: Uint8Array): Segmentation {
  return openSegmentation(parseDicom(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)));
}

/** Sizes of images are few; where a hospital has hundreds, they are worked out again. */
const mostSizes = 64;

function remember<Value>(known: Map<string, Value>, name: string, make: () => Value): Value {
  const found = known.get(name);
  if (found !== undefined) return found;
  if (known.size >= mostSizes) known.clear();
  const made = make();
  known.set(name, made);
  return made;
}

/** Objects that were opened last, up to a number of bytes. */
class OpenObjects {
  readonly #mostBytes: number;
  readonly #objects = new Map<
    string,
    { readonly object: OpenFrames | Segmentation; readonly byteCount: number }
  >();
  #byteCount = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  get(place: ObjectPlace, kind: 'image', open: () => OpenFrames): OpenFrames;
  get(place: ObjectPlace, kind: 'segmentation', open: () => Segmentation): Segmentation;
  get(place: ObjectPlace, kind: string, open: () => OpenFrames | Segmentation): OpenFrames | Segmentation {
    const name = `${kind} ${place.segment} ${place.position}`;
    const known = this.#objects.get(name);
    if (known !== undefined) {
      this.#objects.delete(name);
      this.#objects.set(name, known);
      return known.object;
    }
    const object = open();
    this.#objects.set(name, { object, byteCount: place.byteCount });
    this.#byteCount += place.byteCount;
    for (const [oldest, { byteCount }] of this.#objects) {
      if (this.#byteCount <= this.#mostBytes || oldest === name) break;
      this.#objects.delete(oldest);
      this.#byteCount -= byteCount;
    }
    return object;
  }
}
