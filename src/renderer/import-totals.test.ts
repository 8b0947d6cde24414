import { describe, expect, it } from 'vitest';
import type { FileOutcome } from '#ipc/schema.ts';
import { addOutcome, filesLeft, needsLook, noTotals, sumOf } from './import-totals.ts';

const outcome = (change: Partial<FileOutcome>): FileOutcome => ({
  path: 'a',
  outcome: 'accepted',
  format: 'csv',
  code: null,
  reason: null,
  rows: { accepted: 5, duplicate: 2, rejected: 1, notNeeded: 3 },
  refusals: [],
  ...change,
});

describe('the totals of an import', () => {
  it('add up to the files that were offered and the rows that were read', () => {
    const files = [
      outcome({}),
      outcome({ outcome: 'duplicate' }),
      outcome({ outcome: 'rejected', code: 'TRUNCATED' }),
      outcome({ outcome: 'quarantined', code: 'TRUNCATED' }),
    ];
    const totals = files.reduce(addOutcome, { ...noTotals, filesOffered: 6 });
    const { accepted, duplicate, quarantined, rejected } = totals.files;
    expect(accepted + duplicate + quarantined + rejected + filesLeft(totals)).toBe(6);
    expect(sumOf(totals.rows)).toBe(4 * 11);
    expect([...totals.codes]).toEqual([['TRUNCATED', 2]]);
    expect(noTotals.codes.size).toBe(0);
  });
});

describe('a file that a person should look at', () => {
  it.each([
    ['rejected', outcome({ outcome: 'rejected' }), true],
    ['quarantined', outcome({ outcome: 'quarantined' }), true],
    ['accepted with a refused row', outcome({}), true],
    ['accepted whole', outcome({ rows: { accepted: 5, duplicate: 0, rejected: 0, notNeeded: 0 } }), false],
    [
      'known',
      outcome({ outcome: 'duplicate', rows: { accepted: 0, duplicate: 5, rejected: 0, notNeeded: 0 } }),
      false,
    ],
  ])('%s: %j', (_what, file, expected) => {
    expect(needsLook(file)).toBe(expected);
  });
});
