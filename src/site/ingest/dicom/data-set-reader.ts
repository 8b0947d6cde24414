// Reads the elements of a data set (PS3.5 7) without recursion: every length is held against what encloses it, and depth and number
// of elements against limits, so that no file makes it run over, run long or run out of stack (security.md X10).
import { type DataSet, type DicomElement, type DicomNote, keywordOf, vrOf } from '#site/deidentify/index.ts';
import type { FileRefusalCode } from '../ingest-error.ts';
import { DicomRefusal } from './dicom-refusal.ts';
import { readFragments } from './fragment-reader.ts';
import { representationAt } from './value-representation.ts';

export interface DataSetEncoding {
  readonly isExplicit: boolean;
  readonly isLittleEndian: boolean;
}

export interface DataSetLimits {
  /** Sequences within sequences. */
  readonly maxDepth: number;
  /** Elements and items, of all depths together. */
  readonly maxElements: number;
}

export interface ReadDataSet {
  readonly dataSet: DataSet;
  /** Where reading stopped. */
  readonly end: number;
  readonly notes: ReadonlySet<DicomNote>;
}

export interface DataSetRange {
  readonly start: number;
  /** Reads elements of this group only, and stops at the first of another; all where null. */
  readonly onlyGroup: number | null;
}

const itemTag = 0xfffee000;
const itemEndTag = 0xfffee00d;
const sequenceEndTag = 0xfffee0dd;
const pixelDataTag = 0x7fe00010;
const undefinedLength = 0xffffffff;

/** An open data set: the whole one, or an item of a sequence. */
interface OpenItem {
  readonly elements: DicomElement[];
  /** Where it ends by its own length; null where a delimiter ends it. */
  readonly end: number | null;
  /** Where the nearest enclosing length ends: nothing may pass it. */
  readonly limit: number;
  readonly isExplicit: boolean;
  isSorted: boolean;
}

interface OpenSequence {
  readonly tag: number;
  readonly items: DataSet[];
  readonly end: number | null;
  readonly limit: number;
  readonly isExplicit: boolean;
  /** Set for UN of undefined length: each item says by its first element how it is written. */
  readonly isUnknown: boolean;
}

interface ElementHeader {
  readonly tag: number;
  readonly vr: string;
  readonly length: number;
  readonly valueAt: number;
}

/**
 * Reads a data set, or the file meta information.
 * @throws DicomRefusal DICOM_BAD_FRAGMENTS, DICOM_BAD_LENGTH, DICOM_BAD_STRUCTURE, DICOM_BAD_VR, DICOM_DUPLICATE_TAG,
 * DICOM_MIXED_BYTE_ORDER, DICOM_TOO_DEEP, DICOM_TOO_MANY_ELEMENTS, TRUNCATED
 */
export function readDataSet(
  bytes: Buffer,
  range: DataSetRange,
  options: DataSetEncoding & DataSetLimits,
): ReadDataSet {
  const reader = new DataSetReader(bytes, range, options);
  while (reader.step()) {
    // One element, item or delimiter a turn.
  }
  return { dataSet: reader.finish(), end: reader.position, notes: reader.notes };
}

/** Whether the element at `position` states its VR, told by what stands there. */
export function looksExplicit(bytes: Buffer, position: number, isLittleEndian: boolean): boolean {
  if (position + 8 > bytes.length) return false;
  const stated = representationAt(bytes, position + 4);
  if (stated === undefined) return false;
  const implicitLength = isLittleEndian ? bytes.readUInt32LE(position + 4) : bytes.readUInt32BE(position + 4);
  if (implicitLength > bytes.length - position - 8) return true;
  return vrOf(readTag(bytes, position, isLittleEndian)) === stated.name;
}

export function readTag(bytes: Buffer, position: number, isLittleEndian: boolean): number {
  return isLittleEndian
    ? bytes.readUInt16LE(position) * 0x10000 + bytes.readUInt16LE(position + 2)
    : bytes.readUInt32BE(position);
}

/** The keyword of a tag of the data dictionary; null for any other, see DicomRefusal.field. */
export function fieldOf(tag: number): string | null {
  return keywordOf(tag) ?? null;
}

class DataSetReader {
  position: number;
  readonly notes = new Set<DicomNote>();
  readonly #bytes: Buffer;
  readonly #onlyGroup: number | null;
  readonly #isLittleEndian: boolean;
  readonly #limits: DataSetLimits;
  readonly #root: OpenItem;
  readonly #items: OpenItem[] = [];
  readonly #sequences: OpenSequence[] = [];
  #item: OpenItem;
  #isBetweenItems = false;
  #elementCount = 0;

  constructor(bytes: Buffer, range: DataSetRange, options: DataSetEncoding & DataSetLimits) {
    this.#bytes = bytes;
    this.position = range.start;
    this.#onlyGroup = range.onlyGroup;
    this.#isLittleEndian = options.isLittleEndian;
    this.#limits = options;
    this.#root = {
      elements: [],
      end: bytes.length,
      limit: bytes.length,
      isExplicit: options.isExplicit,
      isSorted: true,
    };
    this.#item = this.#root;
  }

  finish(): DataSet {
    return this.#closed(this.#root);
  }

  /** Reads on by one element, item or delimiter; false at the end. */
  step(): boolean {
    if (this.#isBetweenItems) this.#stepSequence();
    else if (this.position === this.#item.end) {
      if (this.#item === this.#root) return false;
      this.#closeItem();
    } else return this.#stepElement();
    return true;
  }

  #stepElement(): boolean {
    const item = this.#item;
    if (item === this.#root && this.#atRootEnd()) return false;
    const header = this.#readHeader(item);
    if (header === null) {
      this.#closeItem();
      return true;
    }
    this.#count(header.tag);
    if (header.vr === 'SQ') this.#openSequence(header, item);
    else if (header.length === undefinedLength) this.#readEncapsulated(header, item);
    else this.#readValue(header, item);
    return true;
  }

  /** Whether nothing more belongs to the data set: the end of the group, or zeros that some writers leave behind it. */
  #atRootEnd(): boolean {
    const rest = this.#bytes.length - this.position;
    if (this.#onlyGroup !== null && rest >= 8) {
      return Math.floor(readTag(this.#bytes, this.position, true) / 0x10000) !== this.#onlyGroup;
    }
    if (rest >= 8 && this.#bytes.readUInt32LE(this.position) !== 0) return false;
    for (let at = this.position; at < this.#bytes.length; at += 1) if (this.#bytes[at] !== 0) return false;
    this.notes.add('TRAILING_ZEROS');
    return true;
  }

  #readHeader(item: OpenItem): ElementHeader | null {
    const start = this.position;
    this.#need(8, item.limit, null);
    const tag = readTag(this.#bytes, start, this.#isLittleEndian);
    if (tag >= 0xfffe0000 && tag <= 0xfffeffff) {
      if (tag !== itemEndTag || item.end !== null || this.#readLength(start + 4) !== 0) {
        throw new DicomRefusal('DICOM_BAD_STRUCTURE');
      }
      this.position = start + 8;
      return null;
    }
    // Attack: a second file meta information or a command set that later readers take for the first.
    const group = Math.floor(tag / 0x10000);
    if (this.#onlyGroup === null && (group === 0x0000 || group === 0x0002)) {
      throw new DicomRefusal('DICOM_BAD_STRUCTURE');
    }
    return item.isExplicit ? this.#explicitHeader(tag, item) : this.#implicitHeader(tag, item);
  }

  #implicitHeader(tag: number, item: OpenItem): ElementHeader {
    const length = this.#readLength(this.position + 4);
    const known = vrOf(tag);
    const valueAt = this.position + 8;
    // PS3.5 6.2.2 note: what has no known VR and no length can only be a sequence.
    const vr = length === undefinedLength && tag !== pixelDataTag ? 'SQ' : known;
    this.#holdLength({ tag, vr, length, valueAt }, item);
    return { tag, vr, length, valueAt };
  }

  #explicitHeader(tag: number, item: OpenItem): ElementHeader {
    const start = this.position;
    const stated = representationAt(this.#bytes, start + 4);
    if (stated === undefined) throw new DicomRefusal('DICOM_BAD_VR', fieldOf(tag));
    if (!stated.isLong) {
      const length = this.#isLittleEndian
        ? this.#bytes.readUInt16LE(start + 6)
        : this.#bytes.readUInt16BE(start + 6);
      const short = { tag, vr: stated.name, length, valueAt: start + 8 };
      this.#holdLength(short, item);
      return short;
    }
    this.#need(12, item.limit, tag);
    const length = this.#readLength(start + 8);
    const long = { tag, vr: stated.name, length, valueAt: start + 12 };
    this.#holdLength(long, item);
    return stated.name === 'UN' ? { ...long, vr: this.#knownVr(long) } : long;
  }

  /** A file that passed through software without a dictionary has UN where the standard knows better (PS3.5 6.2.2). */
  #knownVr({ tag, length, valueAt }: ElementHeader): string {
    if (length === undefinedLength) {
      if (tag === pixelDataTag) return 'OB';
      if (!this.#isLittleEndian) throw new DicomRefusal('DICOM_MIXED_BYTE_ORDER', fieldOf(tag));
      return 'SQ';
    }
    if (!this.#isLittleEndian) return 'UN';
    const known = vrOf(tag);
    if (known !== 'SQ' || length === 0) return known;
    return length >= 8 && readTag(this.#bytes, valueAt, true) === itemTag ? 'SQ' : 'UN';
  }

  #holdLength({ tag, vr, length, valueAt }: ElementHeader, item: OpenItem): void {
    if (length === undefinedLength) {
      if (vr === 'SQ' || vr === 'UN' || vr === 'OB' || vr === 'OW') return;
      throw new DicomRefusal('DICOM_BAD_LENGTH', fieldOf(tag));
    }
    if (length % 2 === 1) this.notes.add('ODD_LENGTH');
    if (length > item.limit - valueAt) throw this.#overrun(item.limit, tag);
  }

  #readValue({ tag, vr, length, valueAt }: ElementHeader, item: OpenItem): void {
    this.position = valueAt + length;
    this.#add({ tag, vr, bytes: this.#bytes.subarray(valueAt, this.position) }, item);
  }

  #readEncapsulated({ tag, vr, valueAt }: ElementHeader, item: OpenItem): void {
    const { offsets, fragments, end } = readFragments(this.#bytes, valueAt, {
      limit: item.limit,
      field: fieldOf(tag),
      isLittleEndian: this.#isLittleEndian,
    });
    this.#elementCount += fragments.length;
    this.#count(tag);
    this.position = end;
    this.#add({ tag, vr: vr === 'OW' ? 'OW' : 'OB', offsets, fragments }, item);
  }

  #openSequence({ tag, length, valueAt }: ElementHeader, item: OpenItem): void {
    if (this.#sequences.length === this.#limits.maxDepth) {
      // Attack: thousands of nested sequences, against the stack of whatever reads them later.
      throw new DicomRefusal('DICOM_TOO_DEEP', fieldOf(this.#sequences[0]?.tag ?? tag));
    }
    const isUnknown = item.isExplicit && representationAt(this.#bytes, this.position + 4)?.name === 'UN';
    const end = length === undefinedLength ? null : valueAt + length;
    const isExplicit = item.isExplicit && !isUnknown;
    this.position = valueAt;
    this.#items.push(item);
    this.#sequences.push({ tag, items: [], end, limit: end ?? item.limit, isExplicit, isUnknown });
    this.#isBetweenItems = true;
  }

  #stepSequence(): void {
    const sequence = this.#sequences.at(-1);
    if (sequence === undefined) return;
    if (this.position === sequence.end) {
      this.#closeSequence(sequence);
      return;
    }
    this.#need(8, sequence.limit, sequence.tag);
    const tag = readTag(this.#bytes, this.position, this.#isLittleEndian);
    const length = this.#readLength(this.position + 4);
    this.position += 8;
    if (tag === sequenceEndTag && length === 0 && sequence.end === null) this.#closeSequence(sequence);
    else if (tag === itemTag) this.#openItem(sequence, length);
    else throw new DicomRefusal('DICOM_BAD_STRUCTURE', fieldOf(sequence.tag));
  }

  #openItem(sequence: OpenSequence, length: number): void {
    this.#count(sequence.tag);
    const end = length === undefinedLength ? null : this.position + length;
    if (end !== null && end > sequence.limit) throw this.#overrun(sequence.limit, sequence.tag);
    this.#item = {
      elements: [],
      end,
      limit: end ?? sequence.limit,
      isExplicit: sequence.isUnknown ? looksExplicit(this.#bytes, this.position, true) : sequence.isExplicit,
      isSorted: true,
    };
    this.#isBetweenItems = false;
  }

  #closeItem(): void {
    this.#sequences.at(-1)?.items.push(this.#closed(this.#item));
    this.#isBetweenItems = true;
  }

  #closeSequence(sequence: OpenSequence): void {
    this.#sequences.pop();
    this.#item = this.#items.pop() ?? this.#root;
    this.#isBetweenItems = false;
    this.#add({ tag: sequence.tag, vr: 'SQ', items: sequence.items }, this.#item);
  }

  #closed(item: OpenItem): DataSet {
    if (!item.isSorted) {
      this.notes.add('OUT_OF_ORDER');
      item.elements.sort((left, right) => left.tag - right.tag);
      for (const [index, { tag }] of item.elements.entries()) {
        if (item.elements[index + 1]?.tag === tag)
          throw new DicomRefusal('DICOM_DUPLICATE_TAG', fieldOf(tag));
      }
    }
    return { elements: item.elements };
  }

  #add(element: DicomElement, item: OpenItem): void {
    const last = item.elements.at(-1);
    // Attack: two values for one element, of which de-identification sees one and a later reader the other.
    if (last?.tag === element.tag) throw new DicomRefusal('DICOM_DUPLICATE_TAG', fieldOf(element.tag));
    if (last !== undefined && last.tag > element.tag) item.isSorted = false;
    item.elements.push(element);
  }

  #count(tag: number): void {
    this.#elementCount += 1;
    if (this.#elementCount > this.#limits.maxElements) {
      throw new DicomRefusal('DICOM_TOO_MANY_ELEMENTS', fieldOf(tag));
    }
  }

  #need(byteCount: number, limit: number, tag: number | null): void {
    if (this.position + byteCount > limit) throw this.#overrun(limit, tag);
  }

  #overrun(limit: number, tag: number | null): DicomRefusal {
    const code: FileRefusalCode = limit === this.#bytes.length ? 'TRUNCATED' : 'DICOM_BAD_LENGTH';
    return new DicomRefusal(code, tag === null ? null : fieldOf(tag));
  }

  #readLength(at: number): number {
    return this.#isLittleEndian ? this.#bytes.readUInt32LE(at) : this.#bytes.readUInt32BE(at);
  }
}
