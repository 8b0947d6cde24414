import { describe, expect, it } from 'vitest';
import { parseDicom } from '#site/ingest/dicom/parse-dicom.ts';
import {
  ctImageStorage,
  dataSet,
  dicomFile,
  element,
  mrImageStorage,
  mrSlice,
  nativeSyntaxes,
  writeDicom,
} from '#support/dicom-object.ts';
import { type DataSet, type DicomElement, findElement } from './data-set.ts';
import { type DicomDeidentification, deidentifyDicom } from './deidentify-dicom.ts';
import { asciiText, textOf } from './element-text.ts';
import { encodeDicom } from './encode-dicom.ts';
import { createUidMapper } from './uid-mapper.ts';

const key = new Uint8Array(32).fill(3);
const otherKey = new Uint8Array(32).fill(4);
const options: DicomDeidentification = {
  subjectId: 'pseudonym',
  dateOffsetDays: 40,
  mapUid: createUidMapper(key),
};

function deidentify(content: DataSet, change: Partial<DicomDeidentification> = {}): DataSet {
  return deidentifyDicom(dicomFile(content), { ...options, ...change }).dataSet;
}

/** The text of one attribute after de-identification; undefined where it is gone. */
function valueAfter(...elements: DicomElement[]): string | undefined {
  const tag = elements.at(-1)?.tag ?? 0;
  const found = findElement(deidentify(mrSlice({}, ...elements)), tag);
  return found !== undefined && 'bytes' in found ? asciiText(found.bytes) : undefined;
}

const textsOf = (content: DataSet, sequence: number, tag: number): string[] => {
  const found = findElement(content, sequence);
  return found !== undefined && 'items' in found ? found.items.map((item) => textOf(item, tag)) : [];
};

describe('a de-identified DICOM object', () => {
  it('says what was done to it', () => {
    const found = deidentify(mrSlice());
    expect(textOf(found, 0x00120062)).toBe('YES');
    expect(textOf(found, 0x00280303)).toBe('MODIFIED');
    expect(textsOf(found, 0x00120064, 0x00080100)).toEqual(['113100', '113107', '113108']);
    expect(textsOf(found, 0x00120064, 0x00080102)).toEqual(['DCM', 'DCM', 'DCM']);
    const plain = deidentify(mrSlice(), { profile: { options: new Set(), safePrivate: [] } });
    expect(textOf(plain, 0x00280303)).toBe('REMOVED');
    expect(textsOf(plain, 0x00120064, 0x00080100)).toEqual(['113100']);
  });

  it('keeps its elements in order and its pixels as a view', () => {
    const pixels = new Uint16Array(64).fill(9);
    const found = deidentify(mrSlice({ pixels }));
    const tags = found.elements.map(({ tag }) => tag);
    expect(tags).toEqual([...tags].sort((left, right) => left - right));
    const kept = findElement(found, 0x7fe00010);
    expect(kept !== undefined && 'bytes' in kept && kept.bytes.buffer === pixels.buffer).toBe(true);
  });

  it('has file meta of our own: new instance UID, no AE titles, no private information, no preamble', () => {
    const file = dicomFile(mrSlice(), {
      meta: dataSet(
        element(0x00020003, '1.2.3.4'),
        element(0x00020016, 'SECRETAE'),
        element(0x00020017, 'SECRETAE'),
        element(0x00020100, '1.2.3'),
        element(0x00020102, 'secret', 'OB'),
      ),
    });
    const bytes = encodeDicom(
      deidentifyDicom(parseDicom(writeDicom(file, 'explicit', Buffer.alloc(128, 'SECRET'))), options),
    );
    const read = parseDicom(Buffer.from(bytes));
    expect(read.notes).toEqual([]);
    expect(read.meta.elements.map(({ tag }) => tag % 0x10000)).toEqual([0, 1, 2, 3, 0x10, 0x12, 0x13]);
    expect(textOf(read.meta, 0x00020003)).toBe(textOf(read.dataSet, 0x00080018));
    expect(textOf(read.meta, 0x00020002)).toBe(mrImageStorage);
    expect(textOf(read.meta, 0x00020010)).toBe('1.2.840.10008.1.2.1');
  });

  it('is refused without a SOP Instance UID', () => {
    const unnamed = dicomFile(dataSet(element(0x00080060, 'MR')), { meta: dataSet() });
    expect(() => deidentifyDicom(unnamed, options)).toThrow(
      expect.objectContaining({ code: 'NO_INSTANCE_UID' }),
    );
  });

  it('has the pseudonym in the place of name and identifiers, in items too', () => {
    const found = deidentify(mrSlice({}, element(0x00081115, [dataSet(element(0x00100020, 'MRN-2'))])));
    expect([textOf(found, 0x00100010), textOf(found, 0x00100020)]).toEqual(['pseudonym', 'pseudonym']);
    expect(textsOf(found, 0x00081115, 0x00100020)).toEqual(['pseudonym']);
  });
});

describe('UIDs (D3)', () => {
  it('are new, the same for the same, follow in references, and differ under another key', () => {
    const content = mrSlice(
      {},
      element(0x00081140, [dataSet(element(0x00081150, ctImageStorage), element(0x00081155, '1.2.3.4'))]),
    );
    const found = deidentify(content);
    const instance = textOf(found, 0x00080018);
    expect(instance).toMatch(/^2\.25\.[1-9]\d{30,38}$/);
    expect(textsOf(found, 0x00081140, 0x00081155)).toEqual([instance]);
    expect(textsOf(found, 0x00081140, 0x00081150)).toEqual([ctImageStorage]);
    expect(textOf(deidentify(content), 0x00080018)).toBe(instance);
    expect(textOf(deidentify(content, { mapUid: createUidMapper(otherKey) }), 0x00080018)).not.toBe(instance);
  });

  it('are UUIDs by PS3.5 B.2', () => {
    const number = BigInt(createUidMapper(key)('1.2.3').slice(5));
    expect((number >> 76n) & 15n).toBe(8n);
    expect((number >> 62n) & 3n).toBe(2n);
  });

  it.each([
    ['a well-known frame of reference stays', '1.2.840.10008.1.4.1.1', '1.2.840.10008.1.4.1.1'],
    ['an identifier behind the root of the standard goes', '1.2.840.10008.1.4.1.19801231', /^2\.25\./],
    ['every UID of a list is replaced', '1.2\\1.3', /^2\.25\.\d+\\2\.25\.\d+$/],
    ['no UID stays none', '', ''],
  ])('%s', (_, before, expected) => {
    const found = valueAfter(element(0x00200052, before));
    if (typeof expected === 'string') expect(found).toBe(expected);
    else expect(found).toMatch(expected);
  });

  it('of SOP classes and coding schemes stay, and text in their place goes', () => {
    expect(valueAfter(element(0x0008010c, '2.16.840.1.113883.6.96'))).toBe('2.16.840.1.113883.6.96');
    expect(valueAfter(element(0x0008010c, '2.16.840\0JANE DOE'))).toBeUndefined();
  });
});

describe('dates (D4)', () => {
  it.each([
    ['a day', 0x00080020, '20191231', '20200209'],
    ['a leap day', 0x00080020, '20200229', '20200409'],
    ['days of a list', 0x00080020, '20200101\\20200102', '20200210\\20200211'],
    ['a day as old files write it', 0x00080020, '2020.01.01', '20200210'],
    ['an empty date', 0x00080020, '', ''],
    ['a day that is none', 0x00080020, '20200230', ''],
    ['text in a date', 0x00080020, 'JANE DOE', ''],
    ['a date-time with zone', 0x0008002a, '20200101235959.123+0200', '20200210235959.123+0200'],
    ['a date-time that names a month', 0x0008002a, '202001', '202002'],
    ['a date-time that names a year', 0x0008002a, '2020', '2020'],
    ['a range of date-times', 0x0008002a, '20200101-0500-20200102-0500', '20200210-0500-20200211-0500'],
    ['an open range', 0x0008002a, '20200101-', '20200210-'],
    ['a range of years that could be a zone', 0x0008002a, '2019-2020', undefined],
    ['a time', 0x00080030, '101112.5', '101112.5'],
    ['text in a time', 0x00080030, 'JANE', ''],
    ['a zone', 0x00080201, '+0100', '+0100'],
    ['text in a zone', 0x00080201, 'Jane', undefined],
    ['a date that the table does not name', 0x00404011, '20200101', '20200210'],
  ])('%s', (_, tag, before, expected) => {
    expect(valueAfter(element(tag, before))).toBe(expected);
  });

  it('all go without option 113107', () => {
    const found = deidentify(mrSlice({}, element(0x00080021, '20200101')), {
      profile: { options: new Set(), safePrivate: [] },
    });
    expect(textOf(found, 0x00080020)).toBe('');
    expect(findElement(found, 0x00080021)).toBeUndefined();
  });
});

describe('the age', () => {
  it.each([
    ['045Y', '045Y'],
    ['089Y', '089Y'],
    ['090Y', '090Y'],
    ['097Y', '090Y'],
    ['97y', '090Y'],
    ['006M', '006M'],
    ['JANE', undefined],
  ])('%s is %s', (before, expected) => expect(valueAfter(element(0x00101010, before))).toBe(expected));

  it('is told by the birth date where it is missing, and the birth date goes', () => {
    const found = deidentify(mrSlice({}, element(0x00100030, '19200201')));
    expect(textOf(found, 0x00101010)).toBe('090Y');
    expect(textOf(found, 0x00100030)).toBe('');
    const young = deidentify(mrSlice({}, element(0x00100030, '19800201')));
    expect(textOf(young, 0x00101010)).toBe('039Y');
  });
});

describe('patient characteristics', () => {
  it.each([
    ['sex', 0x00100040, 'F', 'F'],
    ['text in the place of sex', 0x00100040, 'JANE', ''],
    ['size', 0x00101020, '1.71', '1.71'],
    ['text in the place of weight', 0x00101030, '70 DOE', undefined],
    ['smoking', 0x001021a0, 'YES', 'YES'],
    ['allergies, which are free text', 0x00102110, 'penicillin, says Jane', undefined],
  ])('%s', (_, tag, before, expected) => expect(valueAfter(element(tag, before))).toBe(expected));
});

describe('private and unknown attributes (D6)', () => {
  const privateElements = [
    element(0x00190010, 'ACME 1', 'LO'),
    element(0x00191001, 'kept', 'LO'),
    element(0x00191002, 'secret', 'LO'),
    element(0x00191003, [dataSet(element(0x00100010, 'Doe^Jane'))], 'SQ'),
    element(0x00210010, 'OTHER', 'LO'),
    element(0x00211001, 'secret', 'LO'),
  ];
  const groupsOf = (content: DataSet) =>
    content.elements.filter(({ tag }) => (tag >>> 16) % 2 === 1).map(({ tag }) => tag);

  it('go at every depth', () => {
    const found = deidentify(
      mrSlice({}, ...privateElements, element(0x00081115, [dataSet(...privateElements)])),
    );
    expect(groupsOf(found)).toEqual([]);
    const sequence = findElement(found, 0x00081115);
    expect(sequence !== undefined && 'items' in sequence && sequence.items[0]?.elements).toEqual([]);
  });

  it('stay where a plan names creator and element; private sequences are cleaned inside', () => {
    const safePrivate = [
      { creator: 'ACME 1', group: 0x0019, element: 0x01 },
      { creator: 'ACME 1', group: 0x0019, element: 0x03 },
      { creator: 'SOMEBODY', group: 0x0021, element: 0x01 },
    ];
    const found = deidentify(mrSlice({}, ...privateElements), {
      profile: { options: new Set(), safePrivate },
    });
    expect(groupsOf(found)).toEqual([0x00190010, 0x00191001, 0x00191003]);
    expect(textsOf(found, 0x00191003, 0x00100010)).toEqual(['pseudonym']);
    expect(textsOf(found, 0x00120064, 0x00080100)).toContain('113111');
  });

  it.each([
    ['a public tag that no dictionary knows', element(0x0008fff0, 'secret', 'LO')],
    ['a person name that the table does not name', element(0x00081078, 'secret', 'PN')],
    ['a sequence that was not read as one', element(0x00081115, 'secret', 'UN')],
    ['a group length', element(0x00080000, 'abcd', 'UL')],
    ['an overlay plane, whole', element(0x60020010, [5])],
    ['a curve', element(0x50040005, [5])],
    ['signatures', element(0xfffafffa, [dataSet()])],
    ['what stands behind the data set', element(0xfffcfffc, 'secret', 'OB')],
    ['original attributes', element(0x04000561, [dataSet(element(0x00100010, 'Doe^Jane'))])],
  ])('%s goes', (_, planted) => expect(valueAfter(planted)).toBeUndefined());

  it.each([
    ['a comment that the table does not name', element(0x00400400, 'secret')],
    ['a birth date of another calendar', element(0x00100033, 'secret')],
    ['the address of a time server', element(0x00181803, '192.0.2.7')],
  ])('%s goes', (_, planted) => expect(valueAfter(planted)).toBeUndefined());

  it.each([
    ['the source of a concatenation', 0x00200242],
    ['a multi-frame source', 0x00081167],
    ['a frame of reference of a table', 0x00209313],
  ])('the UID of %s follows, though the table does not name it', (_, tag) => {
    expect(valueAfter(element(tag, '1.2.3.4'))).toBe(textOf(deidentify(mrSlice()), 0x00080018));
  });

  it('an encapsulated document is replaced by a dummy', () => {
    expect(valueAfter(element(0x00420011, '%PDF secret', 'OB'))).toBe('REMOVED');
  });
});

describe('descriptions', () => {
  it('go, or keep known words only where a plan asks for clean descriptors', () => {
    const content = mrSlice({}, element(0x0008103e, 'T2 FLAIR ax Jane Doe 1980'));
    expect(textOf(deidentify(content), 0x0008103e)).toBe('');
    const cleaned = deidentify(content, { profile: { options: new Set(['113105']), safePrivate: [] } });
    expect(textOf(cleaned, 0x0008103e)).toBe('T2 FLAIR AX');
  });
});

describe('an object of any depth', () => {
  it('is de-identified without recursion', () => {
    let deep = dataSet(element(0x00100010, 'Doe^Jane'));
    for (let depth = 0; depth < 10_000; depth += 1) deep = dataSet(element(0x00081115, [deep]));
    const bytes = encodeDicom(
      deidentifyDicom(dicomFile(dataSet(...mrSlice().elements, ...deep.elements)), options),
    );
    expect(Buffer.from(bytes).includes('Jane')).toBe(false);
  });

  it.each(nativeSyntaxes)('is the same whatever native syntax it came in (%s)', (syntax) => {
    const content = mrSlice(
      {},
      element(0x00081140, [dataSet(element(0x00081155, '1.2.3.9'))]),
      element(0x00280106, [1]),
    );
    const read = parseDicom(writeDicom(dicomFile(content), syntax));
    const bytes = encodeDicom(deidentifyDicom(read, options));
    expect(
      Buffer.from(bytes).equals(Buffer.from(encodeDicom(deidentifyDicom(dicomFile(content), options)))),
    ).toBe(true);
  });
});
