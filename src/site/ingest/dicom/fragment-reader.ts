// Reads encapsulated pixel data (PS3.5 A.4): an item with the offsets of the frames, then fragments, then the delimiter.
import { DicomRefusal } from './dicom-refusal.ts';

export interface FragmentRange {
  /** Nothing may pass it. */
  readonly limit: number;
  readonly field: string | null;
  readonly isLittleEndian: boolean;
}

export interface ReadFragments {
  readonly offsets: number[];
  readonly fragments: Buffer[];
  /** Where the next element begins. */
  readonly end: number;
}

/**
 * Reads from the item of offsets to the delimiter.
 * @throws DicomRefusal DICOM_BAD_FRAGMENTS, TRUNCATED
 */
export function readFragments(bytes: Buffer, start: number, range: FragmentRange): ReadFragments {
  const items: Buffer[] = [];
  let position = start;
  for (;;) {
    if (position + 8 > range.limit) throw overrun(bytes, range);
    const { tag, length } = itemAt(bytes, position, range.isLittleEndian);
    position += 8;
    if (tag === 0xfffee0dd && length === 0) break;
    // Attack: a fragment of undefined, "negative" or huge length.
    if (tag !== 0xfffee000 || length === 0xffffffff)
      throw new DicomRefusal('DICOM_BAD_FRAGMENTS', range.field);
    if (length > range.limit - position) throw overrun(bytes, range);
    items.push(bytes.subarray(position, position + length));
    position += length;
  }
  const [table, ...fragments] = items;
  if (table === undefined || table.length % 4 !== 0)
    throw new DicomRefusal('DICOM_BAD_FRAGMENTS', range.field);
  const offsets = Array.from({ length: table.length / 4 }, (_, index) =>
    range.isLittleEndian ? table.readUInt32LE(index * 4) : table.readUInt32BE(index * 4),
  );
  return { offsets, fragments, end: position };
}

function itemAt(bytes: Buffer, at: number, isLittleEndian: boolean): { tag: number; length: number } {
  if (!isLittleEndian) return { tag: bytes.readUInt32BE(at), length: bytes.readUInt32BE(at + 4) };
  const tag = bytes.readUInt16LE(at) * 0x10000 + bytes.readUInt16LE(at + 2);
  return { tag, length: bytes.readUInt32LE(at + 4) };
}

function overrun(bytes: Buffer, { limit, field }: FragmentRange): DicomRefusal {
  return new DicomRefusal(limit === bytes.length ? 'TRUNCATED' : 'DICOM_BAD_FRAGMENTS', field);
}
