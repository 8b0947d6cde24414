import { describe, expect, it } from 'vitest';
import { parseDay } from '#site/deidentify/index.ts';
import { Attributes } from './attributes.ts';
import { decodeText, parseCharacterSet } from './character-set.ts';
import { DicomRefusal } from './dicom-refusal.ts';
import { parseDicomDate, parseDicomDateTime, parseDicomTime, parsePersonName } from './dicom-text.ts';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

function decoded(terms: string, bytes: Buffer): string {
  const characterSet = parseCharacterSet(terms.split('\\'));
  if (characterSet === undefined) throw new Error('no character set');
  return decodeText(bytes, characterSet, true);
}

describe('text in a character set', () => {
  // The bytes of the single-byte sets and of GB18030 are those of Python's codecs.
  it.each([
    ['ISO_IR 6', '536d697468', 'Smith'],
    ['ISO_IR 100', '4275635e4ae972f46d65', 'Buc^Jérôme'],
    ['ISO_IR 101', '57b361647973b36177', 'Władysław'],
    ['ISO_IR 109', 'a6696c6461', 'Ĥilda'],
    ['ISO_IR 110', '4de0727469f1b9', 'Mārtiņš'],
    ['ISO_IR 144', 'bbeedae1d5dcd1e3e0d3', 'Люксембург'],
    ['ISO_IR 127', 'e2c8c7e6ea', 'قباني'],
    ['ISO_IR 126', 'c4e9efedf5f3e9eff2', 'Διονυσιος'],
    ['ISO_IR 138', 'f9f8e5ef', 'שרון'],
    ['ISO_IR 148', 'c7617675fe6ff06c75', 'Çavuşoğlu'],
    ['ISO_IR 203', 'bc757672e9a4', 'Œuvré€'],
    ['ISO_IR 166', 'b9d2c1caa1d8c5', 'นามสกุล'],
    ['ISO_IR 13', 'd4cfc0de5ec0dbb3', 'ﾔﾏﾀﾞ^ﾀﾛｳ'],
    ['ISO_IR 192', 'e78e8b5ee5b08fe4b89c', '王^小东'],
    ['GB18030', 'cdf55ed0a1b6ab', '王^小东'],
    ['GBK', 'cdf55ed0a1b6ab', '王^小东'],
    ['ISO IR 100', 'e9', 'é'],
    ['ISO 2022 IR 100', 'e9', 'é'],
  ])('%s is read as it was written', (terms, hex, text) => {
    expect(decoded(terms, Buffer.from(hex, 'hex'))).toBe(text);
  });

  // The worked examples of PS3.5 annexes H, I and K.
  it.each([
    [
      '\\ISO 2022 IR 87',
      'Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B',
      'Yamada^Tarou=山田^太郎=やまだ^たろう',
    ],
    [
      'ISO 2022 IR 13\\ISO 2022 IR 87',
      '\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J',
      'ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう',
    ],
    [
      '\\ISO 2022 IR 149',
      'Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf',
      'Hong^Gildong=洪^吉洞=홍^길동',
    ],
    [
      '\\ISO 2022 IR 58',
      'Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab=',
      'Zhang^XiaoDong=张^小东=',
    ],
    ['\\ISO 2022 IR 159', 'X=\x1b$(D\x30\x21\x1b(B', 'X=丂'],
    ['ISO 2022 IR 100\\ISO 2022 IR 144', 'Buc^J\xe9\x1b-L\xbb\xee', 'Buc^JéЛю'],
  ])('with %s changes set where an escape says so', (terms, bytes, text) => {
    expect(decoded(terms, latin1(bytes))).toBe(text);
  });

  it('goes back to the first set after a delimiter', () => {
    expect(decoded('ISO 2022 IR 100\\ISO 2022 IR 144', latin1('\x1b-L\xbb^\xe9'))).toBe('Л^é');
  });

  it('without a stated set is UTF-8 where it can be, and Latin-1 else', () => {
    expect(decoded('', Buffer.from('Jérôme'))).toBe('Jérôme');
    expect(decoded('', latin1('J\xe9r\xf4me'))).toBe('Jérôme');
  });

  it.each([
    ['an escape that is none', '\\ISO 2022 IR 87', 'A\x1b!!B'],
    ['an escape at the end', '\\ISO 2022 IR 87', 'A\x1b'],
    ['half an escape', '\\ISO 2022 IR 87', 'A\x1b$'],
    ['half a pair', '\\ISO 2022 IR 87', 'A\x1b$B;'],
    ['half a pair of the supplement', '\\ISO 2022 IR 159', 'A\x1b$(D0'],
    ['bytes outside of ASCII', 'ISO_IR 6', 'A\xff'],
    ['half of a UTF-8 character', 'ISO_IR 192', 'A\xe7\x8e'],
    ['half a Korean character', '\\ISO 2022 IR 149', 'A\x1b$)C\xfb'],
    ['a thousand escapes', '\\ISO 2022 IR 87', `A${'\x1b$B\x1b(B\x1b'.repeat(1000)}`],
  ])('marks what is broken and goes on: %s', (_, terms, bytes) => {
    const text = decoded(terms, latin1(bytes));
    expect(text.startsWith('A')).toBe(true);
    expect(text).toContain('\ufffd');
  });

  it.each(['ISO_IR 7', 'klingon', '192', '../ISO_IR 100'])('is refused where the set is %s', (term) => {
    expect(parseCharacterSet([term])).toBeUndefined();
  });
});

const ascii = (tag: number, vr: string, text: string) => ({ tag, vr, bytes: latin1(text) });

describe('the values of a data set', () => {
  const patientId = 0x00100020;
  const rows = 0x00280010;
  const frames = 0x00280008;
  const slope = 0x00281053;
  const sopInstance = 0x00080018;

  const of = (...elements: { tag: number; vr: string; bytes: Buffer }[]) =>
    new Attributes({ elements }, true);
  const refusal = (read: () => unknown) => {
    try {
      read();
    } catch (error) {
      return error instanceof DicomRefusal ? [error.code, error.field] : error;
    }
    return 'read';
  };

  it('are read without their padding', () => {
    expect(of(ascii(patientId, 'LO', ' A1 ')).text(patientId)).toBe('A1');
    expect(of(ascii(sopInstance, 'UI', '1.2.3\0')).uid(sopInstance)).toBe('1.2.3');
    expect(of(ascii(0x00080008, 'CS', 'ORIGINAL\\PRIMARY ')).texts(0x00080008)).toEqual([
      'ORIGINAL',
      'PRIMARY',
    ]);
    expect(of(ascii(patientId, 'LO', '')).text(patientId)).toBeNull();
    expect(of().number(rows)).toBeNull();
  });

  it('inherit the character set of the data set around them, or state their own', () => {
    const name = { tag: 0x00100010, vr: 'PN', bytes: latin1('J\xe9') };
    const items = [{ elements: [name] }, { elements: [ascii(0x00080005, 'CS', 'ISO_IR 101'), name] }];
    const outer = new Attributes(
      { elements: [ascii(0x00080005, 'CS', 'ISO_IR 126'), { tag: 0x00081120, vr: 'SQ', items }] },
      true,
    );
    expect(outer.items(0x00081120).map((item) => item.text(0x00100010))).toEqual(['Jι', 'Jé']);
  });

  it.each<[string, number, string, string, unknown]>([
    ['an IS', frames, 'IS', ' 12 ', [12]],
    ['a DS', slope, 'DS', '-1.5e-3\\.5', [-0.0015, 0.5]],
    ['an empty DS', slope, 'DS', '  ', []],
    ['a word in a DS', slope, 'DS', 'one', ['DICOM_BAD_VALUE', 'RescaleSlope']],
    ['infinity in a DS', slope, 'DS', '1e999', ['DICOM_BAD_VALUE', 'RescaleSlope']],
    ['hexadecimal in an IS', frames, 'IS', '0x10', ['DICOM_BAD_VALUE', 'NumberOfFrames']],
    ['a fraction in an IS', frames, 'IS', '1.5', ['DICOM_BAD_VALUE', 'NumberOfFrames']],
    ['three bytes of a US', rows, 'US', 'abc', ['DICOM_BAD_VALUE', 'Rows']],
    ['text where a number belongs', rows, 'LO', '12', ['DICOM_BAD_VALUE', 'Rows']],
  ])('that are numbers are checked: %s', (_, tag, vr, text, expected) => {
    let found: unknown;
    const outcome = refusal(() => {
      found = of(ascii(tag, vr, text)).numbers(tag);
    });
    expect(outcome === 'read' ? found : outcome).toEqual(expected);
  });

  it.each(['../../etc/passwd', '1.2.', 'one', '1'.repeat(65), '1..2'])(
    'that are UIDs are no path: %s',
    (uid) => {
      expect(refusal(() => of(ascii(sopInstance, 'UI', uid)).uid(sopInstance))).toEqual([
        'DICOM_BAD_VALUE',
        'SOPInstanceUID',
      ]);
    },
  );

  it('are read in either byte order', () => {
    const element = { tag: rows, vr: 'US', bytes: Buffer.from([1, 2]) };
    expect(new Attributes({ elements: [element] }, true).number(rows)).toBe(0x0201);
    expect(new Attributes({ elements: [element] }, false).number(rows)).toBe(0x0102);
  });

  it('of a character set that is none are refused', () => {
    expect(refusal(() => of(ascii(0x00080005, 'CS', 'KLINGON')))).toEqual([
      'DICOM_BAD_VALUE',
      'SpecificCharacterSet',
    ]);
  });
});

describe('names, dates and times', () => {
  it('have their parts', () => {
    expect(parsePersonName('Yamada^Tarou^M^Dr^III=山田^太郎=やまだ^たろう')).toEqual({
      alphabetic: { family: 'Yamada', given: 'Tarou', middle: 'M', prefix: 'Dr', suffix: 'III' },
      ideographic: { family: '山田', given: '太郎', middle: '', prefix: '', suffix: '' },
      phonetic: { family: 'やまだ', given: 'たろう', middle: '', prefix: '', suffix: '' },
    });
    expect(parsePersonName('').alphabetic.family).toBe('');
  });

  it.each([
    ['20240229', parseDay('2024-02-29')],
    ['1992.03.04', parseDay('1992-03-04')],
    ['20230229', null],
    ['2024', null],
    ['20240101-20250101', null],
    ['', null],
  ])('the date %s is day %s', (text, day) => expect(parseDicomDate(text)).toBe(day));

  it.each([
    ['07', 7 * 3600],
    ['0730', 7 * 3600 + 30 * 60],
    ['235960', 86_399],
    ['07:30:15', 27_015],
    ['073015.123456', 27_015],
    ['2400', null],
    ['7', null],
    ['', null],
  ])('the time %s is second %s', (text, second) => expect(parseDicomTime(text)).toBe(second));

  it.each([
    ['20240102030405.5+0130', { day: parseDay('2024-01-02'), second: 11_045, offsetMinutes: 90 }],
    ['20240102-0500', { day: parseDay('2024-01-02'), second: null, offsetMinutes: -300 }],
    ['2024010203', { day: parseDay('2024-01-02'), second: 10_800, offsetMinutes: null }],
    ['20240102030405+9900', null],
    ['202401', null],
  ])('the instant %s is read with its zone', (text, instant) =>
    expect(parseDicomDateTime(text)).toEqual(instant),
  );
});
