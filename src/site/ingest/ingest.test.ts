import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ingestEvent,
  ingestOrder,
  ingestOutcomes,
  ingestPushed,
  ingestSummary,
  recordCount,
} from '#ipc/schema.ts';
import { patientOf, subjectIdOf } from '#site/deidentify/index.ts';
import { ndjson } from '#support/fhir-resources.ts';
import {
  type IngestSite,
  openIngestSite,
  outcomesByName,
  refusalsOf,
  siteKeys,
  steward,
  summaryOf,
} from '#support/ingest-site.ts';
import { rowsInBatch } from './section-reader.ts';

const fixtures = fileURLToPath(new URL('../../../tests/fixtures/ehr/', import.meta.url));
const fixture = (name: string): string => readFileSync(path.join(fixtures, name), 'utf8');
const authority = 'https://fixture.example/number';

let site: IngestSite;
beforeEach(() => {
  site = openIngestSite();
});
afterEach(() => site.close());

function facts() {
  return site.store.all(site.store.query.selectFrom('subject_fact').selectAll().orderBy('fact_id'));
}
function ageOf({ subject_id, day }: { readonly subject_id: string; readonly day: number }): number | null {
  return site.subjects.ageOn(subject_id, day);
}
function count(table: 'fact' | 'subject' | 'consent' | 'patient_link'): number {
  return site.store.all(site.store.query.selectFrom(table).selectAll()).length;
}
function auditActions(): string[] {
  const rows = site.store.all(site.store.query.selectFrom('audit_leaf').select('line').orderBy('seq'));
  return rows.map(({ line }) => JSON.parse(line).action);
}

const patient = (id: string, change: object = {}) => ({
  resourceType: 'Patient',
  id,
  identifier: [{ system: authority, value: id.toUpperCase() }],
  birthDate: '1950-01-01',
  gender: 'female',
  ...change,
});
const observation = (id: string, change: object = {}) => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '8480-6' }] },
  subject: { reference: 'Patient/p1' },
  effectiveDateTime: '2001-04-05',
  valueQuantity: { value: 120, system: 'http://unitsofmeasure.org', code: 'mm[Hg]' },
  ...change,
});
const bundle = (resources: object[], type = 'collection'): string =>
  JSON.stringify({ resourceType: 'Bundle', type, entry: resources.map((resource) => ({ resource })) });

describe('the fixtures', () => {
  it('are each refused by name, row or file, while the rest goes in', async () => {
    const summary = summaryOf(await site.importPaths([fixtures]));
    expect(outcomesByName(summary)).toEqual({
      'README.md': ['rejected', 'NOT_RECOGNISED'],
      'mapping.json': ['accepted', null],
      'bad-row.csv': ['accepted', 'SEVERAL_REASONS'],
      'missing-column.csv': ['rejected', 'MISSING_COLUMN'],
      'truncated-bundle.json': ['rejected', 'TRUNCATED'],
      'unknown-unit.ndjson': ['accepted', 'SEVERAL_REASONS'],
    });
    expect(refusalsOf(summary, 'bad-row.csv')).toEqual(['3 BAD_NUMBER systolic', '5 BAD_DATE visit']);
    expect(refusalsOf(summary, 'missing-column.csv')).toEqual(['1 MISSING_COLUMN systolic']);
    expect(refusalsOf(summary, 'unknown-unit.ndjson')).toEqual([
      '3 UNKNOWN_UNIT value.code',
      '4 MISSING_UNIT value.code',
    ]);
    expect(summary.rows).toEqual({ patient: 4, measurement: 7, consent: 3 });
    const truncated = { authority, identifier: 'T-1' };
    expect(
      patientOf(site.store, siteKeys.linkageKey, subjectIdOf(siteKeys.subjectKey, truncated)),
    ).toBeUndefined();
    expect(facts().find(({ unit }) => unit === 'kPa')?.value_number).toBe(134);
  });

  it('leave no name, identifier or value in logs, audit entries, outcomes or readable bytes of the profile', async () => {
    const events = await site.importPaths([fixtures]);
    const shown = [
      ...site.logged,
      ...site.store.all(site.store.query.selectFrom('audit_leaf').selectAll()).map(({ line }) => line),
      ...site.store.all(site.store.query.selectFrom('audit_detail').selectAll()).map(({ detail }) => detail),
      JSON.stringify(events),
    ].join('\n');
    for (const planted of [
      'Muster',
      'Beispiel',
      'Gerda555',
      'F-1"',
      'T-1',
      '1950-05-01',
      'high',
      '133.5',
      '2001-02-30',
    ]) {
      expect(shown.includes(planted), planted).toBe(false);
    }
    const bytes = site.profileBytes();
    for (const planted of ['Muster111', 'Beispiel702', 'bad-row.csv', 'loinc']) {
      expect(bytes.includes(planted), planted).toBe(false);
    }
  });
});

describe('an import', () => {
  it('changes nothing the second time', async () => {
    const files = { 'mapping.json': fixture('mapping.json'), 'rows.csv': fixture('bad-row.csv') };
    await site.importFiles(files);
    const before = [facts(), count('consent'), count('patient_link')];
    const again = await site.importFiles(files);
    expect(again.rows).toEqual({});
    expect(outcomesByName(again)).toEqual({
      'mapping.json': ['duplicate', null],
      'rows.csv': ['duplicate', 'SEVERAL_REASONS'],
    });
    expect([facts(), count('consent'), count('patient_link')]).toEqual(before);
  });

  it('replaces what a corrected record says, removes what it no longer says, and keeps one fact for each', async () => {
    const mapping = fixture('mapping.json');
    await site.importFiles({ 'rows.csv': fixture('bad-row.csv') }, mapping);
    const corrected = fixture('bad-row.csv').replace('2001-03-04,141,no', '2001-03-04,142,-');
    const summary = await site.importFiles({ 'rows.csv': corrected }, mapping);
    expect(summary.files[0]?.rows).toEqual({ accepted: 1, duplicate: 2, rejected: 2, notNeeded: 0 });
    const subjectId = subjectIdOf(siteKeys.subjectKey, { authority, identifier: 'F-1' });
    const own = facts().filter(({ subject_id }) => subject_id === subjectId);
    expect(own.map((fact) => [fact.code, fact.value_number, ageOf(fact)])).toEqual([['8480-6', 142, 50]]);
  });

  it('keeps what two tables say about one patient on one day', async () => {
    const rows = fixture('bad-row.csv');
    const laboratory = JSON.parse(fixture('mapping.json'));
    laboratory.facts[0].code.code = '2093-3';
    laboratory.facts.pop();
    const codesOf = () => [...new Set(facts().map(({ code }) => code))].sort();
    await site.importFiles({ 'vitals.csv': rows }, fixture('mapping.json'));
    await site.importFiles({ 'laboratory.csv': rows }, JSON.stringify(laboratory));
    expect(codesOf()).toEqual(['2093-3', '8480-6', 'angina']);
    const before = facts();
    const again = await site.importFiles({ 'vitals.csv': rows }, fixture('mapping.json'));
    expect(again.rows).toEqual({});
    expect(facts()).toEqual(before);
  });

  it('refuses a second, different row of the same patient and day, first and every time', async () => {
    const [header, first] = fixture('bad-row.csv').split('\n') as [string, string];
    const second = first.replace(',141,', ',155,');
    const rows = `${header}\n${first}\n${second}\n${first}\n`;
    for (const accepted of [1, 0]) {
      const summary = await site.importFiles({ 'rows.csv': rows }, fixture('mapping.json'));
      expect(refusalsOf(summary, 'rows.csv')).toEqual(['3 REPEATED_RECORD visit']);
      expect(summary.files[0]?.rows).toEqual({
        accepted,
        duplicate: 2 - accepted,
        rejected: 1,
        notNeeded: 0,
      });
    }
    expect(facts().map(({ value_number }) => value_number)).toEqual([141, 0]);
  });

  it('writes a changed consent as a new version with an audit entry', async () => {
    const mapping = fixture('mapping.json');
    await site.importFiles({ 'rows.csv': fixture('bad-row.csv') }, mapping);
    await site.importFiles(
      { 'rows.csv': fixture('bad-row.csv').replace('141,no,given,2060', '141,no,given,2030') },
      mapping,
    );
    const versions = site.store.all(
      site.store.query.selectFrom('consent').select('version').orderBy('version'),
    );
    expect(versions.map(({ version }) => version)).toEqual([1, 1, 1, 2]);
    expect(auditActions()).toEqual([
      ...['import-started', 'consent-imported', 'file-imported', 'import-finished'],
      ...['import-started', 'consent-imported', 'file-imported', 'import-finished'],
    ]);
    expect(site.auditLog.verify().verified).toBe(true);
  });

  it('gives the same store whatever the order of patients and observations, in one import or in two', async () => {
    const sorted = (own: IngestSite) =>
      own.store
        .all(own.store.query.selectFrom('subject_fact').selectAll().orderBy('record_key'))
        .map(({ fact_id: _, outcome_id: __, row: ___, ...fact }) => ({
          ...fact,
          age: own.subjects.ageOn(fact.subject_id, fact.day),
        }));
    const resources = [
      patient('p1'),
      observation('o1'),
      observation('o2', { effectiveDateTime: '2011-04-05' }),
    ];
    await site.importFiles({ 'all.ndjson': ndjson(...resources) });
    const expected = sorted(site);
    expect(expected.map(({ age }) => age).sort()).toEqual([51, 61]);
    const consent = { ...consentResource(), patient: { reference: 'Patient/p1' } };
    for (const parts of [[resources.toReversed()], [[resources[2], resources[1], consent], [resources[0]]]]) {
      const other = openIngestSite();
      for (const [index, part] of parts.entries())
        await other.importFiles({ [`${index}.ndjson`]: ndjson(...(part as object[])) });
      expect(sorted(other)).toEqual(expected);
      expect(
        other.store.all(other.store.query.selectFrom('subject').selectAll().where('survivor_no', 'is', null)),
      ).toHaveLength(1);
      other.close();
    }
  });

  it('takes a bundle and NDJSON of the same resources for the same records', async () => {
    await site.importFiles({ 'a.ndjson': ndjson(patient('p1'), observation('o1')) });
    const summary = await site.importFiles({ 'b.json': bundle([observation('o1'), patient('p1')]) });
    expect(summary.files[0]).toMatchObject({
      outcome: 'duplicate',
      rows: { accepted: 0, duplicate: 2, rejected: 0, notNeeded: 0 },
    });
  });

  it('does not mix two patients who share a resource id', async () => {
    await site.importFiles({ 'a.ndjson': ndjson(patient('p1'), observation('o1')) });
    const stranger = patient('p1', { identifier: [{ system: authority, value: 'OTHER' }] });
    const summary = await site.importFiles({ 'b.ndjson': ndjson(stranger, observation('o9')) });
    expect(refusalsOf(summary, 'b.ndjson')).toEqual(['1 IDENTITY_CONFLICT', '2 IDENTITY_CONFLICT']);
    expect(facts()).toHaveLength(1);
  });

  it('removes the facts of an observation that was entered in error', async () => {
    await site.importFiles({ 'a.ndjson': ndjson(patient('p1'), observation('o1'), observation('o2')) });
    await site.importFiles({ 'b.ndjson': ndjson(observation('o1', { status: 'entered-in-error' })) });
    expect(facts()).toHaveLength(1);
  });

  it('goes on after it was cut off, with whole rows only, and says so in the log', async () => {
    const rows = Array.from({ length: 12_000 }, (_, index) => observation(`o${index}`));
    const text = ndjson(patient('p1'), ...rows);
    const half = Buffer.from(text).subarray(0, Math.floor(text.length * 0.8));
    const { batchId } = site.ingest.openBatch({
      files: [{ name: 'a.ndjson', size: text.length }],
      mapping: null,
      actor: steward,
    });
    // Neither a last chunk nor a close: the process is gone.
    await site.ingest.push({
      batchId,
      fileIndex: 0,
      offset: 0,
      bytes: half.toString('base64'),
      isLast: false,
    });
    // The patient's row is one of the first batch.
    expect(facts().length % rowsInBatch).toBe(rowsInBatch - 1);
    site.reopen();
    expect(auditActions()).toEqual(['import-started', 'import-interrupted']);
    const summary = await site.importFiles({ 'a.ndjson': text });
    expect(summary.files[0]).toMatchObject({ outcome: 'accepted', code: null });
    expect(facts()).toHaveLength(12_000);
    expect(new Set(facts().map(({ outcome_id }) => outcome_id)).size).toBe(2);
  });

  it('stops between chunks when asked to, and tells which file was cut', async () => {
    const file = path.join(site.folder, 'big.ndjson');
    const rows = Array.from({ length: 20_000 }, (_, index) => observation(`o${index}`));
    writeFileSync(file, ndjson(patient('p1'), ...rows));
    const controller = new AbortController();
    const events = [];
    const request = { paths: [file], mapping: null, actor: steward, signal: controller.signal };
    for await (const event of site.ingest.ingestPaths(request)) {
      events.push(event);
      controller.abort();
    }
    const summary = summaryOf(events);
    expect(outcomesByName(summary)).toEqual({ 'big.ndjson': ['accepted', 'IMPORT_CANCELLED'] });
    expect(facts().length).toBeGreaterThan(0);
    expect(facts().length).toBeLessThan(20_000);
  });

  it('names what is no file, and does not follow links inside a folder', async () => {
    const inside = path.join(site.folder, 'inside');
    mkdirSync(inside);
    writeFileSync(path.join(site.folder, 'outside.ndjson'), ndjson(patient('p1')));
    symlinkSync(path.join(site.folder, 'outside.ndjson'), path.join(inside, 'link.ndjson'));
    const summary = summaryOf(await site.importPaths([inside, path.join(site.folder, 'nowhere.csv')]));
    expect(outcomesByName(summary)).toEqual({
      'link.ndjson': ['rejected', 'NOT_A_FILE'],
      'nowhere.csv': ['rejected', 'UNREADABLE'],
    });
    expect(count('subject')).toBe(0);
  });
});

describe('the site contract', () => {
  it('has the shapes that ingest gives', async () => {
    for (const event of await site.importPaths([fixtures])) ingestEvent.parse(event);
    ingestOutcomes.parse(site.ingest.listOutcomes({ offset: 0, limit: 100 }));
    for (const row of site.ingest.recordCounts()) recordCount.parse(row);
    expect(site.ingest.recordCounts()).toContainEqual({
      kind: 'measurement',
      system: 'http://loinc.org',
      code: '8480-6',
      factCount: 4,
      subjectCount: 3,
    });
    const page = site.ingest.listOutcomes({ offset: 1, limit: 2 });
    expect(page.total).toBe(6);
    expect(page.outcomes).toHaveLength(2);
    expect(page.outcomes.every(({ name }) => name.startsWith(fixtures))).toBe(true);
  });

  it('takes pushed files in small chunks as it takes them from disk', async () => {
    const names = ['bad-row.csv', 'truncated-bundle.json', 'unknown-unit.ndjson', 'mapping.json'];
    const contents = names.map((name) => readFileSync(path.join(fixtures, name)));
    const files = names.map((name, index) => ({ name, size: contents[index]?.length ?? 0 }));
    const opened = ingestOrder.parse(site.ingest.openBatch({ files, mapping: null, actor: steward }));
    expect(opened.order[0]).toBe(3);
    for (const fileIndex of opened.order) {
      const bytes = contents[fileIndex] ?? Buffer.alloc(0);
      for (let offset = 0; offset < bytes.length; offset += 100) {
        const part = bytes.subarray(offset, offset + 100);
        const isLast = offset + 100 >= bytes.length;
        const chunk = { batchId: opened.batchId, fileIndex, offset, bytes: part.toString('base64'), isLast };
        const pushed = ingestPushed.parse(await site.ingest.push(chunk));
        expect(pushed.file !== null).toBe(isLast);
      }
    }
    const summary = ingestSummary.parse(site.ingest.closeBatch(opened.batchId));
    expect(outcomesByName(summary)).toEqual({
      'bad-row.csv': ['accepted', 'SEVERAL_REASONS'],
      'mapping.json': ['accepted', null],
      'truncated-bundle.json': ['rejected', 'TRUNCATED'],
      'unknown-unit.ndjson': ['accepted', 'SEVERAL_REASONS'],
    });
  });

  it('refuses chunks out of order, closed batches and a mapping that is none', async () => {
    const files = [{ name: 'a.csv', size: 4 }];
    const { batchId } = site.ingest.openBatch({ files, mapping: null, actor: steward });
    const chunk = { batchId, fileIndex: 0, offset: 2, bytes: 'YQ==', isLast: false };
    const outOfOrder = expect.objectContaining({ code: 'CHUNK_OUT_OF_ORDER' });
    await expect(site.ingest.push(chunk)).rejects.toEqual(outOfOrder);
    await expect(site.ingest.push({ ...chunk, fileIndex: 7, offset: 0 })).rejects.toEqual(outOfOrder);
    await site.ingest.push({ ...chunk, offset: 0 });
    expect(outcomesByName(site.ingest.closeBatch(batchId))).toEqual({
      'a.csv': ['rejected', 'IMPORT_CANCELLED'],
    });
    await expect(site.ingest.push(chunk)).rejects.toEqual(
      expect.objectContaining({ code: 'BATCH_NOT_OPEN' }),
    );
    expect(() => site.ingest.closeBatch(batchId)).toThrow(
      expect.objectContaining({ code: 'BATCH_NOT_OPEN' }),
    );
    expect(() => site.ingest.openBatch({ files, mapping: '{}', actor: steward })).toThrow(
      expect.objectContaining({ code: 'BAD_MAPPING' }),
    );
  });
});

function consentResource() {
  return {
    resourceType: 'Consent',
    id: 'c1',
    status: 'active',
    scope: { coding: [{ code: 'research' }] },
    dateTime: '2001-01-01',
    provision: { provision: [{ type: 'permit' }] },
  };
}
