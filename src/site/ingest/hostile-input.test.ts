import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type IngestSite, openIngestSite, outcomesByName, refusalsOf } from '#support/ingest-site.ts';

const mapping = readFileSync(
  fileURLToPath(new URL('../../../tests/fixtures/ehr/mapping.json', import.meta.url)),
  'utf8',
);
const header = 'number,name,born,sex,visit,systolic,angina,consent,consent_until';
const good = (number: string): string => `${number},Muster,1950-05-01,w,2001-03-04,141,no,given,2060-01-01`;
const csv = (...rows: string[]): string => `${[header, ...rows].join('\n')}\n`;
const observation = (change: object): string => JSON.stringify({ ...JSON.parse(plain), ...change });
const plain = JSON.stringify({
  resourceType: 'Observation',
  id: 'o1',
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '8480-6' }] },
  subject: { reference: 'Patient/p1' },
  effectiveDateTime: '2001-04-05',
  valueQuantity: { value: 120, system: 'http://unitsofmeasure.org', code: 'mm[Hg]' },
});
const quantity = { value: 120, system: 'http://unitsofmeasure.org', code: 'mm[Hg]' };
const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

let site: IngestSite;
beforeEach(() => {
  site = openIngestSite({ inMemory: true });
});
afterEach(() => site.close());

function factCount(): number {
  return site.store.all(site.store.query.selectFrom('subject_fact').select('fact_id')).length;
}

describe('a whole file', () => {
  const bundle = `{"resourceType":"Bundle","type":"collection","entry":[{"resource":${plain}}]}`;
  it.each<[string, string | Uint8Array, string]>([
    ['nothing', '', 'EMPTY_FILE'],
    ['blank lines', ' \n\n \n', 'EMPTY_FILE'],
    ['an executable', Buffer.from('\x7fELF\0\0\0,,,\n', 'latin1'), 'NOT_RECOGNISED'],
    ['UTF-16', Buffer.from(`\ufeff${csv(good('1'))}`, 'utf16le'), 'NOT_RECOGNISED'],
    ['plain text', 'Dear colleague\nplease find enclosed\n', 'NOT_RECOGNISED'],
    ['XML', '<?xml version="1.0"?>\n<ClinicalDocument/>\n', 'CDA_FRAGMENT'],
    ['HL7 v2 without a patient', 'MSH|^~\\&|A|B|C|D|20010101||ADT^A01|1|P|2.3\r', 'MISSING_FIELD'],
    ['a JSON array', '[1,2,3]\n', 'NOT_RECOGNISED'],
    ['some other JSON', '{\n  "a": 1\n}\n', 'NOT_RECOGNISED'],
    [
      '100,000 columns',
      `${Array.from({ length: 100_000 }, (_, index) => `c${index}`).join(',')}\n1,2\n`,
      'TOO_MANY_COLUMNS',
    ],
    ['an endless header', `a,${'x'.repeat(400_000)}`, 'TOO_MANY_COLUMNS'],
    ['a header with a column twice', 'number,number\n1,2\n', 'MALFORMED_HEADER'],
    ['a header with an open quote', 'number,"name\n1,2\n', 'MALFORMED_HEADER'],
    ['a header that is not UTF-8', Buffer.from('number,gr\xf6sse\n1,2\n', 'latin1'), 'NOT_UTF8'],
    ['a table without a mapping that fits', 'number,other\n1,2\n', 'MISSING_COLUMN'],
    [
      'an OMOP table without its date',
      'measurement_id,person_id,measurement_concept_id\n1,1,1\n',
      'MISSING_COLUMN',
    ],
    [
      'OMOP measurements without concepts',
      'measurement_id,person_id,measurement_concept_id,measurement_date,value_as_number,value_as_concept_id,unit_concept_id\n1,1,1,2001-01-01,1,,1\n',
      'CONCEPTS_REQUIRED',
    ],
    ['a bundle that breaks off', bundle.slice(0, -20), 'TRUNCATED'],
    ['a bundle that breaks off in a string', bundle.slice(0, bundle.indexOf('mm[Hg]') + 3), 'TRUNCATED'],
    ['a bundle with something after it', `${bundle}{}`, 'MALFORMED_JSON'],
    ['a bundle that is no JSON', bundle.replace('"entry":', '"entry"='), 'MALFORMED_JSON'],
    [
      'a bundle whose entries are no list',
      '{"resourceType":"Bundle","type":"collection","entry":{"a":1}}',
      'MALFORMED_JSON',
    ],
    ['a bundle without entries', '{"resourceType":"Bundle","type":"searchset","total":0}', 'EMPTY_FILE'],
    ['a message bundle', bundle.replace('collection', 'message'), 'UNSUPPORTED_BUNDLE'],
    [
      'a bundle nested 100,000 deep',
      bundle.replace('"status"', `"x":${nested(100_000)},"status"`),
      'TOO_DEEP',
    ],
    ['a bundle that is not UTF-8', Buffer.from(bundle.replace('o1', '\xff'), 'latin1'), 'NOT_UTF8'],
    ['a mapping that is none', '{"consilium":"csv-mapping/1","facts":[]}', 'BAD_MAPPING'],
    [
      'a resource that is nested 100,000 deep',
      `{\n"resourceType":"Patient",\n"x":${nested(100_000)}}`,
      'TOO_DEEP',
    ],
    ['a bundle of responses', bundle.replace('collection', 'transaction-response'), 'UNSUPPORTED_BUNDLE'],
    [
      'a mapping of a million tables',
      `{"consilium":"csv-mapping/1","tables":[${'1,'.repeat(100_000)}1]}`,
      'BAD_MAPPING',
    ],
  ])('with %s is refused by name and leaves nothing', async (_, content, code) => {
    const summary = await site.importFiles({ hostile: content }, mapping);
    expect(outcomesByName(summary)).toEqual({ hostile: ['rejected', code] });
    expect(factCount()).toBe(0);
    expect(site.store.all(site.store.query.selectFrom('subject').selectAll())).toEqual([]);
  });

  it('that is plain CSV needs a mapping', async () => {
    expect(outcomesByName(await site.importFiles({ hostile: csv(good('1')) }))).toEqual({
      hostile: ['rejected', 'MAPPING_REQUIRED'],
    });
  });

  it('that is a bundle refused as a whole takes nothing along and stops no folder', async () => {
    const summary = await site.importFiles(
      { 'a.json': bundle.slice(0, -9), 'b.csv': csv(good('1')), 'c.ndjson': plain },
      mapping,
    );
    expect(outcomesByName(summary)).toEqual({
      'a.json': ['rejected', 'TRUNCATED'],
      'b.csv': ['accepted', null],
      'c.ndjson': ['accepted', null],
    });
  });
});

describe('a CSV row', () => {
  it.each<[string, string | Buffer, string]>([
    ['a number with a comma', good('2').replace('141', '"14,1"'), '2 BAD_NUMBER systolic'],
    ['a hexadecimal number', good('2').replace('141', '0x8d'), '2 BAD_NUMBER systolic'],
    ['a number beyond all numbers', good('2').replace('141', '1e999'), '2 BAD_NUMBER systolic'],
    ['Infinity', good('2').replace('141', 'Infinity'), '2 BAD_NUMBER systolic'],
    ['a number of a million digits', good('2').replace('141', '9'.repeat(900_000)), '2 BAD_NUMBER systolic'],
    ['a name of every object as a value', good('2').replace(',no,', ',constructor,'), '2 BAD_VALUE angina'],
    ['__proto__ as a value', good('2').replace(',no,', ',__proto__,'), '2 BAD_VALUE angina'],
    ['a NUL', good('2').replace('Muster', 'Mus\0ter'), '2 BAD_CHARACTER name'],
    ['an escape sequence', good('2').replace('Muster', '\u001b[2J'), '2 BAD_CHARACTER name'],
    ['too few cells', '2,Muster', '2 COLUMN_COUNT'],
    ['100,000 cells', `2${',x'.repeat(100_000)}`, '2 COLUMN_COUNT'],
    ['no identifier', good(''), '2 MISSING_FIELD number'],
    ['an identifier of blanks', good('" "'), '2 MISSING_FIELD number'],
    ['a day that is none', good('2').replace('2001-03-04', '2001-02-29'), '2 BAD_DATE visit'],
    ['a German date', good('2').replace('2001-03-04', '04.03.2001'), '2 BAD_DATE visit'],
    ['a stray quote', good('2').replace('Muster', 'Mus"ter'), '2 MALFORMED_ROW'],
    ['a quote that never closes', good('2').replace('Muster', '"Muster'), '2 MALFORMED_ROW'],
    ['Latin-1 text', Buffer.from(good('2').replace('Muster', 'M\xfcller'), 'latin1'), '2 NOT_UTF8'],
    ['two megabytes', good('2').replace('Muster', 'x'.repeat(2_000_000)), '2 ROW_TOO_LONG'],
  ])('with %s is refused and the rows around it go in', async (_, row, refusal) => {
    const tail = `\n${Array.from({ length: 20 }, (__, index) => good(`n${index}`)).join('\n')}\n`;
    const content = Buffer.concat([Buffer.from(`${header}\n`), Buffer.from(row), Buffer.from(tail)]);
    const summary = await site.importFiles({ 'rows.csv': content }, mapping);
    expect(refusalsOf(summary, 'rows.csv')).toEqual([refusal]);
    expect(summary.files[0]?.rows).toMatchObject({ accepted: 20, duplicate: 0, rejected: 1 });
  });

  it('may have a byte-order mark before it, CRLF after it, line ends, quotes and formulas inside it', async () => {
    const text = `\ufeff${header}\n1,"Mus""ter, A.\nB",1950-05-01,w,2001-03-04,141,no,given,2060-01-01\n${good('=1+1')}`;
    // A name with a line end is refused as such: the row was read as one row.
    const summary = await site.importFiles({ 'rows.csv': text.replaceAll('\n', '\r\n') }, mapping);
    expect(refusalsOf(summary, 'rows.csv')).toEqual(['2 BAD_CHARACTER name']);
    expect(summary.files[0]?.rows.accepted).toBe(1);
  });

  it('keeps its line number after a row of several lines, and one quote that never closes costs one row of thousands', async () => {
    const many = Array.from({ length: 5_000 }, (_, index) => good(`m${index}`));
    const summary = await site.importFiles(
      { 'rows.csv': csv(good('"a'), ...many, good('b').replace('141', 'x')) },
      mapping,
    );
    expect(refusalsOf(summary, 'rows.csv')).toEqual(['2 MALFORMED_ROW', '5003 BAD_NUMBER systolic']);
    expect(summary.files[0]?.rows.accepted).toBe(5_000);
  });

  it.each([';', '\t'])('may be separated by %j', async (delimiter) => {
    const summary = await site.importFiles(
      { 'rows.csv': csv(good('1')).replaceAll(',', delimiter) },
      mapping,
    );
    expect(summary.rows).toEqual({ patient: 1, measurement: 2, consent: 1 });
  });
});

describe('an NDJSON line', () => {
  it.each<[string, string | Buffer, string]>([
    ['no JSON', '{"resourceType":"Observation",', '2 MALFORMED_JSON'],
    ['a list', '[1]', '2 MISSING_FIELD resourceType'],
    ['null', 'null', '2 MISSING_FIELD resourceType'],
    [
      'a type that is inherited',
      '{"__proto__":{"resourceType":"Patient"},"id":"x"}',
      '2 MISSING_FIELD resourceType',
    ],
    ['a depth of 100,000', `{"resourceType":"Observation","x":${nested(100_000)}}`, '2 TOO_DEEP'],
    ['17 megabytes', `{"resourceType":"Observation","x":"${'y'.repeat(17_000_000)}"}`, '2 ROW_TOO_LONG'],
    [
      'bytes that are no UTF-8',
      Buffer.from('{"resourceType":"Patient","id":"\xff"}', 'latin1'),
      '2 NOT_UTF8',
    ],
    [
      'a resource of another type',
      '{"resourceType":"Diagnosis","id":"c"}',
      '2 UNSUPPORTED_RESOURCE resourceType',
    ],
    ['no id', observation({ id: undefined }), '2 MISSING_FIELD id'],
    ['an id that is a path', observation({ id: '../../etc' }), '2 BAD_CODE id'],
    [
      'a number that is text',
      observation({ valueQuantity: { ...quantity, value: '120' } }),
      '2 BAD_NUMBER valueQuantity.value',
    ],
    [
      'a number beyond all numbers',
      observation({ id: 'big' }).replace('120', '1e999'),
      '2 BAD_NUMBER valueQuantity.value',
    ],
    [
      'a comparator',
      observation({ valueQuantity: { ...quantity, comparator: '<' } }),
      '2 UNSUPPORTED_VALUE value.comparator',
    ],
    ['no value', observation({ valueQuantity: undefined }), '2 MISSING_FIELD value'],
    [
      'a text value',
      observation({ valueQuantity: undefined, valueString: 'high' }),
      '2 UNSUPPORTED_VALUE value',
    ],
    ['no unit', observation({ valueQuantity: { value: 1 } }), '2 MISSING_UNIT value.code'],
    [
      'a unit of no system',
      observation({ valueQuantity: { value: 1, code: 'mm[Hg]' } }),
      '2 NO_UCUM_SYSTEM value.system',
    ],
    [
      'a unit for people only',
      observation({ valueQuantity: { value: 1, unit: 'mm[Hg]' } }),
      '2 MISSING_UNIT value.code',
    ],
    [
      'a unit that is none',
      observation({ valueQuantity: { ...quantity, code: '__proto__' } }),
      '2 UNKNOWN_UNIT value.code',
    ],
    [
      'a time that is none',
      observation({ effectiveDateTime: '2001-04-05T99:99 Otto Mustermann' }),
      '2 BAD_DATE effective',
    ],
    ['a month for a day', observation({ effectiveDateTime: '2001-04' }), '2 BAD_DATE effective'],
    ['no date', observation({ effectiveDateTime: undefined }), '2 MISSING_FIELD effective'],
    ['no patient', observation({ subject: undefined }), '2 MISSING_FIELD subject'],
    [
      'a group for a patient',
      observation({ subject: { reference: 'Group/1' } }),
      '2 UNRESOLVED_REFERENCE subject',
    ],
    ['a preliminary value', observation({ status: 'preliminary' }), '2 STATUS_NOT_TAKEN status'],
    [
      'a modifier',
      observation({ modifierExtension: [{ url: 'x' }] }),
      '2 UNSUPPORTED_VALUE modifierExtension',
    ],
    [
      'a code of free text',
      observation({ code: { coding: [{ system: 'http://loinc.org', code: 'of John Doe' }] } }),
      '2 BAD_CODE code',
    ],
    ['an object for a text', observation({ status: { toString: 1 } }), '2 MALFORMED_RESOURCE status'],
  ])('with %s is refused and the lines around it go in', async (_, line, refusal) => {
    const content = Buffer.concat([
      Buffer.from(`${plain}\n`),
      Buffer.from(line),
      Buffer.from(`\n${observation({ id: 'o3' })}`),
    ]);
    const summary = await site.importFiles({ 'a.ndjson': content });
    expect(refusalsOf(summary, 'a.ndjson')).toEqual([refusal]);
    expect(factCount()).toBe(2);
  });

  it('with __proto__ among its members changes no object', async () => {
    const line = plain.replace(
      '{',
      '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},',
    );
    await site.importFiles({ 'a.ndjson': line });
    expect(factCount()).toBe(1);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('an OMOP row', () => {
  const concepts =
    'concept_id,vocabulary_id,concept_code\n1,LOINC,8480-6\n2,UCUM,mm[Hg]\n3,None,I10\n4,UCUM,mmHg\n5,SNOMED,373066001\n';
  const columns =
    'measurement_id,person_id,measurement_concept_id,measurement_date,operator_concept_id,value_as_number,value_as_concept_id,unit_concept_id';
  it.each([
    ['an unknown concept', '9,1,77,2001-01-01,0,120,0,2', 'UNKNOWN_CONCEPT measurement_concept_id'],
    ['concept 0', '9,1,0,2001-01-01,0,120,0,2', 'UNKNOWN_CONCEPT measurement_concept_id'],
    [
      'a vocabulary that is not taken',
      '9,1,3,2001-01-01,0,120,0,2',
      'UNKNOWN_CONCEPT measurement_concept_id',
    ],
    ['no unit', '9,1,1,2001-01-01,0,120,0,0', 'MISSING_UNIT unit_concept_id'],
    ['a unit that is no unit concept', '9,1,1,2001-01-01,0,120,0,1', 'UNKNOWN_UNIT unit_concept_id'],
    ['a unit that UCUM does not know', '9,1,1,2001-01-01,0,120,0,4', 'UNKNOWN_UNIT unit_concept_id'],
    ['a comparator', '9,1,1,2001-01-01,4171756,120,0,2', 'UNSUPPORTED_VALUE operator_concept_id'],
    ['no value', '9,1,1,2001-01-01,0,,0,2', 'MISSING_FIELD value_as_number'],
    ['no person', '9,,1,2001-01-01,0,120,0,2', 'MISSING_FIELD person_id'],
    ['a person that is no number', '9,x,1,2001-01-01,0,120,0,2', 'BAD_NUMBER person_id'],
    ['a number that is none', '9,1,1,2001-01-01,0,12O,0,2', 'BAD_NUMBER value_as_number'],
    ['no date', '9,1,1,,0,120,0,2', 'MISSING_FIELD measurement_date'],
  ])('with %s is refused and the rows around it go in', async (_, row, refusal) => {
    const table = [columns, '1,1,1,2001-01-01,0,120,0,2', row, '3,1,1,2001-01-02,4172703,130,0,2'].join('\n');
    const summary = await site.importFiles({ 'z-concept.csv': concepts, 'a.csv': table });
    expect(refusalsOf(summary, 'a.csv')).toEqual([`3 ${refusal}`]);
    expect(factCount()).toBe(2);
  });

  it('with a yes for a value is a boolean', async () => {
    await site.importFiles({ 'concept.csv': concepts, 'a.csv': `${columns}\n1,1,1,2001-01-01,0,,5,` });
    const [fact] = site.store.all(site.store.query.selectFrom('subject_fact').selectAll());
    expect(fact).toMatchObject({ value_number: 1, unit: null, value_code: null });
  });
});
