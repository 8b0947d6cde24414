import { deflateRawSync } from 'node:zlib';
import dicomParser from 'dicom-parser';
import { describe, expect, it } from 'vitest';
import { type DicomElement, isEncapsulated, isSequence } from '#site/deidentify/index.ts';
import { DicomRefusal } from './dicom-refusal.ts';
import { defaultDicomLimits, isDicom, parseDicom } from './parse-dicom.ts';

const implicit = '1.2.840.10008.1.2';
const explicit = '1.2.840.10008.1.2.1';
const bigEndian = '1.2.840.10008.1.2.2';
const deflated = '1.2.840.10008.1.2.1.99';
const jpeg = '1.2.840.10008.1.2.4.50';

const longVrs = new Set(['OB', 'OW', 'SQ', 'UN', 'UT', 'OF']);

interface Syntax {
  readonly isExplicit: boolean;
  readonly isLittleEndian: boolean;
}
const le: Syntax = { isExplicit: true, isLittleEndian: true };
const be: Syntax = { isExplicit: true, isLittleEndian: false };
const im: Syntax = { isExplicit: false, isLittleEndian: true };

function tagBytes(tag: number, isLittleEndian: boolean): Buffer {
  const bytes = Buffer.alloc(4);
  if (isLittleEndian) {
    bytes.writeUInt16LE(Math.floor(tag / 0x10000), 0);
    bytes.writeUInt16LE(tag % 0x10000, 2);
  } else bytes.writeUInt32BE(tag);
  return bytes;
}

function number32(value: number, isLittleEndian: boolean): Buffer {
  const bytes = Buffer.alloc(4);
  if (isLittleEndian) bytes.writeUInt32LE(value);
  else bytes.writeUInt32BE(value);
  return bytes;
}

/** An element; `length` states another one than the value has. */
function element(
  tag: number,
  vr: string,
  value: Buffer | string,
  { syntax = le, length }: { syntax?: Syntax; length?: number } = {},
): Buffer {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(value, 'latin1');
  const stated = length ?? bytes.length;
  const { isExplicit, isLittleEndian } = syntax;
  const head = [tagBytes(tag, isLittleEndian)];
  if (!isExplicit) head.push(number32(stated, isLittleEndian));
  else if (longVrs.has(vr)) head.push(Buffer.from(`${vr}\0\0`), number32(stated, isLittleEndian));
  else {
    const short = Buffer.alloc(2);
    if (isLittleEndian) short.writeUInt16LE(stated);
    else short.writeUInt16BE(stated);
    head.push(Buffer.from(vr), short);
  }
  return Buffer.concat([...head, bytes]);
}

const item = (value: Buffer, length = value.length): Buffer =>
  Buffer.concat([tagBytes(0xfffee000, true), number32(length, true), value]);
const itemEnd = Buffer.from('feff0de000000000', 'hex');
const sequenceEnd = Buffer.from('feffdde000000000', 'hex');

function file(syntaxUid: string | null, ...elements: Buffer[]): Buffer {
  const meta =
    syntaxUid === null
      ? []
      : [element(0x00020010, 'UI', syntaxUid.padEnd(syntaxUid.length + (syntaxUid.length % 2), '\0'))];
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), ...meta, ...elements]);
}

const sopClass = (syntax = le) => element(0x00080016, 'UI', '1.2.840.10008.5.1.4.1.1.4\0', { syntax });
const patientId = (syntax = le) => element(0x00100020, 'LO', 'A1', { syntax });

function refusalOf(bytes: Buffer, limits = defaultDicomLimits): [string, string | null] {
  try {
    parseDicom(bytes, limits);
  } catch (error) {
    if (error instanceof DicomRefusal) return [error.code, error.field];
    throw error;
  }
  return ['accepted', null];
}

const textOf = (found: DicomElement | undefined): string =>
  found === undefined || isSequence(found) || isEncapsulated(found)
    ? ''
    : Buffer.from(found.bytes).toString('latin1');
const tagsOf = (bytes: Buffer): number[] => parseDicom(bytes).dataSet.elements.map(({ tag }) => tag);

describe('a DICOM file', () => {
  it.each([
    ['implicit', implicit, im],
    ['explicit', explicit, le],
    ['big-endian', bigEndian, be],
  ] as const)('is read in the %s syntax, with and without preamble and meta', (_, uid, syntax) => {
    const body = Buffer.concat([sopClass(syntax), patientId(syntax)]);
    for (const bytes of [file(uid, body), file(null, body), body]) {
      const parsed = parseDicom(bytes);
      expect(parsed.transferSyntaxUid).toBe(uid);
      expect(parsed.isLittleEndian).toBe(syntax.isLittleEndian);
      expect(parsed.notes).toEqual([]);
      expect(isDicom(bytes)).toBe(true);
      expect(parsed.dataSet.elements.map(({ tag, vr }) => [tag, vr])).toEqual([
        [0x00080016, 'UI'],
        [0x00100020, 'LO'],
      ]);
      expect(textOf(parsed.dataSet.elements[1])).toBe('A1');
    }
  });

  it('is inflated where it is deflated, and given as it was after inflation', () => {
    const parsed = parseDicom(file(deflated, deflateRawSync(Buffer.concat([sopClass(), patientId()]))));
    expect(parsed.transferSyntaxUid).toBe(explicit);
    expect(textOf(parsed.dataSet.elements[1])).toBe('A1');
    expect(parsed.notes).toEqual([]);
  });

  it.each([
    ['implicit but written explicit', implicit, le, explicit],
    ['explicit but written implicit', explicit, im, implicit],
    ['explicit but written big-endian', explicit, be, bigEndian],
    ['big-endian but written explicit', bigEndian, le, explicit],
    ['compressed but written implicit', jpeg, im, jpeg],
  ] as const)('declared %s is read by what it is', (_, declared, syntax, found) => {
    const parsed = parseDicom(file(declared, sopClass(syntax), patientId(syntax)));
    expect(parsed.transferSyntaxUid).toBe(found);
    expect(parsed.notes).toEqual(['SYNTAX_CORRECTED']);
    expect(textOf(parsed.dataSet.elements[1])).toBe('A1');
  });

  it('gives sequences as trees, whether they end by length or delimiter', () => {
    const inner = element(0x0040a043, 'SQ', Buffer.concat([item(patientId()), item(Buffer.alloc(0))]));
    const outer = Buffer.concat([
      tagBytes(0x00400555, true),
      Buffer.from('SQ\0\0'),
      number32(0xffffffff, true),
      item(inner, 0xffffffff),
      itemEnd,
      sequenceEnd,
    ]);
    const [, found] = parseDicom(file(explicit, sopClass(), outer)).dataSet.elements;
    expect(found).toMatchObject({
      tag: 0x00400555,
      vr: 'SQ',
      items: [
        { elements: [{ tag: 0x0040a043, items: [{ elements: [{ tag: 0x00100020 }] }, { elements: [] }] }] },
      ],
    });
  });

  it('reads an unknown element of undefined length as the implicit sequence that it is', () => {
    const unknown = element(0x00091001, 'UN', Buffer.concat([item(patientId(im)), sequenceEnd]), {
      length: 0xffffffff,
    });
    expect(parseDicom(file(explicit, sopClass(), unknown)).dataSet.elements[1]).toMatchObject({
      vr: 'SQ',
      items: [{ elements: [{ tag: 0x00100020, vr: 'LO' }] }],
    });
  });

  it('knows what a public element is where the file says that it does not', () => {
    const name = element(0x00100010, 'UN', 'Doe^J ');
    const sequence = element(0x00101002, 'UN', item(patientId(im)));
    expect(parseDicom(file(explicit, sopClass(), name, sequence)).dataSet.elements).toMatchObject([
      {},
      { vr: 'PN' },
      { vr: 'SQ', items: [{ elements: [{ tag: 0x00100020 }] }] },
    ]);
  });

  it('gives compressed pixel data as fragments and the offsets of its frames', () => {
    const pixels = Buffer.concat([
      tagBytes(0x7fe00010, true),
      Buffer.from('OB\0\0'),
      number32(0xffffffff, true),
      item(Buffer.concat([number32(0, true), number32(12, true)])),
      item(Buffer.from('abcd')),
      item(Buffer.from('ef')),
      sequenceEnd,
    ]);
    const found = parseDicom(file(jpeg, sopClass(), pixels, element(0xfffcfffc, 'OB', 'xx'))).dataSet
      .elements;
    expect(found[1]).toMatchObject({ tag: 0x7fe00010, vr: 'OB', offsets: [0, 12] });
    expect(found[1] !== undefined && isEncapsulated(found[1]) && found[1].fragments.map(String)).toEqual([
      'abcd',
      'ef',
    ]);
    expect(found).toHaveLength(3);
  });

  it('takes what is only untidy, sorted, and says so', () => {
    const untidy = Buffer.concat([
      sopClass(),
      element(0x00100020, 'LO', 'A12'),
      element(0x00080060, 'CS', 'MR'),
      Buffer.alloc(6),
    ]);
    const bytes = file(explicit, untidy);
    bytes.write('MZ');
    expect(tagsOf(bytes)).toEqual([0x00080016, 0x00080060, 0x00100020]);
    expect([...parseDicom(bytes).notes].sort()).toEqual([
      'ODD_LENGTH',
      'OUT_OF_ORDER',
      'PREAMBLE_OCCUPIED',
      'TRAILING_ZEROS',
    ]);
  });

  it('has the elements that dicom-parser finds', () => {
    const bytes = file(explicit, sopClass(), patientId(), element(0x00280010, 'US', Buffer.from([1, 0])));
    const other = dicomParser.parseDicom(bytes);
    expect(
      parseDicom(bytes).dataSet.elements.map(({ tag }) => `x${tag.toString(16).padStart(8, '0')}`),
    ).toEqual(Object.keys(other.elements).filter((tag) => !tag.startsWith('x0002')));
  });
});

describe('a hostile DICOM file', () => {
  const nested = (depth: number): Buffer => {
    const open = Buffer.concat([
      tagBytes(0x00400275, true),
      Buffer.from('SQ\0\0'),
      number32(0xffffffff, true),
      item(Buffer.alloc(0), 0xffffffff),
    ]);
    const close = Buffer.concat([itemEnd, sequenceEnd]);
    return Buffer.concat([
      ...Array.from({ length: depth }, () => open),
      ...Array.from({ length: depth }, () => close),
    ]);
  };

  it('may nest 64 sequences', () =>
    expect(refusalOf(file(explicit, sopClass(), nested(64)))[0]).toBe('accepted'));

  it.each<[string, Buffer, string, string | null]>([
    ['nothing', Buffer.alloc(0), 'EMPTY_FILE', null],
    ['only a header', file(explicit), 'EMPTY_FILE', null],
    ['text', Buffer.from('Patient,Age\nA1,34\n'.repeat(20)), 'NOT_RECOGNISED', null],
    [
      '65 nested sequences',
      file(explicit, sopClass(), nested(65)),
      'DICOM_TOO_DEEP',
      'RequestAttributesSequence',
    ],
    [
      '10,000 nested sequences',
      file(explicit, sopClass(), nested(10_000)),
      'DICOM_TOO_DEEP',
      'RequestAttributesSequence',
    ],
    [
      'a value longer than the file',
      file(explicit, sopClass(), element(0x00100020, 'LO', 'A1', { length: 400 })),
      'TRUNCATED',
      'PatientID',
    ],
    [
      'a value longer than the file, implicit',
      file(implicit, sopClass(im), element(0x00100020, 'LO', 'A1', { syntax: im, length: 0xfffffffe })),
      'TRUNCATED',
      'PatientID',
    ],
    [
      'undefined length for text',
      file(explicit, sopClass(), element(0x00100020, 'UT', 'A1', { length: 0xffffffff })),
      'DICOM_BAD_LENGTH',
      'PatientID',
    ],
    [
      'an item longer than its sequence',
      file(explicit, sopClass(), element(0x00101002, 'SQ', item(patientId(), 400)), Buffer.alloc(800, 1)),
      'DICOM_BAD_LENGTH',
      'OtherPatientIDsSequence',
    ],
    [
      'an element longer than its item',
      file(
        explicit,
        sopClass(),
        element(0x00101002, 'SQ', item(element(0x00100020, 'LO', 'A1', { length: 40 }))),
        element(0x00104000, 'LT', 'x'.repeat(80)),
      ),
      'DICOM_BAD_LENGTH',
      'PatientID',
    ],
    [
      'a sequence without end',
      file(explicit, sopClass(), element(0x00101002, 'SQ', item(patientId()), { length: 0xffffffff })),
      'TRUNCATED',
      'OtherPatientIDsSequence',
    ],
    [
      'a sequence of values',
      file(explicit, sopClass(), element(0x00101002, 'SQ', patientId())),
      'DICOM_BAD_STRUCTURE',
      'OtherPatientIDsSequence',
    ],
    ['an end that nothing began', file(explicit, sopClass(), sequenceEnd), 'DICOM_BAD_STRUCTURE', null],
    [
      'a second meta information',
      file(explicit, sopClass(), element(0x00020010, 'UI', '1.2 ')),
      'DICOM_BAD_STRUCTURE',
      null,
    ],
    ['a wrong VR', file(explicit, sopClass(), element(0x00100020, 'ZZ', 'A1')), 'DICOM_BAD_VR', 'PatientID'],
    [
      'one element twice',
      file(explicit, sopClass(), patientId(), patientId()),
      'DICOM_DUPLICATE_TAG',
      'PatientID',
    ],
    [
      'one element twice, apart',
      file(explicit, sopClass(), patientId(), sopClass()),
      'DICOM_DUPLICATE_TAG',
      'SOPClassUID',
    ],
    [
      'fragments without end',
      file(
        jpeg,
        sopClass(),
        element(0x7fe00010, 'OB', Buffer.concat([item(Buffer.alloc(0)), item(Buffer.from('ab'))]), {
          length: 0xffffffff,
        }),
      ),
      'TRUNCATED',
      'PixelData',
    ],
    [
      'a "negative" fragment',
      file(
        jpeg,
        sopClass(),
        element(
          0x7fe00010,
          'OB',
          Buffer.concat([item(Buffer.alloc(0)), item(Buffer.from('ab'), 0xfffffff0)]),
          { length: 0xffffffff },
        ),
      ),
      'TRUNCATED',
      'PixelData',
    ],
    [
      'a fragment of undefined length',
      file(
        jpeg,
        sopClass(),
        element(
          0x7fe00010,
          'OB',
          Buffer.concat([item(Buffer.alloc(0)), item(Buffer.from('ab'), 0xffffffff), sequenceEnd]),
          { length: 0xffffffff },
        ),
      ),
      'DICOM_BAD_FRAGMENTS',
      'PixelData',
    ],
    [
      'a transfer syntax that is no UID',
      file('../../etc', sopClass()),
      'DICOM_BAD_VALUE',
      'TransferSyntaxUID',
    ],
    ['a broken deflate stream', file(deflated, Buffer.alloc(64, 0xff)), 'DICOM_BAD_INFLATE', null],
    [
      'a deflate stream cut short',
      file(
        deflated,
        deflateRawSync(Buffer.concat([sopClass(), element(0x00104000, 'LT', 'secret'.repeat(50))])).subarray(
          0,
          40,
        ),
      ),
      'DICOM_BAD_INFLATE',
      null,
    ],
    [
      'a few bytes behind the last element',
      file(explicit, sopClass(), Buffer.from('junk')),
      'TRUNCATED',
      null,
    ],
  ])('is refused by name: %s', (_, bytes, code, field) => {
    expect(refusalOf(bytes)).toEqual([code, field]);
  });

  it('is cut off while it inflates, not after', () => {
    const bomb = deflateRawSync(Buffer.alloc(200 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(210_000);
    const before = process.memoryUsage().rss;
    expect(refusalOf(file(deflated, bomb))).toEqual(['DICOM_INFLATE_LIMIT', null]);
    expect(process.memoryUsage().rss - before).toBeLessThan(120 * 1024 * 1024);
  });

  it('may not hold more elements than the limit', () => {
    const many = file(
      explicit,
      sopClass(),
      element(0x00101002, 'SQ', Buffer.concat(Array.from({ length: 50 }, () => item(patientId())))),
    );
    expect(refusalOf(many, { ...defaultDicomLimits, maxElements: 101 })).toEqual([
      'DICOM_TOO_MANY_ELEMENTS',
      'PatientID',
    ]);
    expect(refusalOf(many, { ...defaultDicomLimits, maxElements: 102 })).toEqual(['accepted', null]);
  });

  it('is refused without a word of its text, even where its tags are letters', () => {
    const outOfStep = file(explicit, sopClass(), Buffer.from('DOE^JOHN^^^'.repeat(9)));
    expect(refusalOf(outOfStep)).toEqual(['DICOM_BAD_VR', null]);
  });
});
