// Writes Part 10 files (PS3.10 section 7): zero preamble, group 0002 with its right length, Explicit VR Little Endian with stated
// lengths; encapsulated pixel data as it is. One buffer, one copy of each value, no recursion.
import { BugError } from '#base/coded-error.ts';
import { swapWords } from './byte-order.ts';
import type { DataSet, DicomElement, DicomFile, EncapsulatedElement } from './data-set.ts';
import { isEncapsulated, isSequence } from './data-set.ts';
import { textElement } from './element-text.ts';
import { writtenSyntaxOf } from './transfer-syntax.ts';

/** VRs whose length field has 32 bits (PS3.5 7.1.2). */
const longVrs = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV']);
/** Padded with a zero byte; every other VR with a space. */
const zeroPadded = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'UI', 'UN']);
const longestShortValue = 0xfffe;
const preambleBytes = 132;
const itemTag = 0xfffee000;
const sequenceEndTag = 0xfffee0dd;
const groupLength = 0x00020000;
const transferSyntax = 0x00020010;

/**
 * The file as Part 10 bytes, in the syntax that `writtenSyntaxOf` names; `meta` gives the rest of group 0002.
 * Elements are written in the order they have; their VR must have two letters.
 * @param memory is written into, where it is large enough: whoever writes many files needs no new memory for each
 */
export function encodeDicom(file: DicomFile, memory?: Buffer): Uint8Array {
  const syntax = writtenSyntaxOf(file.transferSyntaxUid);
  const meta = file.meta.elements.filter(({ tag }) => tag !== groupLength && tag !== transferSyntax);
  const metaSet = { elements: inOrder([...meta, textElement(transferSyntax, 'UI', syntax)]) };
  const size = preambleBytes + 12 + largestSize(metaSet) + largestSize(file.dataSet);
  const buffer = memory !== undefined && memory.length >= size ? memory : Buffer.allocUnsafe(size);
  const writer = new DataSetWriter(buffer, !file.isLittleEndian);
  writer.writeAscii(128, 'DICM');
  writer.position = preambleBytes + 12;
  writer.writeDataSet(metaSet, false);
  const metaEnd = writer.position;
  writer.position = preambleBytes;
  const length = Buffer.alloc(4);
  length.writeUInt32LE(metaEnd - preambleBytes - 12);
  writer.writeValue(groupLength, 'UL', length);
  writer.position = metaEnd;
  writer.writeDataSet(file.dataSet, true);
  return writer.finish();
}

/** A data set alone in Explicit VR Little Endian, as an item or a C-STORE data set holds it. */
export function encodeDataSet(dataSet: DataSet): Uint8Array {
  const writer = new DataSetWriter(Buffer.allocUnsafe(largestSize(dataSet)), false);
  writer.writeDataSet(dataSet, true);
  return writer.finish();
}

function inOrder(elements: DicomElement[]): DicomElement[] {
  return elements.sort((left, right) => left.tag - right.tag);
}

/** An upper bound of a data set's bytes. */
function largestSize(dataSet: DataSet): number {
  let size = 0;
  const open: DataSet[] = [dataSet];
  for (let current = open.pop(); current !== undefined; current = open.pop()) {
    for (const element of current.elements) {
      size += 12;
      if (isSequence(element)) {
        size += 8 * element.items.length;
        for (const item of element.items) open.push(item);
      } else if (isEncapsulated(element)) {
        size += 16 + 4 * element.offsets.length;
        for (const fragment of element.fragments) size += 9 + fragment.length;
      } else size += element.bytes.length + 1;
    }
  }
  return size;
}

interface OpenDataSet {
  readonly elements: readonly DicomElement[];
  next: number;
  /** The items that follow this one in its sequence, and where the lengths of both are to be written. */
  readonly rest: readonly DataSet[];
  readonly itemNumber: number;
  readonly itemLengthAt: number;
  readonly sequenceLengthAt: number;
}

class DataSetWriter {
  readonly #buffer: Buffer;
  position = 0;
  #isSwapping = false;
  readonly #isBigEndian: boolean;

  constructor(buffer: Buffer, isBigEndian: boolean) {
    this.#buffer = buffer;
    this.#buffer.fill(0, 0, Math.min(buffer.length, preambleBytes));
    this.#isBigEndian = isBigEndian;
  }

  finish(): Uint8Array {
    if (this.position > this.#buffer.length) throw new BugError('a DICOM file outgrew its bound');
    return this.#buffer.subarray(0, this.position);
  }

  writeAscii(at: number, text: string): void {
    this.#buffer.write(text, at, 'latin1');
  }

  /** @param isData group 0002 is little endian in every syntax */
  writeDataSet(dataSet: DataSet, isData: boolean): void {
    this.#isSwapping = isData && this.#isBigEndian;
    const stack: OpenDataSet[] = [
      {
        elements: dataSet.elements,
        next: 0,
        rest: [],
        itemNumber: 0,
        itemLengthAt: -1,
        sequenceLengthAt: -1,
      },
    ];
    for (let open = stack.at(-1); open !== undefined; open = stack.at(-1)) {
      const element = open.elements[open.next];
      if (element === undefined) {
        stack.pop();
        const following = this.#endItem(open);
        if (following !== null) stack.push(following);
        continue;
      }
      open.next += 1;
      if (isSequence(element)) {
        const sequenceLengthAt = this.#writeHeader(element.tag, 'SQ', 0);
        const first = this.#beginItem(element.items, 0, sequenceLengthAt);
        if (first !== null) stack.push(first);
      } else if (isEncapsulated(element)) this.#writeEncapsulated(element);
      else this.writeValue(element.tag, element.vr, element.bytes);
    }
  }

  writeValue(tag: number, vr: string, bytes: Uint8Array): void {
    const value = this.#isSwapping ? swapWords(bytes, vr) : bytes;
    const length = value.length + (value.length & 1);
    this.#writeHeader(tag, length > longestShortValue && !longVrs.has(vr) ? 'UN' : vr, length);
    this.#writeBytes(value, zeroPadded.has(vr) ? 0 : 0x20);
  }

  /** Writes tag, VR and length; gives the place of the length. */
  #writeHeader(tag: number, vr: string, length: number): number {
    const buffer = this.#buffer;
    const at = this.#writeTag(tag);
    buffer[at] = vr.charCodeAt(0);
    buffer[at + 1] = vr.charCodeAt(1);
    if (longVrs.has(vr)) {
      buffer[at + 2] = 0;
      buffer[at + 3] = 0;
      buffer.writeUInt32LE(length, at + 4);
      this.position = at + 8;
      return at + 4;
    }
    buffer.writeUInt16LE(length, at + 2);
    this.position = at + 4;
    return at + 2;
  }

  #writeTag(tag: number): number {
    const at = this.position;
    this.#buffer.writeUInt16LE(tag >>> 16, at);
    this.#buffer.writeUInt16LE(tag & 0xffff, at + 2);
    this.position = at + 4;
    return this.position;
  }

  #writeBytes(bytes: Uint8Array, padding: number): void {
    this.#buffer.set(bytes, this.position);
    this.position += bytes.length;
    if ((bytes.length & 1) === 0) return;
    this.#buffer[this.position] = padding;
    this.position += 1;
  }

  #writeItemHeader(tag: number, length: number): number {
    const at = this.#writeTag(tag);
    this.#buffer.writeUInt32LE(length, at);
    this.position = at + 4;
    return at;
  }

  #beginItem(items: readonly DataSet[], itemNumber: number, sequenceLengthAt: number): OpenDataSet | null {
    const item = items[itemNumber];
    if (item === undefined) {
      this.#buffer.writeUInt32LE(this.position - sequenceLengthAt - 4, sequenceLengthAt);
      return null;
    }
    const itemLengthAt = this.#writeItemHeader(itemTag, 0);
    return { elements: item.elements, next: 0, rest: items, itemNumber, itemLengthAt, sequenceLengthAt };
  }

  /** Puts the lengths in; gives the next item of the sequence, if there is one. */
  #endItem({ rest, itemNumber, itemLengthAt, sequenceLengthAt }: OpenDataSet): OpenDataSet | null {
    if (itemLengthAt < 0) return null;
    this.#buffer.writeUInt32LE(this.position - itemLengthAt - 4, itemLengthAt);
    return this.#beginItem(rest, itemNumber + 1, sequenceLengthAt);
  }

  #writeEncapsulated({ tag, vr, offsets, fragments }: EncapsulatedElement): void {
    this.#writeHeader(tag, vr, 0xffffffff);
    const written = writtenOffsets(offsets, fragments);
    this.#writeItemHeader(itemTag, 4 * written.length);
    for (const offset of written) {
      this.#buffer.writeUInt32LE(offset, this.position);
      this.position += 4;
    }
    for (const fragment of fragments) {
      this.#writeItemHeader(itemTag, fragment.length + (fragment.length & 1));
      this.#writeBytes(fragment, 0);
    }
    this.#writeItemHeader(sequenceEndTag, 0);
  }
}

/** The basic offset table for the fragments as they are written: odd ones were padded. Empty where it names no fragment's begin. */
function writtenOffsets(offsets: readonly number[], fragments: readonly Uint8Array[]): readonly number[] {
  const places = new Map<number, number>();
  let readAt = 0;
  let writtenAt = 0;
  for (const { length } of fragments) {
    places.set(readAt, writtenAt);
    readAt += 8 + length;
    writtenAt += 8 + length + (length & 1);
  }
  const written = offsets.map((offset) => places.get(offset));
  return written.every((offset) => offset !== undefined && offset <= 0xffffffff) ? written.map(Number) : [];
}
