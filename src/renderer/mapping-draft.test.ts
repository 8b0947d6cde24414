import { describe, expect, it } from 'vitest';
import type { MappedColumn, MappingSuggestion } from '#ipc/ingest-contract.ts';
import { composeMapping, createDraft, isFixed, type MappingDraft, usualValues } from './mapping-draft.ts';

const column = (
  name: string,
  role: MappedColumn['role'],
  more: Partial<MappedColumn> = {},
): MappedColumn => ({
  name,
  samples: [],
  role,
  code: null,
  unit: null,
  confidence: 0.9,
  ...more,
});
const loinc = (code: string) => ({ system: 'http://loinc.org', code, display: code });
const suggestion: MappingSuggestion = {
  delimiter: ',',
  columns: [
    column('nr', 'identifier', { samples: ['1', '2'] }),
    column('visit', 'index-date'),
    column('sex', 'sex', { samples: ['m', 'w'] }),
    column('sbp', 'quantity', { code: loinc('8480-6'), unit: 'mm[Hg]' }),
    column('angina', 'boolean', { samples: ['ja', 'nein', 'k.A.'], code: loinc('LA1-1') }),
    column('remark', 'ignore'),
  ],
  mapping: null,
};
const withAuthority = (draft: MappingDraft): MappingDraft => ({
  ...draft,
  authority: 'https://hospital.example/nr',
});
const read = (draft: MappingDraft): unknown => JSON.parse(composeMapping(draft).text ?? 'null');

describe('a mapping draft', () => {
  it('becomes a csv-mapping/1, and leaves out cells that nobody gave a meaning', () => {
    expect(read(withAuthority(createDraft(suggestion)))).toEqual({
      consilium: 'csv-mapping/1',
      record: null,
      missing: [],
      patient: {
        identifier: 'nr',
        authority: 'https://hospital.example/nr',
        name: null,
        birthDate: null,
        sex: { column: 'sex', values: { m: 'male', w: 'female' } },
      },
      indexDate: 'visit',
      dates: 'YYYY-MM-DD',
      decimals: '.',
      facts: [
        {
          kind: 'quantity',
          column: 'sbp',
          code: { system: 'http://loinc.org', code: '8480-6' },
          unit: 'mm[Hg]',
        },
        {
          kind: 'boolean',
          column: 'angina',
          code: { system: 'http://loinc.org', code: 'LA1-1' },
          values: { ja: true, nein: false },
        },
      ],
      consent: null,
    });
  });

  it('keeps what the suggestion has and the screen does not ask for', () => {
    const base = {
      consilium: 'csv-mapping/1',
      patient: { identifier: 'nr', authority: 'urn:oid:1.2.3', name: null, birthDate: null, sex: null },
      indexDate: 'visit',
      record: 'visit-number',
      missing: ['-'],
      facts: [
        {
          kind: 'quantity',
          column: 'sbp',
          as: 'measurement',
          code: { system: 'http://loinc.org', code: 'x' },
          unit: 'mm[Hg]',
        },
        {
          kind: 'boolean',
          column: 'angina',
          code: { system: 'http://loinc.org', code: 'y' },
          values: { 'k.A.': false },
        },
      ],
      consent: null,
    };
    const draft = createDraft({ ...suggestion, mapping: JSON.stringify(base) });
    expect(draft.authority).toBe('urn:oid:1.2.3');
    expect(read(draft)).toMatchObject({
      record: 'visit-number',
      missing: ['-'],
      facts: [
        { as: 'measurement', code: { code: '8480-6' } },
        { values: { ja: true, nein: false, 'k.A.': false } },
      ],
    });
  });

  it('is left as it came where a row is one fact or there are several tables', () => {
    const long = createDraft({
      ...suggestion,
      mapping: JSON.stringify({ consilium: 'csv-mapping/1', fact: { a: 1 } }),
    });
    expect([isFixed(long), read(long)]).toEqual([true, { consilium: 'csv-mapping/1', fact: { a: 1 } }]);
    expect(isFixed(createDraft(suggestion))).toBe(false);
  });

  it.each([
    ['no patient number', { 0: { role: 'ignore' } }, [{ kind: 'no-identifier', column: null }]],
    ['no date', { 1: { role: 'ignore' } }, [{ kind: 'no-date', column: null }]],
    ['two patient numbers', { 5: { role: 'identifier' } }, [{ kind: 'twice', column: 'remark' }]],
    ['a value without unit', { 3: { unit: ' ' } }, [{ kind: 'no-unit', column: 'sbp' }]],
    ['a value without code', { 3: { code: '' } }, [{ kind: 'no-code', column: 'sbp' }]],
    ['a code system that is no address', { 3: { system: 'LOINC' } }, [{ kind: 'bad-system', column: 'sbp' }]],
    ['answers without a meaning', { 4: { values: { ja: '' } } }, [{ kind: 'no-values', column: 'angina' }]],
    ['no fact', { 3: { role: 'ignore' }, 4: { role: 'ignore' } }, [{ kind: 'no-fact', column: null }]],
  ] as const)('with %s is no mapping yet, and says so', (_what, changes, gaps) => {
    const draft = withAuthority(createDraft(suggestion));
    const columns = draft.columns.map((each, index) => ({
      ...each,
      ...(changes as Record<number, object>)[index],
    }));
    expect(composeMapping({ ...draft, columns })).toMatchObject({ text: null, gaps });
  });

  it('shows the rows without a column that is not told in full, and makes no mapping of it', () => {
    const draft = withAuthority(createDraft(suggestion));
    const columns = draft.columns.map((each) => (each.name === 'angina' ? { ...each, code: '' } : each));
    const { text, preview } = composeMapping({ ...draft, columns });
    expect(text).toBeNull();
    expect(JSON.parse(preview ?? 'null')).toMatchObject({ facts: [{ column: 'sbp' }] });
    const without = columns.filter(({ name }) => name !== 'nr');
    expect(composeMapping({ ...draft, columns: without }).preview).toBeNull();
  });

  it('keeps how the table writes days and decimals', () => {
    const base = JSON.stringify({ dates: 'DD.MM.YYYY', decimals: ',' });
    expect(read(withAuthority(createDraft({ ...suggestion, mapping: base })))).toMatchObject({
      dates: 'DD.MM.YYYY',
      decimals: ',',
    });
  });

  it('asks who gives the patient numbers where the suggestion only holds the place', () => {
    const base = JSON.stringify({ patient: { authority: 'urn:consilium:csv:patient' } });
    expect(createDraft({ ...suggestion, mapping: base }).authority).toBe('');
  });

  it('asks who gives the patient numbers', () => {
    expect(composeMapping(createDraft(suggestion)).gaps).toEqual([{ kind: 'no-authority', column: null }]);
  });

  it('refuses nobody for a consent that is denied: it is kept as a denial', () => {
    const draft = withAuthority(
      createDraft({
        ...suggestion,
        columns: [...suggestion.columns, column('consent', 'consent', { samples: ['yes', 'no'] })],
      }),
    );
    expect(read(draft)).toMatchObject({
      consent: {
        researchStudyId: null,
        status: {
          column: 'consent',
          values: {
            yes: { status: 'active', decision: 'permit' },
            no: { status: 'active', decision: 'deny' },
          },
        },
      },
    });
  });
});

it.each([
  ['sex', ['Männlich', 'F', 'x', '?', ''], { Männlich: 'male', F: 'female', x: 'other', '?': '' }],
  ['boolean', ['1', 'Nein', 'maybe'], { 1: 'true', Nein: 'false', maybe: '' }],
  ['consent', ['given', 'widerrufen'], { given: 'permit', widerrufen: 'deny' }],
  ['quantity', ['1'], { 1: '' }],
] as const)('cells of a %s column are taken in their usual meaning', (role, samples, expected) => {
  expect(usualValues(role, samples)).toEqual(expected);
});
