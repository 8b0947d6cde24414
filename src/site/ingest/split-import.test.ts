import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ndjson } from '#support/fhir-resources.ts';
import { type IngestSite, openIngestSite, siteKeys, steward, summaryOf } from '#support/ingest-site.ts';
import type { FileOutcome, IngestEvent } from './ingest-outcome.ts';
import { ReadingPool } from './reading-pool.ts';
import { minSplitBytes } from './split-import.ts';

let site: IngestSite;
let other: IngestSite;
beforeEach(() => {
  site = openIngestSite();
  other = openIngestSite();
});
afterEach(() => {
  site.close();
  other.close();
});

/** Few rows make a large file where each is long. */
const padding = 'x'.repeat(3_000);
const rowCount = Math.ceil((minSplitBytes * 1.2) / padding.length);

const observation = (index: number, change: object = {}) => ({
  resourceType: 'Observation',
  id: `o${index}`,
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '8480-6' }] },
  subject: { reference: `Patient/p${index % 50}` },
  effectiveDateTime: '2001-04-05T10:00:00Z',
  valueQuantity: { value: 100 + (index % 60), system: 'http://unitsofmeasure.org', code: 'mm[Hg]' },
  note: [{ text: padding }],
  ...change,
});
const patient = (index: number) => ({
  resourceType: 'Patient',
  id: `p${index}`,
  identifier: [{ system: 'https://fixture.example/number', value: `N${index}` }],
  birthDate: '1950-01-01',
});

/** Imports a file from disk: by workers where it is large. */
async function importFile(into: IngestSite, name: string, content: string): Promise<FileOutcome> {
  const file = path.join(into.folder, name);
  writeFileSync(file, content);
  return outcomeOf(await into.importPaths([file]));
}

/** Imports files as a window pushes them, on the site's own thread. */
async function pushFiles(into: IngestSite, files: Readonly<Record<string, string>>): Promise<FileOutcome> {
  const names = Object.keys(files);
  const { batchId } = into.ingest.openBatch({
    files: names.map((name) => ({ name, size: files[name]?.length ?? 0 })),
    mapping: null,
    actor: steward,
  });
  for (const [fileIndex, name] of names.entries()) {
    const bytes = Buffer.from(files[name] ?? '');
    for (let offset = 0; offset < bytes.length; offset += 1_000_000) {
      const part = bytes.subarray(offset, offset + 1_000_000);
      const isLast = offset + part.length === bytes.length;
      await into.ingest.push({ batchId, fileIndex, offset, bytes: part.toString('base64'), isLast });
    }
  }
  const last = into.ingest.closeBatch(batchId).files.at(-1);
  if (last === undefined) throw new Error('no file was imported');
  return last;
}

function outcomeOf(events: readonly IngestEvent[]): FileOutcome {
  const file = summaryOf(events).files.at(-1);
  if (file === undefined) throw new Error('no file was imported');
  return file;
}

/** What the store has, but for the numbers of files and rows of tables. */
function contentOf({ store }: IngestSite): unknown[] {
  const facts = store.all(
    store.query.selectFrom('subject_fact').selectAll().orderBy('record_key').orderBy('row'),
  );
  return facts.map(({ fact_id: _, outcome_id: __, ...fact }) => fact);
}

const comparable = ({ path: _, ...outcome }: FileOutcome) => outcome;

/** An OMOP measurement table with a column of long texts; `text` gives some of them. */
function measurements(text: (index: number) => string | undefined): Record<string, string> {
  const concept = [
    'concept_id,vocabulary_id,concept_code',
    '3004249,LOINC,8480-6',
    '8876,UCUM,mm[Hg]',
    '8507,Gender,M',
    '',
  ].join('\n');
  const header =
    'measurement_id,person_id,measurement_concept_id,measurement_date,value_as_number,value_as_concept_id,unit_concept_id,note';
  const rows = Array.from(
    { length: rowCount },
    (_, index) =>
      `${index + 1},${1 + (index % 40)},3004249,2001-02-03,${100 + (index % 60)},,8876,${text(index) ?? padding}`,
  );
  return { 'concept.csv': concept, 'measurement.csv': `${header}\n${rows.join('\n')}\n` };
}

async function importFolder(into: IngestSite, files: Readonly<Record<string, string>>): Promise<FileOutcome> {
  const summary = await into.importFiles(files);
  const last = summary.files.at(-1);
  if (last === undefined) throw new Error('no file was imported');
  return last;
}

describe('a large NDJSON file, read by workers', () => {
  it('gives the rows, row numbers, refusals and counts that one thread gives', async () => {
    const resources: object[] = Array.from({ length: rowCount }, (_, index) => observation(index));
    for (let index = 0; index < 50; index += 1) resources.splice(index * 60, 0, patient(index));
    const lines = ndjson(...resources).split('\n');
    // Broken lines all over the file, and an empty one.
    for (const at of [0, 1_000, 2_000, rowCount - 1]) lines[at] = `{"resourceType":"Observation","id":${at}`;
    lines[1_500] = '';
    lines[1_501] = JSON.stringify(observation(1_501, { valueQuantity: { value: 1 } }));
    const text = lines.join('\n');
    const split = await importFile(site, 'all.ndjson', text);
    expect(split).toMatchObject({ outcome: 'accepted', code: 'SEVERAL_REASONS' });
    expect(comparable(split)).toEqual(comparable(await pushFiles(other, { 'all.ndjson': text })));
    expect(split.refusals.map(({ row }) => row)).toEqual([1, 1_001, 1_502, 2_001, rowCount]);
    expect(contentOf(site)).toEqual(contentOf(other));
    expect(site.auditLog.verify().verified).toBe(true);
  });

  it('is read whole while another one is', async () => {
    const half = (first: number) =>
      ndjson(...Array.from({ length: rowCount }, (_, index) => observation(first + index)));
    const outcomes = await Promise.all([
      importFile(site, 'one.ndjson', half(0)),
      importFile(site, 'other.ndjson', half(rowCount)),
    ]);
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ code: null, rows: { accepted: rowCount, rejected: 0 } });
  });

  it('is a duplicate the second time, and changes nothing', async () => {
    const text = ndjson(...Array.from({ length: rowCount }, (_, index) => observation(index)));
    await importFile(site, 'first.ndjson', text);
    const before = contentOf(site);
    const again = await importFile(site, 'second.ndjson', text);
    expect(again).toMatchObject({ outcome: 'duplicate', rows: { accepted: 0, duplicate: rowCount } });
    expect(contentOf(site)).toEqual(before);
  });

  it.each([
    ['as most do', '"resourceType":"Medication"'],
    ['with spaces', '"resourceType" :\t"Medication"'],
  ])(
    'knows the medications that stand before the requests for them, wherever they are, written %s',
    async (_, written) => {
      const resources: object[] = Array.from({ length: rowCount }, (_, index) => observation(index));
      const medication = (id: string) => ({
        resourceType: 'Medication',
        id,
        code: { coding: [{ system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code: '313782' }] },
      });
      const request = (id: string) => ({
        resourceType: 'MedicationRequest',
        id: `r-${id}`,
        status: 'completed',
        intent: 'order',
        subject: { reference: 'Patient/p1' },
        authoredOn: '2001-02-03',
        medicationReference: { reference: `Medication/${id}` },
      });
      // In blocks that different workers read.
      resources.splice(1_200, 0, medication('m1'));
      resources.splice(400, 0, medication('m3'));
      resources.push(request('m1'), medication('m2'), request('m2'), request('m3'));
      const text = ndjson(...resources).replaceAll('"resourceType":"Medication"', written);
      const split = await importFile(site, 'all.ndjson', text);
      expect(comparable(split)).toEqual(comparable(await pushFiles(other, { 'all.ndjson': text })));
      expect(split.rows.rejected).toBe(0);
      expect(contentOf(site)).toEqual(contentOf(other));
    },
  );

  it('stops when asked to with whole rows, and goes on the next time', async () => {
    const text = ndjson(...Array.from({ length: rowCount * 2 }, (_, index) => observation(index)));
    const file = path.join(site.folder, 'all.ndjson');
    writeFileSync(file, text);
    const controller = new AbortController();
    const events: IngestEvent[] = [];
    const request = { paths: [file], mapping: null, actor: steward, signal: controller.signal };
    for await (const event of site.ingest.ingestPaths(request)) {
      events.push(event);
      if (event.kind === 'progress' && event.rowCount > 0) controller.abort();
    }
    expect(outcomeOf(events)).toMatchObject({ outcome: 'accepted', code: 'IMPORT_CANCELLED' });
    const kept = contentOf(site).length;
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(rowCount * 2);
    const rest = outcomeOf(await site.importPaths([file]));
    expect(rest).toMatchObject({ outcome: 'accepted', code: null, rows: { duplicate: kept } });
    expect(contentOf(site)).toHaveLength(rowCount * 2);
  });
});

describe('a large OMOP table, read by workers', () => {
  it.each<[string, (index: number) => string | undefined]>([
    ['without quotes', () => undefined],
    [
      'with quoted cells of several lines',
      (index) => (index % 7 === 0 ? `"${padding}\n""${padding}"` : undefined),
    ],
    ['with text that is not ASCII', (index) => (index % 9 === 0 ? 'ß'.repeat(1_500) : undefined)],
    ['with rows that do not fit', (index) => (index % 500 === 3 ? `${padding},` : undefined)],
    ['with a quote that never closes', (index) => (index === 1_700 ? `"${padding}` : undefined)],
  ])('%s gives what one thread gives', async (_what, text) => {
    const files = measurements(text);
    const split = await importFolder(site, files);
    expect(comparable(split)).toEqual(comparable(await pushFiles(other, files)));
    expect(contentOf(site)).toEqual(contentOf(other));
    expect(contentOf(site).length).toBeGreaterThan(rowCount * 0.9);
  });
});

describe('a reading worker', () => {
  it('that ends takes its file along, by name, and not the site', async () => {
    const pool = new ReadingPool({ linkageKey: siteKeys.linkageKey, zone: 'UTC' });
    const session = {
      format: { kind: 'fhir-ndjson', resourceType: null },
      mapping: null,
      concepts: null,
      medications: new Map(),
      authorities: new Map(),
      header: new Uint8Array(),
    } as const;
    const bytes = () => new Uint8Array(Buffer.from(`${JSON.stringify(observation(1))}\n`));
    const sessionId = pool.open(session);
    // A block of a file that was never opened is a bug, which ends the worker.
    await expect(pool.read({ sessionId: sessionId + 1, bytes: bytes(), isFirst: true })).rejects.toEqual(
      expect.objectContaining({ code: 'READER_STOPPED' }),
    );
    const next = pool.open(session);
    const answers = [1, 2].map(() => pool.read({ sessionId: next, bytes: bytes(), isFirst: true }));
    expect((await Promise.all(answers)).map(({ rowCount: rows }) => rows)).toEqual([1, 1]);
    pool.close();
  });
});
