// What an object says of its pixels (PS3.3 C.7.6.3), checked before anything is allocated for them: an image that is described
// impossibly, or larger than can be taken, is refused by the element at fault.
import { isEncapsulated, isSequence } from '#site/deidentify/index.ts';
import { type Attributes, badValue } from './attributes.ts';
import { DicomRefusal } from './dicom-refusal.ts';

export const photometricInterpretations = [
  'MONOCHROME1',
  'MONOCHROME2',
  'PALETTE COLOR',
  'RGB',
  'YBR_FULL',
  'YBR_FULL_422',
  'YBR_PARTIAL_422',
  'YBR_PARTIAL_420',
  'YBR_ICT',
  'YBR_RCT',
] as const;
export type PhotometricInterpretation = (typeof photometricInterpretations)[number];

export interface ImageDescription {
  readonly rows: number;
  readonly columns: number;
  readonly frameCount: number;
  readonly samplesPerPixel: 1 | 3;
  readonly photometricInterpretation: PhotometricInterpretation;
  /** Float and double pixel data (PS3.3 C.7.6.24) have 32 and 64 bits and no others of the numbers below. */
  readonly sampleKind: 'integer' | 'float';
  readonly bitsAllocated: 1 | 8 | 16 | 32 | 64;
  readonly bitsStored: number;
  readonly highBit: number;
  readonly isSigned: boolean;
  /** Planar Configuration 1: all red, then all green, then all blue samples. */
  readonly isPlanar: boolean;
}

export interface ImageLimits {
  /** Samples of one frame. */
  readonly maxFrameSamples: number;
  readonly maxFrames: number;
}

export const defaultImageLimits: ImageLimits = { maxFrameSamples: 64 * 1024 * 1024, maxFrames: 100_000 };

const tags = {
  samplesPerPixel: 0x00280002,
  photometricInterpretation: 0x00280004,
  planarConfiguration: 0x00280006,
  numberOfFrames: 0x00280008,
  rows: 0x00280010,
  columns: 0x00280011,
  bitsAllocated: 0x00280100,
  bitsStored: 0x00280101,
  highBit: 0x00280102,
  pixelRepresentation: 0x00280103,
} as const;

export const pixelDataTags = { float: 0x7fe00008, double: 0x7fe00009, integer: 0x7fe00010 } as const;

/**
 * Describes the image of an object; null where it has no pixel data.
 * @throws DicomRefusal DICOM_BAD_VALUE, DICOM_IMAGE_TOO_LARGE, DICOM_UNSUPPORTED_IMAGE
 */
export function describeImage(
  attributes: Attributes,
  limits: ImageLimits = defaultImageLimits,
): ImageDescription | null {
  const width = floatWidth(attributes);
  if (width === null && !hasPixelData(attributes)) return null;
  const rows = required(attributes, tags.rows);
  const columns = required(attributes, tags.columns);
  const samplesPerPixel = required(attributes, tags.samplesPerPixel);
  if (samplesPerPixel !== 1 && samplesPerPixel !== 3) throw badValue(tags.samplesPerPixel);
  const frameCount = attributes.number(tags.numberOfFrames) ?? 1;
  if (!Number.isInteger(frameCount) || frameCount < 1) throw badValue(tags.numberOfFrames);
  // Attack: 65535 x 65535 pixels in 65535 frames of a few compressed bytes.
  if (frameCount > limits.maxFrames) throw new DicomRefusal('DICOM_IMAGE_TOO_LARGE', 'NumberOfFrames');
  if (rows * columns * samplesPerPixel > limits.maxFrameSamples) {
    throw new DicomRefusal('DICOM_IMAGE_TOO_LARGE', 'Rows');
  }
  const shape = { rows, columns, frameCount, samplesPerPixel } as const;
  const photometricInterpretation = photometricOf(attributes, samplesPerPixel);
  if (width !== null) {
    if (samplesPerPixel !== 1) throw badValue(tags.samplesPerPixel);
    const sample = { bitsAllocated: width, bitsStored: width, highBit: width - 1, isSigned: true } as const;
    return { ...shape, ...sample, photometricInterpretation, sampleKind: 'float', isPlanar: false };
  }
  return {
    ...shape,
    ...bitsOf(attributes, samplesPerPixel),
    photometricInterpretation,
    sampleKind: 'integer',
    isPlanar: samplesPerPixel === 3 && planarOf(attributes),
  };
}

function hasPixelData(attributes: Attributes): boolean {
  const element = attributes.element(pixelDataTags.integer);
  if (element === undefined) return false;
  if (isSequence(element)) throw badValue(pixelDataTags.integer);
  return isEncapsulated(element) || element.bytes.length > 0;
}

function floatWidth(attributes: Attributes): 32 | 64 | null {
  if (attributes.has(pixelDataTags.float)) return 32;
  return attributes.has(pixelDataTags.double) ? 64 : null;
}

function required(attributes: Attributes, tag: number): number {
  const value = attributes.number(tag);
  if (value === null || !Number.isInteger(value) || value < 1) throw badValue(tag);
  return value;
}

function photometricOf(attributes: Attributes, samplesPerPixel: number): PhotometricInterpretation {
  const stated = attributes.text(tags.photometricInterpretation);
  const known = photometricInterpretations.find((name) => name === stated);
  if (known === undefined) {
    const isRetired = stated !== null && ['HSV', 'ARGB', 'CMYK', 'XYB'].includes(stated);
    throw isRetired
      ? new DicomRefusal('DICOM_UNSUPPORTED_IMAGE', 'PhotometricInterpretation')
      : badValue(tags.photometricInterpretation);
  }
  const isGrey = known.startsWith('MONOCHROME') || known === 'PALETTE COLOR';
  if (isGrey !== (samplesPerPixel === 1)) throw badValue(tags.photometricInterpretation);
  return known;
}

type Bits = Pick<ImageDescription, 'bitsAllocated' | 'bitsStored' | 'highBit' | 'isSigned'>;

function bitsOf(attributes: Attributes, samplesPerPixel: number): Bits {
  const bitsAllocated = attributes.number(tags.bitsAllocated);
  switch (bitsAllocated) {
    case 1:
      if (samplesPerPixel !== 1) throw badValue(tags.bitsAllocated);
      return { bitsAllocated, bitsStored: 1, highBit: 0, isSigned: false };
    case 8:
    case 16:
    case 32: {
      const bitsStored = attributes.number(tags.bitsStored) ?? bitsAllocated;
      const highBit = attributes.number(tags.highBit) ?? bitsStored - 1;
      if (bitsStored < 1 || bitsStored > bitsAllocated) throw badValue(tags.bitsStored);
      if (highBit < bitsStored - 1 || highBit >= bitsAllocated) throw badValue(tags.highBit);
      return { bitsAllocated, bitsStored, highBit, isSigned: signOf(attributes) };
    }
    case 12:
    case 24:
    case 64:
      // Packed, as ACR-NEMA had it, or of integers longer than a number here holds exactly.
      throw new DicomRefusal('DICOM_UNSUPPORTED_IMAGE', 'BitsAllocated');
    default:
      throw badValue(tags.bitsAllocated);
  }
}

function signOf(attributes: Attributes): boolean {
  const representation = attributes.number(tags.pixelRepresentation) ?? 0;
  if (representation !== 0 && representation !== 1) throw badValue(tags.pixelRepresentation);
  return representation === 1;
}

function planarOf(attributes: Attributes): boolean {
  const configuration = attributes.number(tags.planarConfiguration) ?? 0;
  if (configuration !== 0 && configuration !== 1) throw badValue(tags.planarConfiguration);
  return configuration === 1;
}
