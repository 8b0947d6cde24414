// Stored values to values of the modality (PS3.3 C.11.1): by the Modality LUT where there is one, else by rescale slope and
// intercept, those of the frame before the object's. How an image is to look (MONOCHROME1, windows) changes no value here.
import { type Attributes, badValue } from './attributes.ts';
import { type FrameGroups, functionalGroups } from './functional-groups.ts';
import type { ImageDescription } from './image-description.ts';
import type { PixelFrame } from './pixel-frame.ts';

export type ModalityTransform =
  | {
      readonly kind: 'linear';
      readonly slope: number;
      readonly intercept: number;
      readonly unit: string | null;
    }
  | {
      readonly kind: 'table';
      readonly firstValue: number;
      readonly values: Uint16Array;
      readonly unit: string | null;
    };

/**
 * The transform of a frame; the identity where the object states none.
 * @throws DicomRefusal DICOM_BAD_VALUE
 */
export function modalityTransform(
  attributes: Attributes,
  {
    groups,
    description,
    frameIndex,
  }: { groups: FrameGroups; description: ImageDescription; frameIndex: number },
): ModalityTransform {
  const [lut] = attributes.items(0x00283000);
  if (lut !== undefined) return tableOf(lut, description);
  const source = groups.find(frameIndex, functionalGroups.pixelValueTransformation) ?? attributes;
  const slope = source.number(0x00281053) ?? 1;
  const intercept = source.number(0x00281052) ?? 0;
  // A slope of nothing would make every pixel the same.
  if (slope === 0) throw badValue(0x00281053);
  return { kind: 'linear', slope, intercept, unit: source.text(0x00281054) };
}

/** Values of the modality of a grey frame, row by row. */
export function modalityValues({ samples }: PixelFrame, transform: ModalityTransform): Float32Array {
  const values = new Float32Array(samples.length);
  if (transform.kind === 'linear') {
    const { slope, intercept } = transform;
    for (let index = 0; index < values.length; index += 1)
      values[index] = (samples[index] ?? 0) * slope + intercept;
    return values;
  }
  const { firstValue, values: table } = transform;
  const last = table.length - 1;
  for (let index = 0; index < values.length; index += 1) {
    // Values below the table map to its first entry, those above to its last (PS3.3 C.11.1.1.1).
    values[index] = table[Math.min(last, Math.max(0, (samples[index] ?? 0) - firstValue))] ?? 0;
  }
  return values;
}

export interface LookupDescriptor {
  readonly entryCount: number;
  readonly firstValue: number;
  readonly bits: number;
}

/**
 * The three numbers of a LUT descriptor: 0 entries are 65536, the first value has the sign of the pixels whatever its VR says.
 * @throws DicomRefusal DICOM_BAD_VALUE
 */
export function readLookupDescriptor(
  attributes: Attributes,
  tag: number,
  isSigned: boolean,
): LookupDescriptor {
  const [count, first, bits] = attributes.numbers(tag);
  if (count === undefined || first === undefined || bits === undefined) throw badValue(tag);
  if (bits !== 8 && (bits < 10 || bits > 16)) throw badValue(tag);
  const entryCount = count & 0xffff || 0x10000;
  const firstValue = isSigned ? ((first & 0xffff) << 16) >> 16 : first & 0xffff;
  return { entryCount, firstValue, bits };
}

/**
 * The entries of a table: words, or bytes where 8 bits fit and that is what the data holds.
 * @throws DicomRefusal DICOM_BAD_VALUE
 */
export function readLookupEntries(
  attributes: Attributes,
  tag: number,
  { entryCount, bits }: LookupDescriptor,
): Uint16Array {
  const bytes = attributes.bytes(tag);
  if (bytes === null) throw badValue(tag);
  if (bits === 8 && bytes.length - (bytes.length % 2) < entryCount * 2 && bytes.length >= entryCount) {
    return Uint16Array.from(bytes.subarray(0, entryCount));
  }
  if (bytes.length < entryCount * 2) throw badValue(tag);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint16Array.from({ length: entryCount }, (_, index) =>
    view.getUint16(index * 2, attributes.isLittleEndian),
  );
}

function tableOf(lut: Attributes, { isSigned }: ImageDescription): ModalityTransform {
  const descriptor = readLookupDescriptor(lut, 0x00283002, isSigned);
  const values = readLookupEntries(lut, 0x00283006, descriptor);
  return { kind: 'table', firstValue: descriptor.firstValue, values, unit: lut.text(0x00283004) };
}
