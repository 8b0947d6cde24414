import { describe, expect, it } from 'vitest';
import type { FileOutcome, IngestSummary } from '#ipc/schema.ts';
import { createImportReading } from './import-reading.ts';

const outcome = (path: string, change: Partial<FileOutcome> = {}): FileOutcome => ({
  path,
  outcome: 'accepted',
  format: 'dicom',
  code: null,
  reason: null,
  rows: { accepted: 1, duplicate: 0, rejected: 0, notNeeded: 0 },
  refusals: [],
  ...change,
});
const summary = (change: Partial<IngestSummary>): IngestSummary => ({
  batchId: 'b',
  accepted: 0,
  duplicate: 0,
  quarantined: 0,
  rejected: 0,
  rowCounts: { accepted: 0, duplicate: 0, rejected: 0, notNeeded: 0 },
  files: [],
  filesOmitted: 0,
  rows: {},
  ...change,
});
const offered = ['a.zip', 'b', 'c'].map((name) => ({ name, size: 10 }));

describe('what an import has read', () => {
  it('counts an archive by its files once its batch is closed, and lists them in its place', () => {
    const reading = createImportReading(offered, () => 0);
    reading.update(0, { bytesRead: 10, outcome: outcome('a.zip') });
    reading.update(1, { bytesRead: 10, outcome: outcome('b') });
    expect(reading.totals()).toMatchObject({ filesOffered: 3, filesDone: 2, files: { accepted: 2 } });
    const files = ['a.zip/1', 'a.zip/2', 'b'].map((path) => outcome(path));
    reading.settle(
      [0, 1],
      summary({ accepted: 3, files, rowCounts: { accepted: 3, duplicate: 0, rejected: 0, notNeeded: 0 } }),
    );
    expect(reading.totals()).toMatchObject({
      filesOffered: 4,
      filesDone: 3,
      files: { accepted: 3 },
      rows: { accepted: 3 },
      bytesRead: 20,
    });
    reading.settle(
      [2],
      summary({ rejected: 1, files: [outcome('c', { outcome: 'rejected', code: 'TRUNCATED' })] }),
    );
    reading.finish();
    expect(reading.totals()).toMatchObject({
      filesOffered: 4,
      filesDone: 4,
      files: { accepted: 3, rejected: 1 },
    });
    expect(reading.files.map(({ name, offeredIndex }) => [name, offeredIndex])).toEqual([
      ['b', 1],
      ['c', 2],
      ['a.zip/1', null],
      ['a.zip/2', null],
    ]);
  });

  it('believes the site where its summary does not list every file, and keeps the archive in the list', () => {
    const reading = createImportReading(offered.slice(0, 1), () => 0);
    reading.update(0, { outcome: outcome('a.zip', { outcome: 'accepted' }) });
    const files = [outcome('a.zip/7', { outcome: 'quarantined', code: 'TRUNCATED' })];
    reading.settle([0], summary({ accepted: 4_999, quarantined: 1, files, filesOmitted: 4_999 }));
    reading.finish();
    expect(reading.totals()).toMatchObject({ filesOffered: 5_000, filesDone: 5_000 });
    expect(reading.files.map(({ name }) => name)).toEqual(['a.zip', 'a.zip/7']);
  });

  it('tells what was not read when a batch ends before', () => {
    const reading = createImportReading(offered, () => 0);
    reading.update(1, { outcome: outcome('b') });
    reading.settle([0, 1, 2], summary({ accepted: 1, files: [outcome('b')] }));
    expect(reading.totals()).toMatchObject({ filesOffered: 3, filesDone: 1 });
  });
});
