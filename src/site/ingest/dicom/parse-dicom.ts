// Parses a DICOM file (PS3.10), with or without preamble and file meta information, by what it is written in rather than by what it
// says: whole or refused by name, never a partial data set. Limits come before any allocation that a length in the file asks for.
import { inflateRawSync } from 'node:zlib';
import {
  type DataSet,
  type DicomFile,
  type DicomNote,
  findElement,
  isEncapsulated,
  isSequence,
  vrOf,
} from '#site/deidentify/index.ts';
import {
  type DataSetEncoding,
  type DataSetLimits,
  looksExplicit,
  readDataSet,
  readTag,
} from './data-set-reader.ts';
import { DicomRefusal } from './dicom-refusal.ts';
import {
  deflatedExplicitLittleEndian,
  explicitBigEndian,
  explicitLittleEndian,
  implicitLittleEndian,
} from './transfer-syntaxes.ts';

export interface DicomLimits extends DataSetLimits {
  /** A deflated data set may grow to this many bytes at most. */
  readonly maxInflatedBytes: number;
  /** And beyond `freeInflatedBytes` to this many times its deflated length at most. */
  readonly maxInflateRatio: number;
  readonly freeInflatedBytes: number;
}

export const defaultDicomLimits: DicomLimits = {
  maxDepth: 64,
  maxElements: 500_000,
  maxInflatedBytes: 256 * 1024 * 1024,
  maxInflateRatio: 100,
  freeInflatedBytes: 16 * 1024 * 1024,
};

/**
 * Parses a file's bytes. Values are views into them (into the inflated bytes for a deflated data set).
 * @throws DicomRefusal NOT_RECOGNISED where this is no DICOM, EMPTY_FILE without a data set, DICOM_BAD_INFLATE, DICOM_INFLATE_LIMIT,
 * and what `readDataSet` throws
 */
export function parseDicom(bytes: Buffer, limits: DicomLimits = defaultDicomLimits): DicomFile {
  if (bytes.length === 0) throw new DicomRefusal('EMPTY_FILE');
  const notes = new Set<DicomNote>();
  const start = headerEnd(bytes, notes);
  const { meta, end } = readMeta(bytes, start, limits);
  const declared = declaredSyntax(meta);
  const isDeflated = declared === deflatedExplicitLittleEndian;
  const body = isDeflated ? inflateDataSet(bytes.subarray(end), limits) : bytes;
  const dataSetAt = isDeflated ? 0 : end;
  if (dataSetAt === body.length) throw new DicomRefusal('EMPTY_FILE');
  const encoding = encodingAt(body, dataSetAt);
  const transferSyntaxUid = foundSyntax(declared, encoding, notes);
  const read = readDataSet(body, { start: dataSetAt, onlyGroup: null }, { ...limits, ...encoding });
  return {
    meta,
    dataSet: read.dataSet,
    transferSyntaxUid,
    isLittleEndian: encoding.isLittleEndian,
    notes: [...notes, ...read.notes],
  };
}

/** Whether the bytes begin as DICOM files do. Enough of the beginning (132 bytes and a first element) is enough. */
export function isDicom(bytes: Buffer): boolean {
  return isPrefixAt(bytes, 128) || isPrefixAt(bytes, 0) || isFirstElement(bytes);
}

const isPrefixAt = (bytes: Buffer, at: number): boolean =>
  bytes.length >= at + 4 && bytes.toString('latin1', at, at + 4) === 'DICM';

/** Where the preamble and prefix end, if there are any. */
function headerEnd(bytes: Buffer, notes: Set<DicomNote>): number {
  if (isPrefixAt(bytes, 128)) {
    // Attack: a program or page in the preamble, so that one file is two things. It is never written out again.
    if (bytes.subarray(0, 128).some((byte) => byte !== 0)) notes.add('PREAMBLE_OCCUPIED');
    return 132;
  }
  if (isPrefixAt(bytes, 0)) return 4;
  if (!isFirstElement(bytes)) throw new DicomRefusal('NOT_RECOGNISED');
  return 0;
}

/** Whether a data set without preamble can begin so: a public element of a first group, with a VR that fits or a length that does. */
function isFirstElement(bytes: Buffer): boolean {
  if (bytes.length < 8) return false;
  const isLittleEndian = bytes[0] !== 0;
  const tag = readTag(bytes, 0, isLittleEndian);
  const group = Math.floor(tag / 0x10000);
  if (group !== 0x0002 && group !== 0x0008) return false;
  if (looksExplicit(bytes, 0, isLittleEndian)) return true;
  return isLittleEndian && vrOf(tag) !== 'UN' && bytes.readUInt32LE(4) <= 0x100;
}

function readMeta(bytes: Buffer, start: number, limits: DicomLimits): { meta: DataSet; end: number } {
  const empty = { meta: { elements: [] }, end: start };
  if (bytes.length < start + 8 || bytes.readUInt16LE(start) !== 0x0002) return empty;
  const { dataSet, end } = readDataSet(
    bytes,
    { start, onlyGroup: 0x0002 },
    // PS3.10 7.1 has it explicit; some writers do not.
    { ...limits, isExplicit: looksExplicit(bytes, start, true), isLittleEndian: true },
  );
  return { meta: dataSet, end };
}

function declaredSyntax(meta: DataSet): string | null {
  const element = findElement(meta, 0x00020010);
  if (element === undefined || isSequence(element) || isEncapsulated(element)) return null;
  const uid = Buffer.from(element.bytes)
    .toString('latin1')
    .replace(/[\0 ]+$/, '');
  if (uid === '') return null;
  // A UID is digits and dots; anything else in its place names no syntax.
  if (!/^[0-9.]{1,64}$/.test(uid)) throw new DicomRefusal('DICOM_BAD_VALUE', 'TransferSyntaxUID');
  return uid;
}

/** How the data set is written, told by its first element: a group of the first ones in this byte order or the other. */
function encodingAt(bytes: Buffer, at: number): DataSetEncoding {
  if (at + 8 > bytes.length) throw new DicomRefusal('TRUNCATED');
  const isLittleEndian = !(bytes[at] === 0 && bytes[at + 1] !== 0 && (bytes[at + 1] ?? 0) < 0x30);
  return { isExplicit: looksExplicit(bytes, at, isLittleEndian), isLittleEndian };
}

function foundSyntax(declared: string | null, encoding: DataSetEncoding, notes: Set<DicomNote>): string {
  const { isExplicit, isLittleEndian } = encoding;
  const found = isExplicit
    ? isLittleEndian
      ? explicitLittleEndian
      : explicitBigEndian
    : implicitLittleEndian;
  if (!isExplicit && !isLittleEndian) throw new DicomRefusal('DICOM_BAD_VR');
  if (declared === null || declared === found) return found;
  if (declared === deflatedExplicitLittleEndian && found === explicitLittleEndian) return found;
  const plain = [implicitLittleEndian, explicitBigEndian, explicitLittleEndian, deflatedExplicitLittleEndian];
  // Compressed pixels stand in an explicit little-endian data set (PS3.5 A.4).
  if (!plain.includes(declared) && found === explicitLittleEndian) return declared;
  // Attack: a data set read in another syntax than it is written in hides elements from whoever looks for them.
  notes.add('SYNTAX_CORRECTED');
  if (plain.includes(declared)) return found;
  if (!isLittleEndian) throw new DicomRefusal('DICOM_MIXED_BYTE_ORDER');
  return declared;
}

/** Inflates within the limits: memory follows what is really there, and stops at the limit. */
function inflateDataSet(deflated: Buffer, limits: DicomLimits): Buffer {
  const byRatio = Math.max(limits.freeInflatedBytes, deflated.length * limits.maxInflateRatio);
  try {
    return inflateRawSync(deflated, { maxOutputLength: Math.min(limits.maxInflatedBytes, byRatio) });
  } catch (error) {
    // Attack: a deflate bomb.
    const isBomb = error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    throw new DicomRefusal(isBomb ? 'DICOM_INFLATE_LIMIT' : 'DICOM_BAD_INFLATE');
  }
}
