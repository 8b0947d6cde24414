// Finds the bytes of each frame: a range of native pixel data, or the fragments of compressed pixel data (PS3.5 A.4), by the offset
// tables where they hold true, else one fragment a frame, else by the marks that begin each frame's stream.
import { type DicomFile, isEncapsulated, isSequence } from '#site/deidentify/index.ts';
import type { Attributes } from './attributes.ts';
import { DicomRefusal } from './dicom-refusal.ts';
import { type ImageDescription, pixelDataTags } from './image-description.ts';

export interface NativePixels {
  readonly kind: 'native';
  readonly bytes: Uint8Array;
  readonly isLittleEndian: boolean;
  /** Whether the bytes are 16-bit words of the data set's byte order, whatever the samples are. */
  readonly areWords: boolean;
}

export interface CompressedPixels {
  readonly kind: 'compressed';
  /** One stream a frame, without copying where it is one fragment. */
  readonly streams: readonly (readonly Uint8Array[])[];
}

/**
 * The pixel data of a described image.
 * @throws DicomRefusal DICOM_PIXEL_COUNT, DICOM_BAD_FRAGMENTS
 */
export function locatePixels(
  file: DicomFile,
  attributes: Attributes,
  { frameCount, sampleKind, bitsAllocated }: ImageDescription,
): NativePixels | CompressedPixels {
  const tag =
    sampleKind === 'integer'
      ? pixelDataTags.integer
      : bitsAllocated === 64
        ? pixelDataTags.double
        : pixelDataTags.float;
  const element = attributes.element(tag);
  if (element === undefined || isSequence(element)) throw new DicomRefusal('DICOM_PIXEL_COUNT', 'PixelData');
  if (!isEncapsulated(element)) {
    return {
      kind: 'native',
      bytes: element.bytes,
      isLittleEndian: file.isLittleEndian,
      areWords: element.vr === 'OW',
    };
  }
  const offsets = extendedOffsets(attributes) ?? element.offsets;
  return { kind: 'compressed', streams: splitFragments(element.fragments, offsets, frameCount) };
}

/** All bytes of a frame's stream in one piece. */
export function joinFragments(fragments: readonly Uint8Array[]): Uint8Array {
  const [only] = fragments;
  return fragments.length === 1 && only !== undefined ? only : Buffer.concat(fragments);
}

/** Extended Offset Table (PS3.3 C.7.6.3.1.8): 64-bit offsets. */
function extendedOffsets(attributes: Attributes): number[] | undefined {
  const bytes = attributes.bytes(0x7fe00001);
  if (bytes === null || bytes.length === 0 || bytes.length % 8 !== 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 8 }, (_, index) => Number(view.getBigUint64(index * 8, true)));
}

function splitFragments(
  fragments: readonly Uint8Array[],
  offsets: readonly number[],
  frameCount: number,
): readonly (readonly Uint8Array[])[] {
  if (fragments.length < frameCount) throw new DicomRefusal('DICOM_PIXEL_COUNT', 'NumberOfFrames');
  if (frameCount === 1) return [fragments];
  if (fragments.length === frameCount) return fragments.map((fragment) => [fragment]);
  const starts = startsByOffset(fragments, offsets, frameCount) ?? startsByMark(fragments);
  if (starts.length !== frameCount || starts[0] !== 0)
    throw new DicomRefusal('DICOM_BAD_FRAGMENTS', 'PixelData');
  return starts.map((start, index) => fragments.slice(start, starts[index + 1]));
}

/** Index of each frame's first fragment; undefined where the table does not point at fragments. */
function startsByOffset(
  fragments: readonly Uint8Array[],
  offsets: readonly number[],
  frameCount: number,
): number[] | undefined {
  if (offsets.length !== frameCount) return undefined;
  const indexByOffset = new Map<number, number>();
  let position = 0;
  for (const [index, fragment] of fragments.entries()) {
    indexByOffset.set(position, index);
    position += 8 + fragment.length;
  }
  const starts = offsets.map((offset) => indexByOffset.get(offset) ?? -1);
  return starts.every((start, index) => start > (starts[index - 1] ?? -1)) ? starts : undefined;
}

/** Fragments that begin as JPEG, JPEG-LS (FFD8) or JPEG 2000 (FF4F) streams do. */
function startsByMark(fragments: readonly Uint8Array[]): number[] {
  return fragments.flatMap((fragment, index) =>
    fragment[0] === 0xff && (fragment[1] === 0xd8 || fragment[1] === 0x4f) ? [index] : [],
  );
}
