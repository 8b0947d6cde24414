import { describe, expect, it } from 'vitest';
import { readFile, readingContext, tellRow } from '#support/read-file.ts';
import { parseMapping } from './csv-mapping.ts';

const own = 'https://hospital.example/codes';
const patient = {
  identifier: 'pid',
  authority: 'https://hospital.example/number',
  name: null,
  birthDate: null,
  sex: null,
};
const base = { patient, indexDate: 'at', record: null, missing: ['-'], facts: [], consent: null };
const long = {
  ...base,
  record: 'id',
  fact: {
    as: { column: 'kind', values: { lab: 'measurement', dx: 'condition', rx: 'medication' } },
    code: { column: 'code', system: { column: 'system', values: { LN: 'http://loinc.org', OWN: own } } },
    end: 'until',
    value: {
      column: 'value',
      unit: { column: 'unit' },
      values: { pos: { system: own, code: 'positive' }, yes: { system: 'http://loinc.org', code: 'LA33-6' } },
    },
  },
};
const mappingOf = (table: object): string => JSON.stringify({ consilium: 'csv-mapping/1', ...table });

function read(table: object, text: string): string[] {
  return readFile(text, readingContext(mappingOf(table), 'Europe/Berlin')).map(tellRow);
}

const longHeader = 'id,pid,at,until,kind,system,code,value,unit';

describe('a row of a long table', () => {
  it.each<[string, string, string]>([
    [
      'a number with its unit',
      '1,7,2020-01-02T23:30:00Z,,lab,LN,718-7,13.5,g/dL',
      'measurement 718-7 13.5 g/dL 2020-01-03 1800 -',
    ],
    [
      'a common spelling of a unit',
      '1,7,2020-01-02,,lab,LN,8480-6,120,mmHg',
      'measurement 8480-6 120 mm[Hg] 2020-01-02 - -',
    ],
    ['an answer with a code', '1,7,2020-01-02,,lab,OWN,x1,pos,', 'measurement x1 positive 2020-01-02 - -'],
    ['a yes', '1,7,2020-01-02,,lab,OWN,x1,yes,', 'measurement x1 1 null 2020-01-02 - -'],
    ['another answer', '1,7,2020-01-02,,lab,OWN,x1,maybe,', 'UNSUPPORTED_VALUE value'],
    ['an answer that every object has', '1,7,2020-01-02,,lab,OWN,x1,constructor,', 'UNSUPPORTED_VALUE value'],
    ['a number without a unit', '1,7,2020-01-02,,lab,LN,718-7,13.5,', 'MISSING_UNIT unit'],
    ['a unit that is none', '1,7,2020-01-02,,lab,LN,718-7,13.5,Striche', 'UNKNOWN_UNIT unit'],
    ['another kind', '1,7,2020-01-02,,bill,LN,718-7,13.5,g/dL', 'BAD_VALUE kind'],
    ['no kind', '1,7,2020-01-02,,,LN,718-7,13.5,g/dL', 'MISSING_FIELD kind'],
    ['another code system', '1,7,2020-01-02,,lab,XY,718-7,13.5,g/dL', 'BAD_VALUE system'],
    ['no code', '1,7,2020-01-02,,lab,LN,,13.5,g/dL', 'MISSING_FIELD code'],
    ['a code of free text', '1,7,2020-01-02,,lab,LN,Hb of John,13.5,g/dL', 'BAD_CODE code'],
    ['no value', '1,7,2020-01-02,,lab,LN,718-7,-,g/dL', 'MISSING_FIELD value'],
    ['no date', '1,7,,,lab,LN,718-7,13.5,g/dL', 'MISSING_FIELD at'],
    ['no name of its own', ',7,2020-01-02,,lab,LN,718-7,13.5,g/dL', 'MISSING_FIELD id'],
    ['no patient', '1,,2020-01-02,,lab,LN,718-7,13.5,g/dL', 'MISSING_FIELD pid'],
    ['an end', '1,7,2020-01-02,2020-02-03,dx,OWN,x1,pos,', 'condition x1 positive 2020-01-02 - 2020-02-03'],
  ])('with %s is read as such', (_, row, expected) => {
    expect(read(long, `${longHeader}\n${row}\n`)).toEqual([expected]);
  });

  it('is not needed where the mapping says so', () => {
    const skip = { column: 'code', values: ['SCORE'] };
    const value = { ...long.fact.value, others: 'not-needed' };
    const rows = `${longHeader}\n1,7,2020-01-02,,lab,OWN,SCORE,1,1\n2,7,2020-01-02,,lab,OWN,x1,1 Main Street,\n`;
    expect(read({ ...long, skip, fact: { ...long.fact, value } }, rows)).toEqual([
      'not-needed',
      'not-needed',
    ]);
  });

  it('of an earlier row’s name is refused where it differs, or numbered', () => {
    const rows = [
      `${longHeader}`,
      ...['pos', 'yes', 'pos'].map((value) => `1,7,2020-01-02,,lab,OWN,x1,${value},`),
    ];
    expect(read(long, rows.join('\n'))).toEqual([
      'measurement x1 positive 2020-01-02 - -',
      'REPEATED_RECORD id',
      'measurement x1 positive 2020-01-02 - -',
    ]);
    const numbered = readFile(rows.join('\n'), readingContext(mappingOf({ ...long, repeats: 'number' })));
    const names = numbered.map((row) =>
      row.kind === 'record' ? JSON.stringify(row.record.sourceId) : row.kind,
    );
    expect(new Set(names).size).toBe(3);
  });

  it('without a column that names it is named by patient, time and code', () => {
    const rows = `${longHeader}\n,7,2020-01-02,,lab,OWN,x1,pos,\n,7,2020-01-02,,lab,OWN,x2,pos,\n,7,2020-01-02,,lab,OWN,x1,yes,\n`;
    expect(read({ ...long, record: null }, rows)).toEqual([
      'measurement x1 positive 2020-01-02 - -',
      'measurement x2 positive 2020-01-02 - -',
      'REPEATED_RECORD at',
    ]);
  });
});

describe('a mapping of several tables', () => {
  const tables = [
    { columns: ['invoice', 'amount'], notNeeded: true },
    { ...long, columns: ['kind'] },
    {
      ...base,
      indexDate: null,
      patient: {
        ...patient,
        name: ['first', 'last'],
        birthDate: 'born',
        sex: { column: 'sex', values: { w: 'female' } },
      },
      facts: [
        { kind: 'event', column: 'died', end: null, as: 'condition', code: { system: own, code: 'dead' } },
      ],
    },
  ];

  it('takes each table by its columns', () => {
    expect(read({ tables }, 'invoice,amount\n1,2\n')).toEqual(['not-needed']);
    expect(read({ tables }, `${longHeader}\n1,7,2020-01-02,,lab,OWN,x1,pos,\n`)).toEqual([
      'measurement x1 positive 2020-01-02 - -',
    ]);
    const patients =
      'pid,first,last,born,sex,died\n7,Erika,Muster,1950-05-01,w,\n8,Otto,Muster,1940-05-01,,2020-02-03\n';
    expect(read({ tables }, patients)).toEqual(['patient', 'condition dead - 2020-02-03 - -']);
    const [row] = readFile(patients, readingContext(mappingOf({ tables })));
    expect(row?.kind === 'record' && row.record.patient).toMatchObject({
      name: 'Erika Muster',
      birthDate: '1950-05-01',
      sex: 'female',
    });
    expect(read({ tables }, 'something,else\n1,2\n')).toEqual(['MAPPING_REQUIRED']);
  });

  it.each<[string, object]>([
    ['no table', { tables: [] }],
    ['a table without a date', { ...long, indexDate: null }],
    ['a member that is not known', { ...long, colour: 'red' }],
    ['a kind that is not known', { ...long, fact: { ...long.fact, as: 'imaging' } }],
    [
      'a system that is no address',
      { ...long, fact: { ...long.fact, code: { column: 'code', system: 'LOINC' } } },
    ],
    [
      'a unit that is none',
      { ...long, fact: { ...long.fact, value: { ...long.fact.value, unit: 'Striche' } } },
    ],
    ['a date format that is not known', { ...long, dates: 'YY' }],
  ])('with %s is none', (_, document) => {
    expect(parseMapping(mappingOf(document))).toBeUndefined();
  });
});

describe('dates and numbers of a country', () => {
  const wide = {
    ...base,
    dates: 'DD.MM.YYYY',
    decimals: ',',
    facts: [{ kind: 'quantity', column: 'chol', code: { system: own, code: 'chol' }, unit: 'mmol/L' }],
  };
  it.each([
    ['7;3.4.2020;5,2', 'measurement chol 5.2 mmol/L 2020-04-03 - -'],
    ['7;03.04.2020 08:00;5', 'measurement chol 5 mmol/L 2020-04-03 28800 -'],
    ['7;03.04.2020;1.234,5', 'BAD_NUMBER chol'],
    ['7;03.04.2020;5.2', 'BAD_NUMBER chol'],
    ['7;2020-04-03;5,2', 'BAD_DATE at'],
    ['7;31.02.2020;5,2', 'BAD_DATE at'],
    ['7;04/03/2020;5,2', 'BAD_DATE at'],
  ])('as %s are read as %s', (row, expected) => {
    expect(read(wide, `pid;at;chol\n${row}\n`)).toEqual([expected]);
  });

  it('may put the month first where the mapping says so', () => {
    const american = { ...wide, dates: 'MM/DD/YYYY', decimals: '.' };
    expect(read(american, 'pid,at,chol\n7,4/3/2020,5.2\n7,13/1/2020,5.2\n')).toEqual([
      'measurement chol 5.2 mmol/L 2020-04-03 - -',
      'BAD_DATE at',
    ]);
  });
});

describe('a table of another version of Synthea', () => {
  it.each([
    [
      'observations',
      'DATE,PATIENT,ENCOUNTER,CODE,DESCRIPTION,VALUE,UNITS,TYPE',
      '2020-01-02,p,e,8302-2,x,170,cm,numeric',
      'measurement 8302-2 170 cm 2020-01-02 - -',
    ],
    [
      'procedures',
      'DATE,PATIENT,ENCOUNTER,CODE,DESCRIPTION,BASE_COST,REASONCODE,REASONDESCRIPTION',
      '2020-01-02,p,e,80146002,x,1,,',
      'procedure 80146002 - 2020-01-02 - -',
    ],
    [
      'procedures',
      'START,STOP,PATIENT,ENCOUNTER,SYSTEM,CODE,DESCRIPTION,BASE_COST,REASONCODE,REASONDESCRIPTION',
      '2020-01-02,2020-01-03,p,e,SNOMED-CT,80146002,x,1,,',
      'procedure 80146002 - 2020-01-02 - 2020-01-03',
    ],
    [
      'conditions',
      'START,STOP,PATIENT,ENCOUNTER,SYSTEM,CODE,DESCRIPTION',
      '2020-01-02,,p,e,x,44054006,x',
      'condition 44054006 - 2020-01-02 - -',
    ],
    [
      'immunizations',
      'DATE,PATIENT,ENCOUNTER,CODE,DESCRIPTION,BASE_COST',
      '2020-01-02,p,e,08,x,1',
      'medication 08 - 2020-01-02 - -',
    ],
    [
      'medications',
      'START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION,COST,DISPENSES,TOTALCOST,REASONCODE,REASONDESCRIPTION',
      '2020-01-02,,p,e,314076,x,1,1,1,,',
      'medication 314076 - 2020-01-02 - -',
    ],
    [
      'care plans',
      'ID,START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION,REASONCODE,REASONDESCRIPTION',
      '1,2020-01-02,,p,e,1,x,,',
      'MAPPING_REQUIRED',
    ],
    ['supplies', 'DATE,PATIENT,ENCOUNTER,CODE,DESCRIPTION,QUANTITY', '2020-01-02,p,e,1,x,5', 'not-needed'],
    ['devices', 'START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION,UDI', '2020-01-02,,p,e,1,x,u', 'not-needed'],
    [
      'claims',
      'Id,PATIENTID,PROVIDERID,PRIMARYPATIENTINSURANCEID,SERVICEDATE',
      '1,p,x,y,2020-01-02',
      'not-needed',
    ],
  ])('with %s (%s) is never taken for another', (_, header, row, expected) => {
    expect(readFile(`${header}\n${row}\n`).map(tellRow)).toEqual([expected]);
  });
});
