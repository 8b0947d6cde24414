// Attributes of one frame: of an enhanced object from its own functional groups, else the shared ones, else the object itself
// (PS3.3 C.7.6.16). Readers of rescale, spacing and position need not know which kind of object they have.
import { type Attributes, badValue } from './attributes.ts';

const sharedGroupsTag = 0x52009229;
const frameGroupsTag = 0x52009230;

/** Macro sequences (PS3.3 C.7.6.16.2) and the attributes that are read from each. */
export const functionalGroups = {
  pixelMeasures: 0x00289110,
  planePosition: 0x00209113,
  planeOrientation: 0x00209116,
  pixelValueTransformation: 0x00289145,
  frameVoiLut: 0x00289132,
  derivationImage: 0x00089124,
  segmentIdentification: 0x0062000a,
  frameContent: 0x00209111,
} as const;

export interface FrameGroups {
  /** The item of a macro that holds for a frame; undefined where neither its own groups nor the shared ones have it. */
  find(frameIndex: number, macro: number): Attributes | undefined;
}

/**
 * Reads the functional groups of an object.
 * @throws DicomRefusal DICOM_BAD_VALUE where there are other per-frame groups than frames
 */
export function readFrameGroups(attributes: Attributes, frameCount: number): FrameGroups {
  const [shared] = attributes.items(sharedGroupsTag);
  const frames = attributes.items(frameGroupsTag);
  if (frames.length > 0 && frames.length !== frameCount) throw badValue(frameGroupsTag);
  return {
    find: (frameIndex, macro) => frames[frameIndex]?.items(macro)[0] ?? shared?.items(macro)[0],
  };
}

export interface FrameGeometry {
  /** Millimetres from row to row and from column to column. */
  readonly pixelSpacing: readonly [number, number] | null;
  readonly sliceThickness: number | null;
  readonly spacingBetweenSlices: number | null;
  /** Of the first pixel's centre, in millimetres of the patient's coordinates: left, posterior, superior. */
  readonly position: readonly [number, number, number] | null;
  /** Direction of a row and of a column. */
  readonly orientation: readonly number[] | null;
}

/**
 * Where the pixels of a frame lie (PS3.3 C.7.6.2); null for what the object does not say.
 * @throws DicomRefusal DICOM_BAD_VALUE
 */
export function frameGeometry(
  attributes: Attributes,
  groups: FrameGroups,
  frameIndex: number,
): FrameGeometry {
  const measures = groups.find(frameIndex, functionalGroups.pixelMeasures) ?? attributes;
  const spacing = tuple(measures, 0x00280030, 2) ?? tuple(measures, 0x00181164, 2);
  if (spacing?.some((millimetres) => millimetres <= 0)) throw badValue(0x00280030);
  const position = tuple(
    groups.find(frameIndex, functionalGroups.planePosition) ?? attributes,
    0x00200032,
    3,
  );
  const orientation = tuple(
    groups.find(frameIndex, functionalGroups.planeOrientation) ?? attributes,
    0x00200037,
    6,
  );
  return {
    pixelSpacing: spacing === null ? null : [spacing[0] ?? 0, spacing[1] ?? 0],
    sliceThickness: measures.number(0x00180050),
    spacingBetweenSlices: measures.number(0x00180088),
    position: position === null ? null : [position[0] ?? 0, position[1] ?? 0, position[2] ?? 0],
    orientation,
  };
}

function tuple(attributes: Attributes, tag: number, length: number): readonly number[] | null {
  const numbers = attributes.numbers(tag);
  if (numbers.length === 0) return null;
  if (numbers.length !== length) throw badValue(tag);
  return numbers;
}
