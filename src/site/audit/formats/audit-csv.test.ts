import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { createEntry, hostileTexts } from '#support/audit-entries.ts';
import { csvCell, csvHeader, csvRow } from './audit-csv.ts';

const rowOf = (...entry: Parameters<typeof createEntry>): Record<string, string> => {
  const [row = {}, ...more] = parse(csvHeader + csvRow(createEntry(...entry)), {
    columns: true,
    record_delimiter: '\r\n',
  }) as Record<string, string>[];
  expect(more).toEqual([]);
  return row;
};

describe('a row for people', () => {
  it('holds every field of the entry, its detail and its hash', () => {
    const entry = createEntry({}, '{"rows":3}');
    expect(rowOf({}, '{"rows":3}')).toEqual({
      seq: '41',
      time: '2026-11-21T08:00:00.123Z',
      actor: 'Dr Ada Steward',
      role: 'steward',
      action: 'consent-withdrawn',
      outcome: 'success',
      reason: '',
      object: 'subject:ABCDEF',
      researchStudyId: 'heart-disease',
      round: '2',
      detail: '{"rows":3}',
      onBehalfOf: '',
      session: '',
      boot: '1',
      softwareVersion: '0.1.0',
      leafHash: entry.leafHash,
    });
  });

  it.each(hostileTexts)('gives a name back as it was: %j', (actor) => {
    expect(rowOf({ actor }).actor).toBe(actor.toWellFormed());
  });
});

describe('a cell', () => {
  it.each([
    '=1+1',
    '+1',
    '-1',
    '@SUM(A1)',
    '\t=1',
    '\r=1',
    '  =1',
    '\u00a0=1',
    '\uff1d1',
    '\uff0b1',
    '\uff0d1',
    '\uff201',
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://example.org")',
  ])('that a spreadsheet would compute is text: %j', (value) => {
    const [[cell]] = parse(csvCell(value)) as [[string]];
    expect(cell).toBe(`'${value}`);
  });

  it.each(['a=1', '1-1', "'quoted", 'Ada', '\u2212 3'])('that it would not is left as it is: %j', (value) => {
    expect(csvCell(value)).toBe(value);
  });

  it.each([
    [null, ''],
    [-3, '-3'],
    ['', ''],
    ['a,b', '"a,b"'],
    ['say "a"', '"say ""a"""'],
    ['a\r\nb', '"a\r\nb"'],
  ])('%j is written as %j', (value, cell) => {
    expect(csvCell(value)).toBe(cell);
  });
});
