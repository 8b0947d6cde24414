import { expect, it } from 'vitest';
import { describeRecords } from './site-records.ts';

it('records are told by kind with their sum, then by code, the most frequent first', () => {
  const of = (kind: string, code: string, factCount: number) => ({
    kind,
    system: 'http://loinc.org',
    code,
    factCount,
    subjectCount: 2,
  });
  expect(
    describeRecords([
      of('measurement', '8480-6', 3),
      of('measurement', '2093-3', 1_200),
      of('condition', 'x', 1),
    ]),
  ).toEqual([
    'measurement: 1,203 facts, 2 codes',
    '        1,200 of 2 subjects  http://loinc.org|2093-3',
    '            3 of 2 subjects  http://loinc.org|8480-6',
    'condition: 1 facts, 1 codes',
    '            1 of 2 subjects  http://loinc.org|x',
  ]);
  expect(describeRecords([])).toEqual(['Nothing has been imported yet.']);
});
