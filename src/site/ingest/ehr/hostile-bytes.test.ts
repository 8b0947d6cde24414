import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readFile, readingContext } from '#support/read-file.ts';

const wide = JSON.stringify({
  consilium: 'csv-mapping/1',
  patient: {
    identifier: 'pid',
    authority: 'https://hospital.example/n',
    name: null,
    birthDate: 'born',
    sex: null,
  },
  ...{ indexDate: 'at', record: null, missing: [], consent: null },
  facts: [
    {
      kind: 'quantity',
      column: 'v',
      code: { system: 'http://loinc.org', code: '1-8' },
      unit: { column: 'u' },
    },
  ],
});
const subject = { reference: 'Patient/p' };
const code = { coding: [{ system: 'http://snomed.info/sct', code: '1' }] };
const resources = [
  {
    resourceType: 'Patient',
    id: 'p',
    birthDate: '1950-01-01',
    link: [{ type: 'replaced-by', other: subject }],
  },
  { resourceType: 'Condition', id: 'c', subject, code, onsetDateTime: '2020-01-01T00:00:00Z' },
  {
    resourceType: 'Encounter',
    id: 'e',
    status: 'finished',
    subject,
    period: { start: '2020-01-01' },
    type: [code],
  },
  {
    resourceType: 'Observation',
    id: 'o',
    status: 'final',
    subject,
    code,
    effectiveDateTime: '2020',
    component: [{ code }],
  },
  {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [{ request: { method: 'DELETE', url: 'Patient/p' } }],
  },
];
const files: readonly string[] = [
  resources.map((resource) => JSON.stringify(resource)).join('\n'),
  JSON.stringify({
    resourceType: 'Bundle',
    type: 'collection',
    entry: resources.map((resource) => ({ resource })),
  }),
  'pid,born,at,v,u\n1,1950-01-01,2020-01-01,"1,2",mmHg\n2,,2020-01-01T10:00:00Z,5,kg\n',
  'START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION\n2015-01-29,,p,e,36971009,x\n',
  'person_id,death_date,death_datetime,death_type_concept_id\n7,2020-01-02,2020-01-02 23:00:00,1\n',
];

/** Changes that exporters, transfers and attackers make: bytes lost, doubled, replaced, pieces moved. */
const mutation = fc.record({
  file: fc.integer({ min: 0, max: files.length - 1 }),
  changes: fc.array(
    fc.record({
      at: fc.nat(2_000),
      remove: fc.nat(30),
      insert: fc.oneof(
        fc.uint8Array({ maxLength: 8 }),
        fc
          .constantFrom('"', '{', '[', '\n', '\0', ',', '\ufeff', '__proto__', '1e999', '\\u0000', '-')
          .map((text) => Buffer.from(text)),
      ),
    }),
    { minLength: 1, maxLength: 8 },
  ),
});

describe('mutated EHR files', () => {
  it('end in rows or named refusals, never in an exception', () => {
    const known = new Set([
      'record',
      'reference',
      'not-needed',
      'deletion',
      'merge',
      'refused',
      'file-refused',
    ]);
    fc.assert(
      fc.property(mutation, ({ file, changes }) => {
        let bytes = Buffer.from(files[file] ?? '');
        for (const { at, remove, insert } of changes) {
          const from = at % (bytes.length + 1);
          bytes = Buffer.concat([bytes.subarray(0, from), insert, bytes.subarray(from + remove)]);
        }
        const rows = readFile(bytes, readingContext(wide));
        for (const row of rows) expect(known.has(row.kind)).toBe(true);
      }),
      { numRuns: 1_500, seed: 20_261_125 },
    );
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it.each([1, 3, 7, 64])('give the same rows in pieces of %i bytes', (pieceBytes) => {
    for (const text of [...files, `\ufeff${files[2]?.replaceAll('\n', '\r\n')}`]) {
      const whole = readFile(text, readingContext(wide));
      expect(whole.some(({ kind }) => kind === 'record')).toBe(true);
      expect(readFile(text, readingContext(wide), pieceBytes)).toEqual(whole);
    }
  });
});
