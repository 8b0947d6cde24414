// Decodes RLE Lossless (PS3.5 annex G) of any number of bytes a sample: a segment for each byte, most significant first. Each
// segment must fill its plane exactly from its own bytes: a short or overlong one is a broken stream, never zeros in a picture.
import { DicomRefusal } from './dicom-refusal.ts';

export interface RlePlanes {
  /** Bytes of each plane. */
  readonly planeLength: number;
  readonly samplesPerPixel: number;
  readonly bytesPerSample: number;
}

/**
 * Decodes a frame to little-endian samples, those of a pixel together.
 * @throws DicomRefusal DICOM_DECODER_FAILED
 */
export function decodeRle(
  stream: Uint8Array,
  { planeLength, samplesPerPixel, bytesPerSample }: RlePlanes,
): Uint8Array {
  const segments = segmentsOf(stream, samplesPerPixel * bytesPerSample);
  const pixels = new Uint8Array(planeLength * samplesPerPixel * bytesPerSample);
  for (const [index, segment] of segments.entries()) {
    const sample = Math.floor(index / bytesPerSample);
    const byte = bytesPerSample - 1 - (index % bytesPerSample);
    decodeSegment(segment, pixels, {
      first: sample * bytesPerSample + byte,
      step: samplesPerPixel * bytesPerSample,
      count: planeLength,
    });
  }
  return pixels;
}

/** The header says how many segments there are and where each begins; the next one's beginning is its end. */
function segmentsOf(stream: Uint8Array, expectedCount: number): Uint8Array[] {
  if (stream.length < 64) throw broken();
  const header = new DataView(stream.buffer, stream.byteOffset, 64);
  if (expectedCount > 15 || header.getUint32(0, true) !== expectedCount) throw broken();
  const starts = Array.from({ length: expectedCount }, (_, index) => header.getUint32(4 + index * 4, true));
  return starts.map((start, index) => {
    const end = starts[index + 1] ?? stream.length;
    if (start < 64 || start >= end || end > stream.length) throw broken();
    return stream.subarray(start, end);
  });
}

interface Target {
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

function decodeSegment(segment: Uint8Array, pixels: Uint8Array, { first, step, count }: Target): void {
  let at = 0;
  let written = 0;
  let to = first;
  while (written < count) {
    const control = segment[at];
    if (control === undefined) throw broken();
    at += 1;
    if (control === 128) continue;
    const runLength = control < 128 ? control + 1 : 257 - control;
    // Attack: a run that writes past its plane.
    const kept = Math.min(runLength, count - written);
    if (control < 128) {
      if (at + kept > segment.length) throw broken();
      for (let index = 0; index < kept; index += 1, to += step) pixels[to] = segment[at + index] ?? 0;
      at += runLength;
    } else {
      const value = segment[at];
      if (value === undefined) throw broken();
      for (let index = 0; index < kept; index += 1, to += step) pixels[to] = value;
      at += 1;
    }
    written += kept;
  }
}

function broken(): DicomRefusal {
  return new DicomRefusal('DICOM_DECODER_FAILED', 'PixelData');
}
