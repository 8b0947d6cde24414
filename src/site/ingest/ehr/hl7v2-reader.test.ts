import { describe, expect, it } from 'vitest';
import type { ReadRow } from '../clinical-record.ts';
import { openTimeZone } from '../time-zone.ts';
import { maxSegmentBytes, maxSegments } from './hl7v2-batch.ts';
import { Hl7v2Reader } from './hl7v2-reader.ts';

const msh = (type: string, change: { id?: string; charset?: string } = {}): string =>
  `MSH|^~\\&|LAB|HOSP|SITE|SITE|20200304101500||${type}|${change.id ?? 'm1'}|P|2.5.1||||||${change.charset ?? ''}`;
const pid = 'PID|1||111223333^^^SSA^SS~77^^^WARD&1.2.3.4&ISO^MR||Byron^Ada^^^^^L||19500501|F';
const obr = 'OBR|1|P1^CPOE|F1^LAB|24321-2^BMP^LN|||20200304101500';
const obx = (change: Record<number, string> = {}): string => {
  const fields = ['OBX', '1', 'NM', '2951-2^Sodium^LN', '', '141', 'mmol/L', '', '', '', '', 'F', '', '', ''];
  return fields.map((field, at) => change[at] ?? field).join('|');
};
const oru = (...segments: readonly string[]): string => [msh('ORU^R01'), pid, obr, ...segments].join('\r');

function read(text: string | Uint8Array, zone = 'UTC'): ReadRow[] {
  const reader = new Hl7v2Reader(openTimeZone(zone));
  return [...reader.write(Buffer.from(text)), ...reader.end()];
}
function said(text: string | Uint8Array, zone?: string): string[] {
  return read(text, zone).map((row) => {
    if (row.kind === 'refused' || row.kind === 'file-refused') return `${row.code} ${row.field ?? ''}`.trim();
    if (row.kind === 'merge') return `merge ${row.retired.identifier} into ${row.survivor.identifier}`;
    if (row.kind !== 'record') return row.kind;
    if (row.record.patient !== null) return 'patient';
    return row.record.facts
      .map(({ kind, code, value, day, second, endDay }) =>
        [kind, code.code, JSON.stringify(value), day, second, endDay].join(' '),
      )
      .join(', ');
  });
}

describe('HL7 v2 messages', () => {
  it('say who the patient is, by the medical record number and its authority', () => {
    expect(read(oru())).toMatchObject([
      {
        row: 2,
        record: {
          subject: { authority: 'urn:oid:1.2.3.4', identifier: '77' },
          patient: { name: 'Ada Byron', birthDate: '1950-05-01', sex: 'female' },
        },
      },
    ]);
    const named = read(oru().replace('WARD&1.2.3.4&ISO', 'WARD'));
    expect(named).toMatchObject([
      { record: { subject: { authority: 'urn:consilium:hl7v2:authority:WARD' } } },
    ]);
    const unnamed = read(oru().replace('WARD&1.2.3.4&ISO', ''));
    expect(unnamed).toMatchObject([
      { record: { subject: { authority: 'urn:consilium:hl7v2:facility:HOSP' } } },
    ]);
  });

  it.each([
    ['CR', '\r'],
    ['LF', '\n'],
    ['CRLF', '\r\n'],
  ])('are read with %s between segments, one or several in a file, in a batch or in frames', (_, end) => {
    const one = oru(obx()).replaceAll('\r', end);
    const two = `FHS|^~\\&${end}BHS|^~\\&${end}${one}${end}\u000b${one.replace('m1', 'm2')}\u001c${end}BTS|2${end}FTS|1${end}`;
    const fact = 'measurement 2951-2 {"number":141,"unit":"mmol/L"} 18325 36900 ';
    expect(said(one)).toEqual(['patient', fact]);
    expect(said(two)).toEqual(['patient', fact, 'patient', fact]);
    expect(read(two).map((row) => (row.kind === 'record' ? row.row : row.kind))).toEqual([4, 6, 8, 10]);
  });

  it('say that the patient died', () => {
    const dead = [msh('ADT^A08'), `${pid}${'|'.repeat(21)}20200107`].join('\r');
    expect(read(dead)).toMatchObject([{ record: { facts: [{ code: { code: '419099009' }, day: 18_268 }] } }]);
  });

  it('are short when a batch has fewer messages than its trailer states', () => {
    expect(said(`BHS|^~\\&\r${oru()}\rBTS|3\r`).at(-1)).toBe('TRUNCATED BTS-1');
  });

  it('are read with delimiters of their own and with escapes', () => {
    const own = oru(obx())
      .replaceAll('|', '#')
      .replaceAll('^~\\&', '@*$%')
      .replaceAll('^', '@')
      .replaceAll('~', '*')
      .replaceAll('&', '%');
    expect(said(own)).toEqual(said(oru(obx())));
    const escaped = pid.replace(
      'Byron^Ada',
      'B\\T\\y\\F\\r\\S\\o\\R\\n\\E\\\\X41\\^A\\H\\d\\N\\a\\Zlocal\\\\.br\\',
    );
    expect(read([msh('ORU^R01'), escaped].join('\r'))).toMatchObject([
      { record: { patient: { name: 'Ada B&y|r^o~n\\A' } } },
    ]);
  });

  it.each([
    ['', 'utf8', 'Müller'],
    ['UNICODE UTF-8', 'utf8', 'Müller'],
    ['8859/1', 'latin1', 'Müller'],
  ] as const)('are read in the characters they state: %j', (charset, encoding, name) => {
    const text = [msh('ORU^R01', { charset }), pid.replace('Byron', 'Müller')].join('\r');
    expect(read(Buffer.from(text, encoding))).toMatchObject([
      { record: { patient: { name: `Ada ${name}` } } },
    ]);
  });

  it('tell instants in the zone of the site and local times as they are', () => {
    const at = (time: string, zone: string): string =>
      said(oru(obx({ 14: time })), zone)[1]?.split('} ')[1] ?? '';
    expect(at('20200304233000-0500', 'Europe/Berlin')).toBe('18326 19800 ');
    expect(at('20200304233000', 'Europe/Berlin')).toBe('18325 84600 ');
    expect(at('20200304', 'Europe/Berlin')).toBe('18325  ');
    expect(at('202003042330+0000', 'America/New_York')).toBe('18325 66600 ');
  });

  it.each([
    [
      'a coded value',
      { 2: 'CWE', 5: '260373001^Detected^SCT' },
      '{"coded":{"system":"http://snomed.info/sct","code":"260373001"}}',
    ],
    ['yes', { 2: 'CE', 5: 'LA33-6^Yes^LN' }, '{"number":1,"unit":null}'],
    [
      'a code of the hospital',
      { 2: 'CE', 5: 'x1^X^L' },
      '{"coded":{"system":"urn:consilium:hl7v2:coding-system:L","code":"x1"}}',
    ],
    ['a structured number', { 2: 'SN', 5: '^2.5' }, '{"number":2.5,"unit":"mmol/L"}'],
    ['an equal number', { 2: 'SN', 5: '=^2.5' }, '{"number":2.5,"unit":"mmol/L"}'],
    ['a unit stated as UCUM', { 6: 'millimoles^^L^mmol/L^^UCUM' }, '{"number":141,"unit":"mmol/L"}'],
    ['a micro sign', { 6: 'µmol/L' }, '{"number":141,"unit":"umol/L"}'],
    ['a corrected result', { 11: 'C' }, '{"number":141,"unit":"mmol/L"}'],
  ])('give a fact from %s', (_, change, value) => {
    expect(said(oru(obx(change)))[1]).toBe(`measurement 2951-2 ${value} 18325 36900 `);
  });

  it.each([
    ['a comparator', { 2: 'SN', 5: '<^5' }, 'UNSUPPORTED_VALUE OBX-5'],
    ['a range', { 2: 'SN', 5: '^1^-^2' }, 'UNSUPPORTED_VALUE OBX-5'],
    ['a ratio', { 2: 'SN', 5: '^1^:^128' }, 'UNSUPPORTED_VALUE OBX-5'],
    ['a text, were it a number', { 2: 'ST', 5: '5' }, 'UNSUPPORTED_VALUE OBX-2'],
    ['an embedded document', { 2: 'ED', 5: '^PDF' }, 'UNSUPPORTED_VALUE OBX-2'],
    ['a number that is none', { 5: '<5' }, 'BAD_NUMBER OBX-5'],
    ['no value', { 5: '' }, 'MISSING_FIELD OBX-5'],
    ['a value deleted at the source', { 5: '""' }, 'MISSING_FIELD OBX-5'],
    ['no unit', { 6: '' }, 'MISSING_UNIT OBX-6'],
    ['a unit that is none', { 6: 'grams' }, 'UNKNOWN_UNIT OBX-6'],
    ['a unit of another system', { 6: 'g^gram^L' }, 'NO_UCUM_SYSTEM OBX-6.3'],
    ['no code', { 3: '' }, 'MISSING_FIELD OBX-3'],
    ['a code without its system', { 3: '2951-2^Sodium' }, 'MISSING_FIELD OBX-3'],
    ['a text as a system', { 3: '2951-2^Sodium^Jane Doe' }, 'BAD_CODE OBX-3'],
    ['a preliminary result', { 11: 'P' }, 'STATUS_NOT_TAKEN OBX-11'],
    ['a result of no status', { 11: '' }, 'STATUS_NOT_TAKEN OBX-11'],
    ['a result that is gone', { 11: 'D' }, 'deletion'],
    ['a result of the wrong patient', { 11: 'W' }, 'deletion'],
    ['a result that cannot be had', { 11: 'X' }, 'deletion'],
    ['a question that was not asked', { 11: 'N' }, 'not-needed'],
    ['30 February', { 14: '20200230' }, 'BAD_DATE OBX-14'],
    ['a month', { 14: '202002' }, 'BAD_DATE OBX-14'],
    ['an hour of 24', { 14: '2020020124' }, 'BAD_DATE OBX-14'],
  ])('give no fact from %s', (_, change, expected) => {
    expect(said(oru(obx(change)))[1]).toBe(expected);
  });

  it('name a result by its order, so that a correction replaces and a deletion removes it', () => {
    const idOf = (text: string, at = 1): string => {
      const row = read(text)[at];
      return JSON.stringify(
        row?.kind === 'record' ? row.record.sourceId : row?.kind === 'deletion' ? row.sourceId : row,
      );
    };
    const first = idOf(oru(obx()));
    expect(idOf(oru(obx({ 5: '142', 11: 'C' })).replace('m1', 'm2'))).toBe(first);
    expect(idOf(oru(obx({ 11: 'D' })).replace('m1', 'm3'))).toBe(first);
    expect(idOf(oru(obx()).replace('F1^LAB', 'F2^LAB'))).not.toBe(first);
    expect(idOf(oru(obx()).replace('77^', '78^'))).not.toBe(first);
    // Two results of one name in one order are two.
    expect(idOf(oru(obx(), obx({ 5: '150' })), 2)).not.toBe(first);
  });

  it('give visits, diagnoses and procedures of an admission', () => {
    const pv1 = `PV1|1|I${'|'.repeat(17)}V9${'|'.repeat(25)}20200301120000|20200304080000`;
    const text = [
      msh('ADT^A01'),
      'EVN|A01|20200301',
      pid,
      pv1,
      'DG1|1||E11.9^Diabetes^I10C||20200301|F',
      'DG1|2||I10^x^I10C||20200301|W',
      'PR1|1||80146002^Appendectomy^SCT||20200302',
    ].join('\r');
    expect(said(text)).toEqual([
      'patient',
      'encounter IMP null 18322 43200 18325',
      'condition E11.9 null 18322  ',
      'STATUS_NOT_TAKEN DG1-6',
      'procedure 80146002 null 18323  ',
    ]);
    expect(said(text.replace('ADT^A01', 'ADT^A11'))[1]).toBe('deletion');
    expect(said(text.replace('ADT^A01', 'ADT^A23'))[1]).toBe('deletion');
    expect(said(text.replace('ADT^A01', 'ADT^A13'))[1]).toBe('encounter IMP null 18322 43200 ');
    expect(said(text.replace('PV1|1|I', 'PV1|1|P'))[1]).toBe('not-needed');
  });

  it('give drugs and vaccines', () => {
    const rxa = `RXA|0|1|20210105|20210105|207^COVID-19^CVX|0.5|mL${'|'.repeat(13)}CP|A`;
    expect(said([msh('VXU^V04'), pid, 'ORC|RE||F7', rxa].join('\r'))[1]).toBe(
      'medication 207 null 18632  18632',
    );
    expect(said([msh('VXU^V04'), pid, 'ORC|RE||F7', rxa.replace('CP|A', 'RE|A')].join('\r'))[1]).toBe('');
    expect(said([msh('VXU^V04'), pid, 'ORC|RE||F7', rxa.replace('CP|A', 'CP|D')].join('\r'))[1]).toBe(
      'deletion',
    );
    const order = ['ORC|NW||F8', 'TQ1|1||||||20210105|20210112', 'RXE||860975^Metformin^RXNORM'];
    expect(said([msh('RDE^O11'), pid, ...order].join('\r'))[1]).toBe('medication 860975 null 18632  18639');
    expect(said([msh('RDE^O11'), pid, ...order].join('\r').replace('ORC|NW', 'ORC|CA'))[1]).toBe('deletion');
  });

  it.each(['A18', 'A30', 'A34', 'A36', 'A39', 'A40', 'A47'])('merge two patients (%s)', (trigger) => {
    const text = [msh(`ADT^${trigger}`), 'EVN||20200301', pid, 'MRG|66^^^WARD&1.2.3.4&ISO^MR'].join('\r');
    expect(said(text)).toEqual(['patient', 'merge 66 into 77']);
    expect(said(text.replace('MRG|66', 'MRG|77'))).toEqual(['patient', 'not-needed']);
    expect(said(text.replace('MRG|66', 'MRG|'))[1]).toBe('MISSING_FIELD MRG-1');
  });

  it.each(['ACK', 'ORM^O01', 'SIU^S12', 'MDM^T02', 'DFT^P03', 'ADT^A35', 'ADT^A24', 'ZZZ^Z01'])(
    'of type %s are not needed',
    (type) => {
      expect(said([msh(type), pid, obr, obx()].join('\r'))).toEqual(['not-needed']);
    },
  );

  it.each([
    ['no header', pid, ['MALFORMED_MESSAGE MSH', 'patient']],
    ['a header alone', 'MSH|', ['MALFORMED_MESSAGE MSH-2', 'patient']],
    ['delimiters that are one', 'MSH|^~^&|a', ['MALFORMED_MESSAGE MSH-2', 'patient']],
    ['letters as delimiters', 'MSHA^~\\&A', ['MALFORMED_MESSAGE MSH-2', 'patient']],
    ['no type', msh(''), ['MALFORMED_MESSAGE MSH-9', 'patient']],
    [
      'an unknown character set',
      msh('ORU^R01', { charset: 'JIS X 0208' }),
      ['UNSUPPORTED_ENCODING MSH-18', 'patient'],
    ],
    [
      'no patient',
      [msh('ORU^R01'), obr, obx()].join('\r'),
      ['MISSING_FIELD PID', 'UNRESOLVED_REFERENCE PID-3', 'patient'],
    ],
    [
      'more values than an observation has',
      [msh('ORU^R01'), pid, obr, `OBX|1|NM|2951-2^Sodium^LN||${'1~'.repeat(1_001)}|mmol/L|||||F`].join('\r'),
      ['patient', 'MALFORMED_ROW OBX-5', 'patient'],
    ],
    [
      'a patient without a number',
      [msh('ORU^R01'), 'PID|1', obr, obx()].join('\r'),
      ['MISSING_FIELD PID-3', 'UNRESOLVED_REFERENCE PID-3', 'patient'],
    ],
    [
      'a birth date that is none',
      [msh('ORU^R01'), pid.replace('19500501', '19501301')].join('\r'),
      ['BAD_DATE PID-7', 'patient'],
    ],
    [
      'a sex that is none',
      [msh('ORU^R01'), pid.replace('|F', '|Q')].join('\r'),
      ['BAD_VALUE PID-8', 'patient'],
    ],
    ['a person to delete', [msh('ADT^A29'), pid].join('\r'), ['UNSUPPORTED_REQUEST MSH-9', 'patient']],
    ['a segment of 10 MB', oru(`OBX|1|ED|${'A'.repeat(10 * maxSegmentBytes)}`), ['ROW_TOO_LONG', 'patient']],
    ['too many segments', oru('NTE|1\r'.repeat(maxSegments)), ['ROW_TOO_LONG', 'patient']],
    ['too many fields', oru(`NTE${'|'.repeat(2_000)}`), ['MALFORMED_ROW NTE', 'patient']],
  ])('with %s are refused, and the next message is read', (_, text, expected) => {
    const next = [msh('ORU^R01', { id: 'm2' }), pid].join('\r');
    expect(said(`${text}\r${next}\r`)).toEqual(expected);
  });

  it('with bytes that are no characters are refused', () => {
    const text = Buffer.concat([
      Buffer.from(`${msh('ORU^R01')}\r${pid}\rNTE|1||`),
      Buffer.from([0xff, 0xfe]),
    ]);
    expect(said(text)).toEqual(['NOT_UTF8']);
  });
});
