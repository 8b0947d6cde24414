// Records with names that are not numbers: their keys wait in memory, and nothing may depend on whether they are in the index yet.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type IngestSite, openIngestSite, steward } from '#support/ingest-site.ts';
import { zipFile } from '#support/zip-file.ts';
import { NamedRecords } from './named-records.ts';

let site: IngestSite;
beforeEach(() => {
  site = openIngestSite();
});
afterEach(() => site.close());

const recordCount = 300;
const pieceBytes = 300_000;

function observations(value: (index: number) => number, count = recordCount): string {
  const patient = {
    resourceType: 'Patient',
    id: 'p1',
    identifier: [{ system: 'urn:oid:1.2.3', value: 'P1' }],
  };
  const lines = Array.from({ length: count }, (_, index) => ({
    resourceType: 'Observation',
    id: `obs-${index}-x`,
    status: 'final',
    subject: { reference: 'Patient/p1' },
    code: { coding: [{ system: 'http://loinc.org', code: '2093-3' }] },
    effectiveDateTime: '2026-01-05',
    valueQuantity: { value: value(index), system: 'http://unitsofmeasure.org', code: 'mg/dL' },
  }));
  return [patient, ...lines].map((line) => JSON.stringify(line)).join('\n');
}

const numbers = (sql: string): number[] => site.store.prepareColumn(sql).all() as number[];
const factCount = () => numbers('SELECT count(*) FROM fact')[0];
const indexed = () => numbers('SELECT count(*) FROM named_record')[0];
/** Facts whose key is in the index, with their places. */
const found = () =>
  numbers('SELECT count(*) FROM named_record JOIN fact USING (record_key, concept_id, fact_id)')[0];

const asTheyAre = (index: number): number => 100 + index;

it('knows records that wait, records in the index, and records that a crash left waiting', async () => {
  await site.importFiles({ 'first.ndjson': observations(asTheyAre) });
  expect([factCount(), indexed()]).toEqual([recordCount, 0]);
  const again = await site.importFiles({ 'second.ndjson': `${observations(asTheyAre)}\n` });
  expect(again.rowCounts).toMatchObject({ accepted: 0, rejected: 0 });

  // As after a crash: another stage knows nothing of what waited in the first.
  const restarted = site.reopen();
  await imported(restarted, 'third.ndjson', `${observations(asTheyAre)}\n\n`);
  expect(factCount()).toBe(recordCount);

  await restarted.erasePendingFacts();
  await restarted.close();
  expect([indexed(), found()]).toEqual([recordCount, recordCount]);
  await imported(site.reopen(), 'fourth.ndjson', `${observations(asTheyAre)}\n\n\n`);
  expect(factCount()).toBe(recordCount);
});

it.each(['waits', 'is in the index'])('replaces what a corrected record says while it %s', async (state) => {
  await site.importFiles({ 'first.ndjson': observations(asTheyAre) });
  if (state === 'is in the index') {
    const stage = site.reopen();
    await imported(stage, 'none.ndjson', observations(asTheyAre, 1));
    await stage.close();
    expect(found()).toBe(recordCount);
  }
  const stage = site.reopen();
  await imported(
    stage,
    'second.ndjson',
    observations((index) => 200 + index),
  );
  await stage.close();
  expect(numbers('SELECT min(number) FROM fact')).toEqual([200]);
  expect([factCount(), indexed(), found()]).toEqual([recordCount, recordCount, recordCount]);
});

it('takes nothing twice after a transaction that was rolled back', async () => {
  await site.importFiles({ 'first.ndjson': observations(asTheyAre, 100) });
  site.store
    .prepare(
      `CREATE TRIGGER full BEFORE INSERT ON fact WHEN new.number = 350 BEGIN SELECT raise(ABORT, 'planted'); END`,
    )
    .run();
  await expect(site.importFiles({ 'second.ndjson': observations(asTheyAre) })).rejects.toThrow('planted');
  site.store.prepare('DROP TRIGGER full').run();
  await site.importFiles({ 'third.ndjson': `${observations(asTheyAre)}\n` });
  await site.importFiles({ 'fourth.ndjson': `${observations(asTheyAre)}\n\n` });
  expect(factCount()).toBe(recordCount);
  await site.ingest.erasePendingFacts();
  const stage = site.reopen();
  await imported(stage, 'fifth.ndjson', `${observations(asTheyAre)}\n\n\n`);
  expect(factCount()).toBe(recordCount);
});

it.each(['waits', 'is in the index'])(
  'erases what finds the records of a patient while it %s (C10)',
  async (state) => {
    await site.importFiles({ 'first.ndjson': observations(asTheyAre) });
    if (state === 'is in the index') await site.ingest.close();
    expect(indexed()).toBe(state === 'is in the index' ? recordCount : 0);
    site.store.prepare('UPDATE subject SET erasure_pending = 1').run();
    expect(await site.ingest.erasePendingFacts()).toBe(recordCount);
    await site.ingest.close();
    expect([factCount(), indexed()]).toEqual([0, 0]);
  },
);

it('fills its filter of a store that is large already, and misses no key that is merged meanwhile', async () => {
  const keyOf = (index: number): number => -1 - ((index * 0x9e3779b97f) % 2 ** 48);
  const before = new NamedRecords(site.store);
  for (let index = 1; index <= 120_000; index += 1) before.add(keyOf(index), 1, index);
  await before.merge();

  const records = new NamedRecords(site.store);
  const absent = Array.from({ length: 10_000 }, (_, index) => keyOf(1_000_000 + index));
  for (const key of absent) expect(records.placesOf(key)).toEqual([]);
  expect(absent.every((key) => records.mayHave(key))).toBe(true);
  await records.keepUp(); // the first slice of three
  for (let index = 120_001; index <= 130_000; index += 1) records.add(keyOf(index), 1, index);
  await records.merge();
  for (let slice = 1; slice < 4; slice += 1) await records.keepUp();

  expect(absent.filter((key) => records.mayHave(key)).length).toBeLessThan(200);
  for (let index = 1; index <= 130_000; index += 1)
    if (!records.mayHave(keyOf(index))) throw new Error(`key ${index} is denied`);
  expect(records.placesOf(keyOf(125_000))).toEqual([{ conceptId: 1, factId: 125_000 }]);
});

it('fills a filter of a store with more keys than its first size has room for', async () => {
  const keyCount = 450_000;
  site.store
    .prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
      INSERT INTO named_record SELECT -1 - (i * 681310601599) % 281474976710656, 1, i FROM n`,
    )
    .run(keyCount);
  const keys = numbers('SELECT record_key FROM named_record');
  const known = new Set(keys);
  const records = new NamedRecords(site.store);
  const absent = keys.map((key) => key - 1).filter((key) => !known.has(key));
  for (const key of absent.slice(0, 10_000)) records.placesOf(key);
  for (let slice = 0; slice < 30; slice += 1) await records.keepUp();
  for (const key of keys) if (!records.mayHave(key)) throw new Error('a key is denied');
  expect(absent.filter((key) => records.mayHave(key)).length / absent.length).toBeLessThan(0.02);
});

it('does not wait on while a million other facts come, which a restart would look through', async () => {
  const records = new NamedRecords(site.store);
  records.add(-4711, 1, 1);
  records.mark(1_000_000);
  await records.keepUp();
  expect(indexed()).toBe(0);
  records.mark(1_100_000);
  await records.keepUp();
  expect(indexed()).toBe(1);
  expect(records.mark(1_100_000)).toBe(1_100_000);
});

it('keeps no site from closing, where what waits cannot be written, and takes nothing twice after it', async () => {
  await site.importFiles({ 'first.ndjson': observations(asTheyAre) });
  site.store
    .prepare(`CREATE TRIGGER full BEFORE INSERT ON named_record BEGIN SELECT raise(ABORT, 'planted'); END`)
    .run();
  await expect(site.ingest.close()).resolves.toBeUndefined();
  expect(indexed()).toBe(0);
  expect(site.logged.join()).toContain('record keys were left to the next start');
  site.store.prepare('DROP TRIGGER full').run();
  await imported(site.reopen(), 'second.ndjson', `${observations(asTheyAre)}\n`);
  expect(factCount()).toBe(recordCount);
});

/** Longer than what tells a format, so that it comes in several pieces. */
const large = observations(asTheyAre, 6_000);
const medication = '{"resourceType":"Medication","id":"m1"}';
const waysIn: readonly (readonly [string, () => Promise<unknown>])[] = [
  ['by path', () => site.importFiles({ 'large.ndjson': large })],
  [
    'in an archive',
    () => site.importFiles({ 'large.zip': zipFile([{ name: 'large.ndjson', content: Buffer.from(large) }]) }),
  ],
  [
    'by path, read on without workers',
    () => site.importFiles({ 'large.ndjson': paddedTo(9e6, `${large}\n${medication}`) }),
  ],
  ['pushed', () => pushed(large)],
  ['from a source', () => site.ingest.openArrivals(steward).importFile('large.ndjson', pieces(large))],
];

it.each(waysIn)('lets in what is due after each piece of a file that comes %s', async (_way, bring) => {
  const keptUp = vi.spyOn(NamedRecords.prototype, 'keepUp');
  try {
    await bring();
    expect(keptUp.mock.calls.length).toBeGreaterThanOrEqual(3);
    expect(factCount()).toBe(6_000);
  } finally {
    keptUp.mockRestore();
  }
});

function paddedTo(byteCount: number, text: string): string {
  const line = JSON.stringify({ resourceType: 'Basic', id: 'padding', text: 'x'.repeat(10_000) });
  return `${text}\n${`${line}\n`.repeat(Math.ceil(byteCount / line.length))}`;
}

async function* pieces(text: string): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

async function pushed(text: string): Promise<void> {
  const bytes = Buffer.from(text);
  const file = { name: 'large.ndjson', size: bytes.length };
  const { batchId } = site.ingest.openBatch({ files: [file], mapping: null, actor: steward });
  for (let offset = 0; offset < bytes.length; offset += pieceBytes) {
    const piece = bytes.subarray(offset, offset + pieceBytes);
    const isLast = offset + piece.length === bytes.length;
    await site.ingest.push({ batchId, fileIndex: 0, offset, bytes: piece.toString('base64'), isLast });
  }
  site.ingest.closeBatch(batchId);
}

async function imported(stage: IngestSite['ingest'], name: string, text: string): Promise<void> {
  const order = stage.openBatch({
    files: [{ name, size: Buffer.byteLength(text) }],
    mapping: null,
    actor: steward,
  });
  const bytes = Buffer.from(text).toString('base64');
  await stage.push({ batchId: order.batchId, fileIndex: 0, offset: 0, bytes, isLast: true });
  stage.closeBatch(order.batchId);
}
