// One decoded frame: stored values as numbers, interleaved by pixel, masked to the bits stored and with their sign. Nothing of how
// the file held them is left.
import type { ImageDescription, PhotometricInterpretation } from './image-description.ts';

export type Samples =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

export interface PixelFrame {
  readonly rows: number;
  readonly columns: number;
  readonly samplesPerPixel: 1 | 3;
  /** What the samples are now: a decoder may have turned YBR into RGB, or undone subsampling. */
  readonly photometricInterpretation: PhotometricInterpretation;
  /** Row by row, samples of a pixel together. */
  readonly samples: Samples;
}

/** Stored values out of containers: the bits above HighBit (overlays of old) fall away, the sign is extended from the top bit. */
export function storedValues(
  containers: Uint8Array | Uint16Array | Uint32Array,
  description: ImageDescription,
): Samples {
  const { bitsAllocated, bitsStored, highBit, isSigned } = description;
  // Unpacked, a bit is a sample of 0 or 1 already.
  if (bitsAllocated === 1 && !isSigned) return containers;
  const width = containers.BYTES_PER_ELEMENT * 8;
  const shift = Math.max(0, highBit + 1 - bitsStored);
  if (bitsStored < width || shift > 0) {
    const unused = 32 - Math.min(bitsStored, 32);
    const mask = 0xffffffff >>> unused;
    for (let index = 0; index < containers.length; index += 1) {
      const value = ((containers[index] ?? 0) >>> shift) & mask;
      containers[index] = isSigned ? (value << unused) >> unused : value >>> 0;
    }
  }
  return isSigned ? asSigned(containers) : containers;
}

function asSigned(containers: Uint8Array | Uint16Array | Uint32Array): Samples {
  const { buffer, byteOffset, length } = containers;
  if (containers instanceof Uint8Array) return new Int8Array(buffer, byteOffset, length);
  if (containers instanceof Uint16Array) return new Int16Array(buffer, byteOffset, length);
  return new Int32Array(buffer, byteOffset, length);
}

/** Planes (all red, all green, all blue) to pixels. */
export function interleave<Plane extends Uint8Array | Uint16Array | Uint32Array>(planes: Plane): Plane {
  const pixelCount = planes.length / 3;
  const pixels = planes.slice();
  for (let sample = 0; sample < 3; sample += 1) {
    for (let pixel = 0; pixel < pixelCount; pixel += 1) {
      pixels[pixel * 3 + sample] = planes[sample * pixelCount + pixel] ?? 0;
    }
  }
  return pixels as Plane;
}
