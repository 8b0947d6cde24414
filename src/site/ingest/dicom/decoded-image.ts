// What decoding an object gives: for each frame asked for, values of the modality of a grey image, or 8 or 16-bit RGB, and where the
// frame lies. This is the work of the decoding worker; it runs wherever it is called.

import { toRgb } from './colour.ts';
import { type DicomImage, openImage } from './decode-frame.ts';
import { DicomRefusal } from './dicom-refusal.ts';
import { type FrameGeometry, type FrameGroups, frameGeometry, readFrameGroups } from './functional-groups.ts';
import type { ImageDescription } from './image-description.ts';
import { modalityTransform, modalityValues } from './modality-values.ts';
import { parseDicom } from './parse-dicom.ts';
import type { PixelFrame } from './pixel-frame.ts';

export interface DecodedFrameValues {
  readonly frameIndex: number;
  readonly geometry: FrameGeometry;
  readonly pixels:
    | { readonly kind: 'grey'; readonly values: Float32Array; readonly unit: string | null }
    | { readonly kind: 'colour'; readonly rgb: Uint8Array | Uint16Array };
}

export interface DecodedImage {
  readonly description: ImageDescription;
  readonly frames: readonly DecodedFrameValues[];
}

/** The frames of an object, decoded one at a time. */
export interface OpenFrames {
  readonly description: ImageDescription;
  /** @throws DicomRefusal what frames and their groups throw */
  decode(frameIndex: number): Promise<DecodedFrameValues>;
}

export interface DecodeRequest {
  /** A whole Part-10 file. */
  readonly bytes: Uint8Array;
  /** From 0; null for all. */
  readonly frameIndexes: readonly number[] | null;
  /** Decodes and checks every frame, and gives none: whether a file is whole. */
  readonly isCheckOnly: boolean;
}

/**
 * Opens the frames of a file; null where it has no pixel data.
 * @param bytes a whole Part-10 file
 * @throws DicomRefusal what `parseDicom`, `openImage` and `readFrameGroups` throw
 */
export function openFrames(bytes: Uint8Array): OpenFrames | null {
  const image = openImage(parseDicom(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)));
  if (image === null) return null;
  const { attributes, description } = image;
  const groups = readFrameGroups(attributes, description.frameCount);
  return {
    description,
    decode: async (frameIndex) => {
      const frame = await image.decodeFrame(frameIndex);
      return frameValues(frame, { image, groups, frameIndex });
    },
  };
}

/**
 * Decodes frames of a file; null where it has no pixel data.
 * @throws DicomRefusal what `parseDicom`, `openImage` and its frames throw
 */
export async function decodeImage({
  bytes,
  frameIndexes,
  isCheckOnly,
}: DecodeRequest): Promise<DecodedImage | null> {
  const image = openImage(parseDicom(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)));
  if (image === null) return null;
  const { attributes, description } = image;
  // A check is of the pixels; whoever uses the frames learns that their groups do not fit.
  const groups = isCheckOnly ? null : readFrameGroups(attributes, description.frameCount);
  const frames: DecodedFrameValues[] = [];
  let heldSamples = 0;
  for (const frameIndex of frameIndexes ??
    Array.from({ length: description.frameCount }, (_, index) => index)) {
    const frame = await image.decodeFrame(frameIndex);
    if (groups === null) continue;
    heldSamples += frame.samples.length;
    // Attack: a thousand frames asked for at once; whoever wants them all asks in parts.
    if (heldSamples > maxHeldSamples) throw new DicomRefusal('DICOM_IMAGE_TOO_LARGE', 'NumberOfFrames');
    frames.push(frameValues(frame, { image, groups, frameIndex }));
  }
  return { description, frames };
}

const maxHeldSamples = 64 * 1024 * 1024;

interface FrameSource {
  readonly image: DicomImage;
  readonly groups: FrameGroups;
  readonly frameIndex: number;
}

function frameValues(frame: PixelFrame, { image, groups, frameIndex }: FrameSource): DecodedFrameValues {
  const { attributes, description } = image;
  const geometry = frameGeometry(attributes, groups, frameIndex);
  if (!isGrey(frame))
    return { frameIndex, geometry, pixels: { kind: 'colour', rgb: toRgb(frame, attributes, description) } };
  const transform = modalityTransform(attributes, { groups, description, frameIndex });
  const values = modalityValues(frame, transform);
  return { frameIndex, geometry, pixels: { kind: 'grey', values, unit: transform.unit } };
}

function isGrey({ photometricInterpretation }: PixelFrame): boolean {
  return photometricInterpretation === 'MONOCHROME1' || photometricInterpretation === 'MONOCHROME2';
}
