import { describe, expect, it } from 'vitest';
import type { FileOutcome } from '#ipc/schema.ts';
import { bytesText, describeProgress, describeSummary, durationText, summaryOf } from './ingest-report.ts';

const file = (path: string, change: Partial<FileOutcome> = {}): FileOutcome => ({
  path,
  outcome: 'accepted',
  format: 'csv',
  code: null,
  reason: null,
  rows: { accepted: 10, duplicate: 2, notNeeded: 0, rejected: 0 },
  refusals: [],
  ...change,
});
const refused = file('b.csv', {
  code: 'BAD_NUMBER',
  reason: 'A number cannot be read.',
  rows: { accepted: 1, duplicate: 0, notNeeded: 3, rejected: 4 },
  refusals: [3, 5, 8, 13].map((row) => ({ row, code: 'BAD_NUMBER', field: 'chol' })),
});

describe('the summary of an import', () => {
  it('adds up: each column ends with the sum of what stands above it', () => {
    const broken = file('c', {
      outcome: 'rejected',
      code: 'TRUNCATED',
      reason: 'Broken off.',
      rows: { accepted: 0, duplicate: 0, notNeeded: 0, rejected: 0 },
    });
    const lines = describeSummary(summaryOf([file('a.csv'), refused, broken]), 2);
    const from = lines.findIndex((line) => /^ +files +rows$/.test(line));
    const table = lines.slice(from + 1, lines.indexOf('', from)).map((line) =>
      line
        .split(/\s{2,}/)
        .slice(-2)
        .map((cell) => (cell === '–' ? 0 : Number(cell))),
    );
    const sum = table.at(-1);
    for (const at of [0, 1])
      expect(table.slice(0, -1).reduce((total, cells) => total + (cells[at] ?? 0), 0)).toBe(sum?.[at]);
    expect(sum).toEqual([5, 20]);
    expect(lines.join('\n')).toContain('stopped: what went in stays in');
  });

  it('groups refusals by reason, with the first places of each', () => {
    const lines = describeSummary(summaryOf([file('a.csv'), refused]), 0);
    expect(lines).toContain('        1  BAD_NUMBER: A number cannot be read.');
    expect(lines).toContain('  BAD_NUMBER: b.csv:3 chol, b.csv:5 chol, b.csv:8 chol, and 1 more');
    expect(lines.join('\n')).not.toContain('stopped');
  });

  it('lists thousands of files by what needs a look alone', () => {
    const many = Array.from({ length: 3_000 }, (_, index) => file(`${index}.csv`));
    const lines = describeSummary(summaryOf([...many, refused]), 0);
    expect(lines.length).toBeLessThan(20);
    expect(lines[0]).toMatch(/^accepted +b\.csv {2}1 new, 3 not needed, 4 refused {2}BAD_NUMBER$/);
  });
});

it('the moving line says where it is, how fast it goes and how long it takes', () => {
  const { label, share } = describeProgress({
    kind: 'progress',
    path: 'x',
    fileIndex: 119,
    fileCount: 1_204,
    bytesRead: 1,
    bytesTotal: 2,
    rowCount: 0,
    bytesDone: 1_500_000_000,
    bytesOffered: 3_000_000_000,
    elapsedMs: 11_900,
    remainingMs: 12_400,
    rowsPerSecond: 41_000,
    bytesPerSecond: 126_000_000,
  });
  expect(label).toBe('120/1,204 files  1.5 GB of 3.0 GB  126 MB/s  41,000 rows/s  10 files/s  12 s left');
  expect(share).toBe(0.5);
});

it.each([
  [999, '999 B'],
  [137_216, '137 kB'],
  [2_540_000, '2.5 MB'],
  [412_000_000, '412 MB'],
])('%i bytes are %s', (count, text) => expect(bytesText(count)).toBe(text));

it.each([
  [200, '1 s'],
  [89_400, '89 s'],
  [185_000, '3 min'],
  [7_500_000, '2 h 5 min'],
])('%i ms are %s', (milliseconds, text) => expect(durationText(milliseconds)).toBe(text));
