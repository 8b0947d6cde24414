import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type IngestSite, openIngestSite } from '#support/ingest-site.ts';
import { rowsInBatch } from './section-reader.ts';

let site: IngestSite;
beforeEach(() => {
  site = openIngestSite({ inMemory: true });
});
afterEach(() => site.close());

const rowCount = rowsInBatch + 100;
const observation = (row: number) => ({
  resourceType: 'Observation',
  id: `o${row}`,
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '8480-6' }] },
  subject: { reference: `Patient/p${row % 7}` },
  effectiveDateTime: '2001-04-05',
  valueQuantity: { value: 120, system: 'http://unitsofmeasure.org', code: 'mm[Hg]' },
});

describe('a bundle that is read as a whole', () => {
  it('is written in several transactions, others having their turn between', async () => {
    const entry = Array.from({ length: rowsInBatch * 2 }, (_, index) => ({ resource: observation(index) }));
    const bundle = JSON.stringify({ resourceType: 'Bundle', type: 'collection', entry });
    const seen = new Set<number>();
    let isRunning = true;
    const look = async () => {
      while (isRunning) {
        seen.add((site.store.prepare('SELECT count(*) AS count FROM fact').get() as { count: number }).count);
        await setImmediate();
      }
    };
    const looking = look();
    const { rowCounts } = await site.importFiles({ 'all.json': bundle });
    isRunning = false;
    await looking;
    expect(rowCounts).toMatchObject({ accepted: entry.length, rejected: 0 });
    expect(seen).toContain(rowsInBatch);
  });
});

describe('a file of patients that is small enough to be told by its head', () => {
  it('is written in several transactions, others having their turn between', async () => {
    const rows = Array.from({ length: 3_000 }, (_, index) => `${index + 1},8507,1950,1,2,0,0,s-${index}`);
    const header =
      'person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth,race_concept_id,ethnicity_concept_id,person_source_value';
    const count = site.store.prepareColumn('SELECT count(*) FROM subject');
    const seen = new Set<unknown>();
    let isRunning = true;
    const look = async () => {
      while (isRunning) {
        seen.add(count.get());
        await setImmediate();
      }
    };
    const looking = look();
    const { rowCounts } = await site.importFiles({ 'person.csv': `${[header, ...rows].join('\n')}\n` });
    isRunning = false;
    await looking;
    expect(rowCounts).toMatchObject({ accepted: rows.length, rejected: 0 });
    // No turn lets more than a batch of patients in.
    expect([...seen]).toEqual(expect.arrayContaining([0, 1_024, 2_048]));
  });
});

describe('a transaction of rows that fails', () => {
  it('counts nothing of what it took back, in the outcome and in the audit log', async () => {
    const { store } = site;
    const file = path.join(site.folder, 'export.ndjson');
    const rows = Array.from({ length: rowCount }, (_, index) => JSON.stringify(observation(index + 1)));
    writeFileSync(file, `${rows.join('\n')}\n`);
    store
      .prepare(
        `CREATE TRIGGER full BEFORE INSERT ON fact WHEN new.row = ${rowCount - 1} BEGIN SELECT RAISE(ABORT, 'full'); END`,
      )
      .run();
    await expect(site.importPaths([file])).rejects.toThrow('full');
    const stored = store.prepare('SELECT count(*) AS count FROM fact').get();
    expect(stored).toEqual({ count: rowsInBatch });
    const outcomes = store.prepare('SELECT code, rows_accepted AS accepted FROM ingest_outcome').all();
    expect(outcomes).toEqual([{ code: 'IMPORT_CANCELLED', accepted: rowsInBatch }]);
    const { entries } = site.auditLog.list({ offset: 0, limit: 10, search: '', action: 'import-finished' });
    expect(JSON.parse(entries[0]?.detail ?? '{}')).toMatchObject({ rows: { measurement: rowsInBatch } });
  });
});
