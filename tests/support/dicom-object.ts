// DICOM objects for tests: built element by element, and written in every native transfer syntax. The product writes one of them only.
import { deflateRawSync } from 'node:zlib';
import {
  type DataSet,
  type DicomElement,
  type DicomFile,
  encodeDicom,
  isEncapsulated,
  isSequence,
  vrOf,
} from '#site/deidentify/index.ts';

export const mrImageStorage = '1.2.840.10008.5.1.4.1.1.4';
export const ctImageStorage = '1.2.840.10008.5.1.4.1.1.2';
const implicitLittleEndian = '1.2.840.10008.1.2';
const explicitLittleEndian = '1.2.840.10008.1.2.1';
const explicitBigEndian = '1.2.840.10008.1.2.2';
const deflatedLittleEndian = '1.2.840.10008.1.2.1.99';

/** Text (UTF-8), bytes, unsigned 16-bit numbers, or items. */
export type ElementValue = string | Uint8Array | readonly number[] | readonly DataSet[];

/** An element; the VR is the dictionary's unless stated. */
export function element(tag: number, value: ElementValue, vr = vrOf(tag)): DicomElement {
  if (typeof value === 'string') return { tag, vr, bytes: new TextEncoder().encode(value) };
  if (value instanceof Uint8Array) return { tag, vr, bytes: value };
  if (vr === 'SQ') return { tag, vr, items: value.filter((item) => typeof item === 'object') };
  const words = value.filter((item) => typeof item === 'number');
  return { tag, vr, bytes: new Uint8Array(Uint16Array.from(words).buffer) };
}

/** A data set of elements, put in order; a later element of a tag replaces an earlier one. */
export function dataSet(...elements: readonly DicomElement[]): DataSet {
  const byTag = new Map(elements.map((each) => [each.tag, each]));
  return { elements: [...byTag.values()].sort((left, right) => left.tag - right.tag) };
}

/** A file in Explicit VR Little Endian with just the meta elements that name it. */
export function dicomFile(content: DataSet, change: Partial<DicomFile> = {}): DicomFile {
  return {
    meta: dataSet(
      element(0x00020002, mrImageStorage),
      element(0x00020003, '1.2.3.4'),
      element(0x00020012, '1.2.3'),
    ),
    dataSet: content,
    transferSyntaxUid: explicitLittleEndian,
    isLittleEndian: true,
    notes: [],
    ...change,
  };
}

/** Elements of a small MR slice; `elements` come on top. Pixels are `rows` x `columns` words. */
export function mrSlice(
  options: { readonly rows?: number; readonly columns?: number; readonly pixels?: Uint16Array } = {},
  ...elements: readonly DicomElement[]
): DataSet {
  const { rows = 8, columns = 8, pixels = new Uint16Array(rows * columns).fill(7) } = options;
  return dataSet(
    element(0x00080008, 'ORIGINAL\\PRIMARY\\M'),
    element(0x00080016, mrImageStorage),
    element(0x00080018, '1.2.3.4'),
    element(0x00080020, '20200131'),
    element(0x00080060, 'MR'),
    element(0x00100010, 'Doe^Jane'),
    element(0x00100020, 'MRN-1'),
    element(0x0020000d, '1.2.3.4.5'),
    element(0x0020000e, '1.2.3.4.6'),
    element(0x00280002, [1]),
    element(0x00280004, 'MONOCHROME2'),
    element(0x00280010, [rows]),
    element(0x00280011, [columns]),
    element(0x00280100, [16]),
    element(0x00280101, [12]),
    element(0x00280102, [11]),
    element(0x00280103, [0]),
    element(0x7fe00010, new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength), 'OW'),
    ...elements,
  );
}

export type NativeSyntax = 'explicit' | 'implicit' | 'big-endian' | 'deflated';
export const nativeSyntaxes: readonly NativeSyntax[] = ['explicit', 'implicit', 'big-endian', 'deflated'];

/**
 * The little-endian file as Part 10 bytes in one of the native syntaxes.
 * @param preamble 128 bytes; zeros where left out
 */
export function writeDicom(
  file: DicomFile,
  syntax: NativeSyntax,
  preamble: Uint8Array = new Uint8Array(128),
): Buffer {
  const uid = {
    explicit: explicitLittleEndian,
    implicit: implicitLittleEndian,
    'big-endian': explicitBigEndian,
    deflated: deflatedLittleEndian,
  }[syntax];
  // A syntax of the test's own making: the writer keeps what it does not know.
  const header = Buffer.from(encodeDicom({ ...file, transferSyntaxUid: uid, dataSet: dataSet() }));
  const stated = Buffer.from(withSyntax(header, uid));
  preamble.forEach((byte, index) => {
    stated[index] = byte;
  });
  const body = writeDataSet(file.dataSet, {
    isExplicit: syntax !== 'implicit',
    isLittleEndian: syntax !== 'big-endian',
  });
  return Buffer.concat([stated, syntax === 'deflated' ? deflateRawSync(body) : body]);
}

/** `header` ends with the transfer syntax or elements after it: its value is replaced and the group length set. */
function withSyntax(header: Buffer, uid: string): Buffer {
  const at = header.indexOf(Buffer.from([0x02, 0x00, 0x10, 0x00, 0x55, 0x49]));
  const length = header.readUInt16LE(at + 6);
  const value = Buffer.from(uid.length % 2 === 0 ? uid : `${uid}\0`, 'latin1');
  const head = Buffer.from(header.subarray(at, at + 8));
  head.writeUInt16LE(value.length, 6);
  const changed = Buffer.concat([header.subarray(0, at), head, value, header.subarray(at + 8 + length)]);
  changed.writeUInt32LE(changed.length - 144, 140);
  return changed;
}

interface Encoding {
  readonly isExplicit: boolean;
  readonly isLittleEndian: boolean;
}

const longVrs = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV']);
const wordBytes: Readonly<Record<string, number>> = {
  ...{ AT: 2, OW: 2, SS: 2, US: 2 },
  ...{ FL: 4, OF: 4, OL: 4, SL: 4, UL: 4 },
  ...{ FD: 8, OD: 8, OV: 8, SV: 8, UV: 8 },
};

function writeDataSet(content: DataSet, encoding: Encoding): Buffer {
  return Buffer.concat(content.elements.map((each) => writeElement(each, encoding)));
}

function writeElement(each: DicomElement, encoding: Encoding): Buffer {
  if (isEncapsulated(each)) throw new Error('encapsulated pixel data has no native syntax');
  const value = isSequence(each)
    ? Buffer.concat(each.items.map((item) => writeItem(item, encoding)))
    : padded(each.bytes, each.vr, encoding.isLittleEndian);
  return Buffer.concat([elementHeader(each.tag, each.vr, value.length, encoding), value]);
}

function writeItem(item: DataSet, encoding: Encoding): Buffer {
  const value = writeDataSet(item, encoding);
  return Buffer.concat([
    tagBytes(0xfffee000, encoding.isLittleEndian),
    number(value.length, 4, encoding),
    value,
  ]);
}

function padded(bytes: Uint8Array, vr: string, isLittleEndian: boolean): Buffer {
  const isOdd = bytes.length % 2 === 1;
  const padding = Buffer.from(vr === 'UI' || vr === 'OB' || vr === 'UN' ? '\0' : ' ');
  const value = Buffer.concat(isOdd ? [bytes, padding] : [bytes]);
  const size = wordBytes[vr];
  if (isLittleEndian || size === undefined) return value;
  if (size === 2) return value.swap16();
  return size === 4 ? value.swap32() : value.swap64();
}

function elementHeader(tag: number, vr: string, length: number, encoding: Encoding): Buffer {
  const parts = [tagBytes(tag, encoding.isLittleEndian)];
  if (!encoding.isExplicit) parts.push(number(length, 4, encoding));
  else if (longVrs.has(vr)) parts.push(Buffer.from(`${vr}\0\0`), number(length, 4, encoding));
  else parts.push(Buffer.from(vr), number(length, 2, encoding));
  return Buffer.concat(parts);
}

function tagBytes(tag: number, isLittleEndian: boolean): Buffer {
  return Buffer.concat([
    number(tag >>> 16, 2, { isLittleEndian, isExplicit: true }),
    number(tag & 0xffff, 2, { isLittleEndian, isExplicit: true }),
  ]);
}

function number(value: number, byteCount: number, { isLittleEndian }: Encoding): Buffer {
  const bytes = Buffer.alloc(byteCount);
  if (isLittleEndian) bytes.writeUIntLE(value, 0, byteCount);
  else bytes.writeUIntBE(value, 0, byteCount);
  return bytes;
}
