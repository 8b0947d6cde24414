// What hides beside the pixels of an image: bytes behind its last frame, an overlay in bits that no sample uses, comments inside the
// compressed stream.

import { withoutComments } from './codestream-comments.ts';
import type { DataSet, DicomElement, DicomFile, EncapsulatedElement, ValueElement } from './data-set.ts';
import { findElement, isEncapsulated, isSequence } from './data-set.ts';
import { groupOf } from './dictionary.ts';
import { textOf } from './element-text.ts';

const pixelData = 0x7fe00010;

/** The pixel data without such remains; the same element where it has none. */
export function cleanPixelData(element: DicomElement, file: DicomFile): DicomElement {
  if (isSequence(element) || element.tag !== pixelData) return element;
  if (isEncapsulated(element)) return cleanFragments(element);
  const whole = withinFrames(element, file);
  return hasEmbeddedOverlay(file.dataSet, file.isLittleEndian) ? maskUnusedBits(whole, file) : whole;
}

function cleanFragments(element: EncapsulatedElement): EncapsulatedElement {
  const fragments = withoutComments(element.fragments);
  return fragments.every((fragment, index) => fragment === element.fragments[index])
    ? element
    : { ...element, fragments };
}

/** Cuts what stands behind the last frame, but for the byte that makes the length even. */
function withinFrames(element: ValueElement, { dataSet, isLittleEndian }: DicomFile): ValueElement {
  const number = (tag: number) => wordOf(dataSet, tag, isLittleEndian);
  const [rows, columns, bits] = [number(0x00280010), number(0x00280011), number(0x00280100)];
  const samples = number(0x00280002) ?? 1;
  if (rows === undefined || columns === undefined || bits === undefined) return element;
  const frames = Number(textOf(dataSet, 0x00280008) || '1');
  const needed = Math.ceil((rows * columns * samples * bits * frames) / 8);
  const even = needed + (needed & 1);
  // Subsampled colour takes less than this: then nothing is cut, or too little.
  if (!(needed > 0) || element.bytes.length <= even) return element;
  return { ...element, bytes: element.bytes.subarray(0, even) };
}

/** Overlays of old lie in the bits above HighBit: a plane with a bit position and no data of its own (PS3.3 C.9.2, retired). */
function hasEmbeddedOverlay({ elements }: DataSet, isLittleEndian: boolean): boolean {
  return elements.some(
    (element) =>
      groupOf(element.tag) >>> 8 === 0x60 &&
      (element.tag & 0xffff) === 0x0102 &&
      'bytes' in element &&
      (readWord(element.bytes, isLittleEndian) ?? 0) > 0,
  );
}

function maskUnusedBits(element: ValueElement, { dataSet, isLittleEndian }: DicomFile): ValueElement {
  const highBit = wordOf(dataSet, 0x00280102, isLittleEndian) ?? 15;
  const stored = wordOf(dataSet, 0x00280101, isLittleEndian) ?? 16;
  if (wordOf(dataSet, 0x00280100, isLittleEndian) !== 16 || highBit > 15) return element;
  const mask = ((1 << (highBit + 1)) - 1) & ~((1 << Math.max(0, highBit + 1 - stored)) - 1);
  const bytes = new Uint8Array(element.bytes);
  const [low, high] = isLittleEndian ? [0, 1] : [1, 0];
  for (let at = 0; at + 1 < bytes.length; at += 2) {
    bytes[at + low] = (bytes[at + low] ?? 0) & mask & 0xff;
    bytes[at + high] = (bytes[at + high] ?? 0) & (mask >>> 8);
  }
  return { ...element, bytes };
}

function wordOf(dataSet: DataSet, tag: number, isLittleEndian: boolean): number | undefined {
  const element = findElement(dataSet, tag);
  return element !== undefined && 'bytes' in element ? readWord(element.bytes, isLittleEndian) : undefined;
}

function readWord(bytes: Uint8Array, isLittleEndian: boolean): number | undefined {
  if (bytes.length < 2) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint16(0, isLittleEndian);
}
