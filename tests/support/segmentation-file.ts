// DICOM segmentations for tests: frames of any segments, drawn on named images or placed where they lie, binary or fractional.
import type { DataSet, DicomElement, DicomFile } from '#site/deidentify/index.ts';
import { dataSet, dicomFile, element, mrSlice } from './dicom-object.ts';

const segmentationStorage = '1.2.840.10008.5.1.4.1.1.66.4';

export interface DrawnFrame {
  readonly segment?: number;
  /** SOP instance UIDs, each with the number of a frame where it has many. */
  readonly sources?: readonly (string | readonly [uid: string, frame: number])[];
  readonly position?: readonly number[];
  readonly orientation?: readonly number[];
  /** By pixel, row by row: 0 or 1, or a stored share of 200. */
  readonly pixels: readonly number[];
}

export interface DrawnSegmentation {
  readonly kind?: 'BINARY' | 'FRACTIONAL';
  readonly rows: number;
  readonly columns: number;
  readonly segments?: readonly number[];
  readonly frames: readonly DrawnFrame[];
}

const sequence = (tag: number, ...items: DataSet[]): DicomElement => element(tag, items, 'SQ');
const us = (tag: number, value: number): DicomElement => element(tag, [value], 'US');

/** The highest stored value of a fractional one is 200. */
export function segmentationFile(
  { kind = 'BINARY', rows, columns, segments = [1], frames }: DrawnSegmentation,
  ...changes: readonly DicomElement[]
): DicomFile {
  const bits = kind === 'BINARY' ? 1 : 8;
  const pixels = frames.flatMap((frame) => frame.pixels);
  return dicomFile(
    mrSlice(
      { rows, columns, pixels: new Uint16Array(1) },
      element(0x00080016, segmentationStorage),
      element(0x00080060, 'SEG'),
      element(0x00280008, String(frames.length)),
      us(0x00280100, bits),
      us(0x00280101, bits),
      us(0x00280102, bits - 1),
      element(0x00620001, kind),
      ...(kind === 'FRACTIONAL' ? [us(0x0062000e, 200)] : []),
      sequence(0x00620002, ...segments.map(segmentItem)),
      sequence(0x52009230, ...frames.map(frameItem)),
      element(0x7fe00010, kind === 'BINARY' ? packBits(pixels) : Uint8Array.from(pixels), 'OB'),
      ...changes,
    ),
  );
}

function segmentItem(segmentNumber: number): DataSet {
  return dataSet(us(0x00620004, segmentNumber), element(0x00620005, 'Tumour'));
}

function frameItem({ segment = 1, sources = [], position, orientation }: DrawnFrame): DataSet {
  const items = sources.map((source) => {
    const [uid, frame] = typeof source === 'string' ? [source] : source;
    const number = frame === undefined ? [] : [element(0x00081160, String(frame))];
    return dataSet(element(0x00081150, '1.2.3'), element(0x00081155, uid), ...number);
  });
  return dataSet(
    sequence(0x0062000a, dataSet(us(0x0062000b, segment))),
    ...(items.length === 0 ? [] : [sequence(0x00089124, dataSet(sequence(0x00082112, ...items)))]),
    ...(position === undefined
      ? []
      : [sequence(0x00209113, dataSet(element(0x00200032, position.join('\\'))))]),
    ...(orientation === undefined
      ? []
      : [sequence(0x00209116, dataSet(element(0x00200037, orientation.join('\\'))))]),
  );
}

/** The first pixel in the lowest bit; frames follow each other within a byte. */
function packBits(pixels: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(pixels.length / 8));
  for (const [at, pixel] of pixels.entries())
    if (pixel !== 0) bytes[at >> 3] = (bytes[at >> 3] ?? 0) | (1 << (at & 7));
  return bytes;
}
