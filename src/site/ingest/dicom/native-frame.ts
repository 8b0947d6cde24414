// Reads frames of native (uncompressed) pixel data (PS3.5 8.1.1): 1, 8, 16 and 32 bits, float and double, either byte order.
import { DicomRefusal } from './dicom-refusal.ts';
import type { NativePixels } from './frame-bytes.ts';
import type { ImageDescription } from './image-description.ts';

type Containers = Uint8Array | Uint16Array | Uint32Array;

/** Samples that one pixel takes in the file: chroma of two neighbours is shared in the 422 interpretations (PS3.3 C.7.6.3.1.2). */
export function storedSamplesPerPixel({
  samplesPerPixel,
  photometricInterpretation,
}: ImageDescription): number {
  return photometricInterpretation.endsWith('_422') ? 2 : samplesPerPixel;
}

/** Bits of one frame of native pixel data. */
export function frameBits(description: ImageDescription): number {
  const { rows, columns, bitsAllocated } = description;
  return rows * columns * storedSamplesPerPixel(description) * bitsAllocated;
}

/**
 * Holds the length of native pixel data against what the image says; an excess is padding.
 * @throws DicomRefusal DICOM_PIXEL_COUNT
 */
export function verifyNativeLength({ bytes }: NativePixels, description: ImageDescription): void {
  if (Math.ceil((frameBits(description) * description.frameCount) / 8) > bytes.length) {
    throw new DicomRefusal('DICOM_PIXEL_COUNT', 'PixelData');
  }
}

/** A frame's containers of integer samples, in the order of the file; always a copy. */
export function nativeContainers(
  pixels: NativePixels,
  description: ImageDescription,
  frameIndex: number,
): Containers {
  const bits = frameBits(description);
  const source =
    pixels.areWords && !pixels.isLittleEndian && description.bitsAllocated < 16
      ? swapWords(pixels.bytes)
      : pixels.bytes;
  if (description.bitsAllocated === 1) return unpackBits(source, bits * frameIndex, bits);
  const byteCount = bits / 8;
  const bytes = new Uint8Array(source.subarray(byteCount * frameIndex, byteCount * (frameIndex + 1)));
  if (description.bitsAllocated === 8) return bytes;
  const isSwapped = !pixels.isLittleEndian;
  if (description.bitsAllocated === 16) {
    if (isSwapped) Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).swap16();
    return new Uint16Array(bytes.buffer, bytes.byteOffset, byteCount / 2);
  }
  if (isSwapped) Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).swap32();
  return new Uint32Array(bytes.buffer, bytes.byteOffset, byteCount / 4);
}

/** A frame of Float Pixel Data or Double Float Pixel Data. */
export function nativeFloats(
  { bytes, isLittleEndian }: NativePixels,
  { rows, columns, bitsAllocated }: ImageDescription,
  frameIndex: number,
): Float32Array | Float64Array {
  const width = bitsAllocated / 8;
  const count = rows * columns;
  const view = new DataView(bytes.buffer, bytes.byteOffset + frameIndex * count * width, count * width);
  if (width === 4)
    return Float32Array.from({ length: count }, (_, index) => view.getFloat32(index * 4, isLittleEndian));
  return Float64Array.from({ length: count }, (_, index) => view.getFloat64(index * 8, isLittleEndian));
}

/** Bits, the first in the lowest place of its byte, as samples of 0 and 1; a frame may begin within a byte. */
export function unpackBits(bytes: Uint8Array, firstBit: number, count: number): Uint8Array {
  const samples = new Uint8Array(count);
  const firstByte = Math.floor(firstBit / 8);
  const within = firstBit % 8;
  for (let index = 0; index < count; index += 1) {
    const bit = within + index;
    samples[index] = ((bytes[firstByte + (bit >>> 3)] ?? 0) >> (bit & 7)) & 1;
  }
  return samples;
}

/** In 16-bit words of a big-endian data set the first byte-sized sample is the low byte, which stands second. */
function swapWords(bytes: Uint8Array): Buffer {
  const whole = Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % 2)));
  return whole.swap16();
}

/** Y1 Y2 Cb Cr for two pixels to Y Cb Cr for each (PS3.3 C.7.6.3.1.2). */
export function expandChroma(samples: Uint8Array): Uint8Array {
  const pixels = new Uint8Array((samples.length / 2) * 3);
  for (let at = 0, to = 0; at + 3 < samples.length; at += 4, to += 6) {
    pixels.set(samples.subarray(at, at + 1), to);
    pixels.set(samples.subarray(at + 2, at + 4), to + 1);
    pixels.set(samples.subarray(at + 1, at + 4), to + 3);
  }
  return pixels;
}
