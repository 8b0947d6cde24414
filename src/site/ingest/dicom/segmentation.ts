// Segmentation objects (PS3.3 A.51): segments with their codes, and for each frame its segment and the images that it lies on, by
// the references that the object makes and, where it makes none, by position. Binary and fractional frames become 0 to 1.
import type { DicomFile } from '#site/deidentify/index.ts';
import { type Attributes, badValue } from './attributes.ts';
import { openImage } from './decode-frame.ts';
import { DicomRefusal } from './dicom-refusal.ts';
import { type FrameGeometry, frameGeometry, functionalGroups, readFrameGroups } from './functional-groups.ts';
import type { PixelFrame } from './pixel-frame.ts';

export const segmentationStorage = '1.2.840.10008.5.1.4.1.1.66.4';

export interface SegmentCode {
  readonly system: string;
  readonly code: string;
  readonly meaning: string;
}

export interface Segment {
  readonly segmentNumber: number;
  readonly label: string;
  readonly category: SegmentCode | null;
  readonly type: SegmentCode | null;
  readonly algorithm: 'AUTOMATIC' | 'SEMIAUTOMATIC' | 'MANUAL' | null;
}

export interface SegmentFrame {
  readonly segmentNumber: number;
  /** The images that the frame was drawn on; none where the object only gives a position. */
  readonly sources: readonly SegmentSource[];
  readonly geometry: FrameGeometry;
}

export interface SegmentSource {
  readonly sopClassUid: string | null;
  readonly sopInstanceUid: string;
  /** From 1, in a multi-frame source; null for all or the only frame. */
  readonly frameNumber: number | null;
}

export interface Segmentation {
  readonly kind: 'BINARY' | 'FRACTIONAL';
  /** Highest stored value of a fractional frame; 1 for binary. */
  readonly fullValue: number;
  /** Pixels of every frame. */
  readonly rows: number;
  readonly columns: number;
  readonly segments: readonly Segment[];
  readonly frames: readonly SegmentFrame[];
  /** The series that all frames lie on, where the object names one. */
  readonly seriesInstanceUid: string | null;
  /** Share of the segment in each pixel of a frame, 0 to 1. */
  decodeShares(frameIndex: number): Promise<Float32Array>;
}

/**
 * Opens a segmentation.
 * @throws DicomRefusal DICOM_BAD_SEGMENTATION, and what `openImage` throws
 */
export function openSegmentation(file: DicomFile): Segmentation {
  const image = openImage(file);
  if (image === null) throw new DicomRefusal('DICOM_BAD_SEGMENTATION', 'PixelData');
  const { attributes, description } = image;
  const kind = attributes.text(0x00620001);
  if (kind !== 'BINARY' && kind !== 'FRACTIONAL')
    throw new DicomRefusal('DICOM_BAD_SEGMENTATION', 'SegmentationType');
  const isFit = kind === 'BINARY' ? description.bitsAllocated <= 8 : description.bitsAllocated === 8;
  if (!isFit || description.samplesPerPixel !== 1)
    throw new DicomRefusal('DICOM_BAD_SEGMENTATION', 'BitsAllocated');
  const fullValue = kind === 'BINARY' ? 1 : (attributes.number(0x0062000e) ?? 0);
  if (fullValue < 1 || fullValue > 255)
    throw new DicomRefusal('DICOM_BAD_SEGMENTATION', 'MaximumFractionalValue');
  const segments = attributes.items(0x00620002).map(readSegment);
  const numbers = new Set(segments.map(({ segmentNumber }) => segmentNumber));
  if (numbers.size === 0 || numbers.size !== segments.length) {
    throw new DicomRefusal('DICOM_BAD_SEGMENTATION', 'SegmentSequence');
  }
  return {
    kind,
    fullValue,
    rows: description.rows,
    columns: description.columns,
    segments,
    frames: readFrames(attributes, description.frameCount, numbers),
    seriesInstanceUid: attributes.items(0x00081115)[0]?.uid(0x0020000e) ?? null,
    decodeShares: async (frameIndex) => sharesOf(await image.decodeFrame(frameIndex), fullValue),
  };
}

function readSegment(item: Attributes): Segment {
  const segmentNumber = item.number(0x00620004);
  if (segmentNumber === null || segmentNumber < 1)
    throw new DicomRefusal('DICOM_BAD_SEGMENTATION', 'SegmentNumber');
  const algorithm = item.text(0x00620008);
  const algorithms = ['AUTOMATIC', 'SEMIAUTOMATIC', 'MANUAL'] as const;
  return {
    segmentNumber,
    label: item.text(0x00620005) ?? '',
    category: readCode(item.items(0x00620003)[0]),
    type: readCode(item.items(0x0062000f)[0]),
    algorithm: algorithms.find((name) => name === algorithm) ?? null,
  };
}

function readCode(item: Attributes | undefined): SegmentCode | null {
  const system = item?.text(0x00080102);
  const code = item?.text(0x00080100) ?? item?.text(0x00080119);
  if (item === undefined || system === null || system === undefined || code === null || code === undefined)
    return null;
  return { system, code, meaning: item.text(0x00080104) ?? '' };
}

function readFrames(
  attributes: Attributes,
  frameCount: number,
  numbers: ReadonlySet<number>,
): SegmentFrame[] {
  const groups = readFrameGroups(attributes, frameCount);
  return Array.from({ length: frameCount }, (_, frameIndex) => {
    const segmentNumber =
      groups.find(frameIndex, functionalGroups.segmentIdentification)?.number(0x0062000b) ?? null;
    if (segmentNumber === null || !numbers.has(segmentNumber)) {
      throw new DicomRefusal('DICOM_BAD_SEGMENTATION', 'ReferencedSegmentNumber');
    }
    const derivation = groups.find(frameIndex, functionalGroups.derivationImage);
    return {
      segmentNumber,
      sources: (derivation?.items(0x00082112) ?? []).map(readSource),
      geometry: frameGeometry(attributes, groups, frameIndex),
    };
  });
}

function readSource(item: Attributes): SegmentSource {
  const sopInstanceUid = item.uid(0x00081155);
  if (sopInstanceUid === null) throw badValue(0x00081155);
  return { sopClassUid: item.uid(0x00081150), sopInstanceUid, frameNumber: item.number(0x00081160) };
}

function sharesOf({ samples }: PixelFrame, fullValue: number): Float32Array {
  const shares = new Float32Array(samples.length);
  for (let index = 0; index < shares.length; index += 1)
    shares[index] = Math.min(1, (samples[index] ?? 0) / fullValue);
  return shares;
}

export interface PlacedImage {
  readonly sopInstanceUid: string;
  readonly geometry: FrameGeometry;
}

/** How far a slice may lie from where the frame says, in millimetres, and still be the one it was drawn on. */
const positionTolerance = 0.01;

/** The images of a frame: those it names, else those of the given ones that lie where it does (same position and orientation). */
export function sourcesOf(frame: SegmentFrame, images: readonly PlacedImage[]): string[] {
  if (frame.sources.length > 0) return frame.sources.map(({ sopInstanceUid }) => sopInstanceUid);
  return images
    .filter(({ geometry }) => isSamePlane(frame.geometry, geometry))
    .map(({ sopInstanceUid }) => sopInstanceUid);
}

/** Whether pixels of one lie where those of the other do; false where either does not say. */
export function isSamePlane(left: FrameGeometry, right: FrameGeometry): boolean {
  if (
    left.position === null ||
    right.position === null ||
    left.orientation === null ||
    right.orientation === null
  )
    return false;
  const isNear = (from: readonly number[], to: readonly number[], tolerance: number) =>
    from.every((value, index) => Math.abs(value - (to[index] ?? Number.NaN)) <= tolerance);
  return (
    isNear(left.position, right.position, positionTolerance) &&
    isNear(left.orientation, right.orientation, 1e-4)
  );
}
