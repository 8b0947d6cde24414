import { describe, expect, it } from 'vitest';
import { isCodedError } from '#base/coded-error.ts';
import { mappingPreview, mappingSuggestion } from '#ipc/ingest-contract.ts';
import { openTimeZone } from '../time-zone.ts';
import { previewMapping } from './preview-mapping.ts';
import { suggestMapping } from './suggest-mapping.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const suggest = (text: string) => mappingSuggestion.parse(suggestMapping(bytes(text), true));
const preview = (text: string, mapping: string | null, isWhole = true) =>
  mappingPreview.parse(
    previewMapping({ head: bytes(text), isWhole, mapping: mapping ?? '', zone: openTimeZone('UTC') }),
  );
const rolesOf = (text: string): string[] =>
  suggest(text).columns.map(({ name, role, code, unit }) =>
    [name, role, code?.code, unit].filter((part) => part !== undefined && part !== null).join(' '),
  );

const english = [
  'Patient ID,Last name,Date of birth,Sex,Visit date,chol (mg/dL),Systolic BP,Diabetes,Consent,remarks',
  'A1,Muster,1950-05-01,F,2020-02-03,231,141,no,given,well',
  'A2,Beispiel,1948-01-31,M,2020-02-04,199.5,120,yes,refused,-',
  'A3,Test,1970-12-12,F,2020-02-05,n/a,118,no,given,old',
  '',
].join('\n');
const german = [
  'Patientennummer;Nachname;Geburtsdatum;Geschlecht;Untersuchungsdatum;Cholesterin [mmol/l];Gewicht (kg);Puls;Raucher',
  '17;Muster;01.05.1950;w;03.02.2020;5,2;71,5;66;ja',
  '18;Beispiel;31.01.1948;m;04.02.2020;4,8;80;72;nein',
  '',
].join('\n');

describe('a suggested mapping', () => {
  it('tells the columns of an English table by name, unit and cells', () => {
    expect(rolesOf(english)).toEqual([
      'Patient ID identifier',
      'Last name name',
      'Date of birth birth-date',
      'Sex sex',
      'Visit date index-date',
      'chol (mg/dL) quantity 2093-3 mg/dL',
      'Systolic BP quantity 8480-6 mm[Hg]',
      'Diabetes boolean 73211009',
      'Consent consent',
      'remarks ignore',
    ]);
  });

  it('reads German names, dates with points and decimal commas', () => {
    const { delimiter, mapping } = suggest(german);
    expect(delimiter).toBe(';');
    expect(rolesOf(german).slice(4)).toEqual([
      'Untersuchungsdatum index-date',
      'Cholesterin [mmol/l] quantity 2093-3 mmol/l',
      'Gewicht (kg) quantity 29463-7 kg',
      'Puls quantity 8867-4 /min',
      'Raucher boolean 77176002',
    ]);
    expect(JSON.parse(mapping ?? '')).toMatchObject({ dates: 'DD.MM.YYYY', decimals: ',' });
    expect(preview(german, mapping)).toEqual({
      rows: [
        {
          row: 2,
          day: '2020-02-03',
          facts: [
            { code: '2093-3', value: '5.2', unit: 'mmol/l' },
            { code: '29463-7', value: '71.5', unit: 'kg' },
            { code: '8867-4', value: '66', unit: '/min' },
            { code: '77176002', value: '1', unit: null },
          ],
          refusal: null,
        },
        {
          row: 3,
          day: '2020-02-04',
          facts: [
            { code: '2093-3', value: '4.8', unit: 'mmol/l' },
            { code: '29463-7', value: '80', unit: 'kg' },
            { code: '8867-4', value: '72', unit: '/min' },
            { code: '77176002', value: '0', unit: null },
          ],
          refusal: null,
        },
      ],
      accepted: 2,
      rejected: 0,
    });
  });

  it('shows what it makes of each row, and why a row would be refused', () => {
    const text = english.replace('199.5', 'high');
    const { rows, accepted, rejected } = preview(text, suggest(english).mapping);
    expect([accepted, rejected]).toEqual([2, 1]);
    expect(rows.map(({ row, refusal }) => [row, refusal?.code, refusal?.field])).toEqual([
      [2, undefined, undefined],
      [3, 'BAD_NUMBER', 'chol (mg/dL)'],
      [4, undefined, undefined],
    ]);
  });

  it('gives no quantity a unit that nothing states', () => {
    expect(rolesOf('mrn,date,weight\n1,2020-01-01,70\n')).toEqual([
      'mrn identifier',
      'date index-date',
      'weight quantity 29463-7',
    ]);
    expect(suggest('mrn,date,weight\n1,2020-01-01,70\n').mapping).toBeNull();
  });

  it('is the shipped one for a table of Synthea', () => {
    const { mapping } = suggest(
      'START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION\n2015-01-29,,p,e,36971009,x\n',
    );
    expect(JSON.parse(mapping ?? '').tables).toHaveLength(21);
    expect(
      preview('START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION\n2015-01-29,,p,e,36971009,x\n', mapping).rows,
    ).toEqual([
      { row: 2, day: '2015-01-29', facts: [{ code: '36971009', value: '', unit: null }], refusal: null },
    ]);
  });

  it('shows five cells of a column at most, and none with a control character', () => {
    const cells = ['a', 'b', 'c\0d', 'e', 'f', 'g', 'h'];
    const text = `mrn,note\n${cells.map((cell, index) => `${index},${cell}`).join('\n')}\n`;
    expect(suggest(text).columns[1]?.samples).toEqual(['a', 'b', 'e', 'f', 'g']);
  });

  it('leaves out a last row that the head has cut', () => {
    const mapping = suggest(english).mapping;
    expect(preview(english.slice(0, -20), mapping, false).accepted).toBe(2);
  });

  it.each([
    ['nothing', ''],
    ['one column', 'number\n1\n'],
    ['an executable', '\x7fELF\0\0,\0\n'],
    ['a column twice', 'a,a\n1,2\n'],
    ['100,000 columns', Array.from({ length: 100_000 }, (_, index) => `c${index}`).join(',')],
    ['an open quote', 'a,"b\n1,2\n'],
  ])('of %s is refused by name', (_, text) => {
    const code = (act: () => unknown): unknown => {
      try {
        act();
      } catch (error) {
        return isCodedError(error) ? error.code : error;
      }
      return 'none';
    };
    expect(code(() => suggest(text))).toBe('NOT_A_TABLE');
    expect(code(() => preview(text, suggest(english).mapping))).toBe('NOT_A_TABLE');
    expect(code(() => preview(english, '{}'))).toBe('BAD_MAPPING');
  });

  it('of names that every object has suggests nothing of theirs', () => {
    expect(rolesOf('__proto__,constructor\nconstructor,__proto__\n')).toEqual([
      '__proto__ ignore',
      'constructor ignore',
    ]);
  });
});
