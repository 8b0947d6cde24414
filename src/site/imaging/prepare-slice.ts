// One slice as a model takes it: decoded, resampled, divided by its patient's percentile. The work of an image thread.
import { DicomRefusal, type OpenFrames, openFrames } from '#site/ingest/index.ts';
import type { ObjectPlace } from '#site/store/index.ts';
import { type PixelSize, Resampler } from './resample.ts';

export interface SliceWork {
  readonly object: ObjectPlace;
  /** From 0. */
  readonly frame: number;
  readonly isMultiFrame: boolean;
  readonly divisor: number;
}

/** Bytes of images of many frames that stay open in a thread: the next slice is often of the same one. */
const mostOpenBytes = 32 * 2 ** 20;
/** Sizes of images are few; where a hospital has hundreds, they are worked out again. */
const mostSizes = 64;

export class SlicePreparer {
  readonly #size: PixelSize;
  readonly #read: (object: ObjectPlace) => Uint8Array;
  readonly #resamplers = new Map<string, Resampler>();
  readonly #open = new OpenImages();

  /** @param read gives the bytes of a sealed object */
  constructor(size: PixelSize, read: (object: ObjectPlace) => Uint8Array) {
    this.#size = size;
    this.#read = read;
  }

  /**
   * @param input gets rows x columns intensities
   * @throws DicomRefusal
   */
  async prepare({ object, frame, isMultiFrame, divisor }: SliceWork, input: Float32Array): Promise<void> {
    const open = () => openImage(this.#read(object));
    const image = isMultiFrame ? this.#open.get(object, open) : open();
    const { pixels } = await image.decode(frame);
    if (pixels.kind !== 'grey')
      throw new DicomRefusal('DICOM_UNSUPPORTED_IMAGE', 'PhotometricInterpretation');
    this.#resampler(image.description).resample(pixels.values, divisor, input);
  }

  #resampler({ rows, columns }: PixelSize): Resampler {
    const name = `${rows}x${columns}`;
    const known = this.#resamplers.get(name);
    if (known !== undefined) return known;
    if (this.#resamplers.size >= mostSizes) this.#resamplers.clear();
    const made = new Resampler({ rows, columns }, this.#size);
    this.#resamplers.set(name, made);
    return made;
  }
}

function openImage(bytes: Uint8Array): OpenFrames {
  const image = openFrames(bytes);
  if (image === null) throw new DicomRefusal('DICOM_NO_IMAGE');
  return image;
}

/** Images that were opened last, up to a number of bytes. */
class OpenImages {
  readonly #images = new Map<string, { readonly image: OpenFrames; readonly byteCount: number }>();
  #byteCount = 0;

  get({ segment, position, byteCount }: ObjectPlace, open: () => OpenFrames): OpenFrames {
    const name = `${segment} ${position}`;
    const known = this.#images.get(name);
    this.#images.delete(name);
    const opened = known ?? { image: open(), byteCount };
    if (known === undefined) this.#byteCount += byteCount;
    this.#images.set(name, opened);
    for (const [oldest, other] of this.#images) {
      if (this.#byteCount <= mostOpenBytes || oldest === name) break;
      this.#images.delete(oldest);
      this.#byteCount -= other.byteCount;
    }
    return opened.image;
  }
}
