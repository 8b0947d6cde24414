// What decoding an object gives: for each frame asked for, values of the modality of a grey image, or 8 or 16-bit RGB, and where the
// frame lies. This is the work of the decoding worker; it runs wherever it is called.

import { toRgb } from './colour.ts';
import { openImage } from './decode-frame.ts';
import { DicomRefusal } from './dicom-refusal.ts';
import { type FrameGeometry, frameGeometry, readFrameGroups } from './functional-groups.ts';
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

export interface DecodeRequest {
  /** A whole Part-10 file. */
  readonly bytes: Uint8Array;
  /** From 0; null for all. */
  readonly frameIndexes: readonly number[] | null;
  /** Decodes and checks every frame, and gives none: whether a file is whole. */
  readonly isCheckOnly: boolean;
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
    frames.push({
      frameIndex,
      geometry: frameGeometry(attributes, groups, frameIndex),
      pixels: isGrey(frame)
        ? greyOf(frame, modalityTransform(attributes, { groups, description, frameIndex }))
        : { kind: 'colour', rgb: toRgb(frame, attributes, description) },
    });
  }
  return { description, frames };
}

const maxHeldSamples = 64 * 1024 * 1024;

function isGrey({ photometricInterpretation }: PixelFrame): boolean {
  return photometricInterpretation === 'MONOCHROME1' || photometricInterpretation === 'MONOCHROME2';
}

function greyOf(
  frame: PixelFrame,
  transform: ReturnType<typeof modalityTransform>,
): DecodedFrameValues['pixels'] {
  return { kind: 'grey', values: modalityValues(frame, transform), unit: transform.unit };
}
