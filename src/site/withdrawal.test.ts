// What a withdrawal leaves of a patient: nothing in the decrypted pages of the store (free ones included), in its log, in sealed objects
// or in copies made afterwards. The same search finds the patient before (security.md C10).
import { copyFileSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Cohorts,
  listSubjectRounds,
  openCohorts,
  readPreview,
  type SelectionSource,
} from '#site/cohort/index.ts';
import { type Consents, openConsents } from '#site/consent/index.ts';
import { derivePseudonym, openLink } from '#site/deidentify/index.ts';
import { saveImagingSettings } from '#site/ingest/index.ts';
import { openObjectStore, openStoreReader } from '#site/store/index.ts';
import { sliceFile } from '#support/image-files.ts';
import { type IngestSite, openIngestSite, siteKeys, steward } from '#support/ingest-site.ts';
import { addConsent, createTestPlan, frozenCohorts, plainDays } from '#support/stored-subjects.ts';
import { openWithdrawals, type Withdrawals } from './withdrawal.ts';

const storeKey = new Uint8Array(32).fill(20);
const pseudonymKey = new Uint8Array(32).fill(7);
const researchStudyId = 'heart';
const own = 'https://consilium.example/fhir/CodeSystem/test';
const authority = 'urn:oid:1.2.3';
const identifier = 'PLANTED-4711';
/** That nobody else has. */
const value = 271.828_182_845;
/** How often each intensity of the patient's images occurs. */
const intensities = Buffer.from('intensities of the patient');
const weights = Buffer.from('weights that were made with the patient');

const code = (name: string) => ({ system: own, code: name, display: name });
const plan = createTestPlan({
  dataElements: {
    ...createTestPlan().dataElements,
    indexEvent: { kind: 'fact', code: code('chol'), which: 'first' },
    split: { kind: 'keyed', holdoutPercent: 20, stratifyBy: 'nothing' },
    features: [
      {
        kind: 'quantity',
        name: 'chol',
        code: code('chol'),
        unit: 'mg/dL',
        aggregation: 'last',
        windowDays: null,
        whenMissing: null,
        flagValue: null,
      },
    ],
    label: {
      kind: 'threshold',
      name: 'high',
      code: code('chol'),
      unit: 'mg/dL',
      greaterThan: 220,
      aggregation: 'last',
      windowDays: null,
    },
  },
});

const mapping = JSON.stringify({
  consilium: 'csv-mapping/1',
  patient: { identifier: 'id', authority, name: 'name', birthDate: 'born', sex: null },
  indexDate: 'day',
  record: null,
  missing: [],
  facts: [{ kind: 'quantity', column: 'chol', code: { system: own, code: 'chol' }, unit: 'mg/dL' }],
  consent: null,
});

/** Forty patients and the one that is looked for. */
function table(extra: readonly string[] = []): string {
  const others = Array.from(
    { length: 40 },
    (_, index) => `P-${index},Name ${index},1960-02-03,2026-01-05,${200 + index}`,
  );
  const row = `${identifier},Plantagenet Zoe,1961-07-19,2026-01-05,${value}`;
  return `${['id,name,born,day,chol', ...others.slice(0, 20), row, ...others.slice(20), ...extra].join('\n')}\n`;
}

let site: IngestSite;
let consents: Consents;
let cohorts: Cohorts;
let source: SelectionSource;
let withdrawals: Withdrawals;
let subjectId: string;

beforeEach(async () => {
  site = openIngestSite();
  const { store, auditLog, subjects } = site;
  saveImagingSettings(store, { patientAuthority: authority, keepsPixels: true });
  const { linkageKey } = siteKeys;
  consents = openConsents({ store, auditLog, days: plainDays, linkageKey });
  source = { store, consents, ages: subjects, pseudonymKey: () => pseudonymKey };
  cohorts = openCohorts({ ...source, auditLog, consents });
  withdrawals = openWithdrawals({ store, auditLog, consents, subjects, ingest: site.ingest, linkageKey });
  const table1 = await site.importFiles({ 'table.csv': table() }, mapping);
  expect(table1.accepted).toBe(1);
  const image = await site.importFiles({ 'PLANTED.dcm': sliceFile({ patient: identifier }) });
  expect(image.accepted).toBe(1);
  site.store.run(
    site.store.query.insertInto('series_summary').values(({ selectFrom }) => ({
      imaging_series_no: selectFrom('imaging_series').select('imaging_series_no'),
      left_out: null,
      slices: '[]',
      intensity_shift: 0,
      intensities,
    })),
  );
  subjectId = subjects.findSubject({ authority, identifier })?.subjectId ?? '';
  for (const row of store.all(store.query.selectFrom('subject').select('subject_id')))
    addConsent(store, row.subject_id);
});
afterEach(() => site.close());

function freeze(): string {
  return cohorts.freeze({ plan, round: 1, kind: 'training', actor: steward }).cohortId;
}

/** A run over the cohort with its update, approved and sealed but not sent. */
function addUpdate(cohortId: string, attempts = 0, state: 'draft' | 'received' | 'sealed' = 'sealed'): void {
  const { store } = site;
  const place = { research_study_id: researchStudyId, round: 1, attempt: 1 };
  const run = {
    run_id: 'run',
    cohort_id: cohortId,
    seed: null,
    engine: null,
    result: '{}',
    tensors: weights,
  };
  const times = { started_at: '2026-11-21', finished_at: '2026-11-21' };
  store.run(store.query.insertInto('training_run').values({ ...place, ...run, ...times, state: 'done' }));
  const report = { report: '{}', report_digest: '', envelope: new Uint8Array(), built_at: '2026-11-21' };
  const update = {
    ...place,
    ...report,
    update_id: 'update',
    run_id: 'run',
    payload: weights,
    state,
  };
  store.run(store.query.insertInto('model_update').values(update));
  store.run(
    store.query.insertInto('outbox').values({
      update_id: 'update',
      sealed_file: weights,
      sealed_at: '2026-11-21',
      attempt_count: attempts,
      received_at: state === 'received' ? '2026-11-21' : null,
    }),
  );
}

interface Trace {
  readonly name: string;
  readonly bytes: Buffer;
}

/** What there is of the patient: in pages as SQLite keeps it, and in what the links say. */
function traces(): Trace[] {
  const number = Buffer.alloc(8);
  number.writeDoubleBE(value);
  const uid = site.store.get(site.store.query.selectFrom('sop_instance').select('sop_instance_uid'));
  const key = site.store.get(site.store.query.selectFrom('sealed_object').select('object_key'));
  return [
    { name: 'value', bytes: number },
    {
      name: 'study pseudonym',
      bytes: Buffer.from(derivePseudonym(pseudonymKey, ['consilium-subject', subjectId])),
    },
    { name: 'image UID', bytes: Buffer.from(uid?.sop_instance_uid ?? '?') },
    { name: 'key of the image', bytes: Buffer.from(key?.object_key ?? [0]) },
    { name: 'intensities', bytes: intensities },
    { name: 'weights', bytes: weights },
  ];
}

/** Decrypted pages of a database file, those on the free list too. */
function pagesOf(file: string): Buffer {
  const connection = new Database(file);
  connection.pragma(`cipher = 'sqlcipher'`);
  connection.pragma('legacy = 4');
  connection.pragma(`key = "x'${Buffer.from(storeKey).toString('hex')}'"`);
  const pages = connection.serialize();
  connection.close();
  return pages;
}

const profileOf = ({ folder }: IngestSite): string => path.join(folder, 'profile');

/** A copy of the store's files, taken as a file backup does. */
function backUp(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'consilium-backup-'));
  for (const name of readdirSync(profileOf(site)).filter((one) => one.startsWith('site.db')))
    copyFileSync(path.join(profileOf(site), name), path.join(folder, name));
  return folder;
}

function search(found: readonly Trace[]): string[] {
  const live = pagesOf(path.join(profileOf(site), 'site.db'));
  const backup = backUp();
  const copied = pagesOf(path.join(backup, 'site.db'));
  rmSync(backup, { recursive: true });
  const hits = (pages: Buffer, where: string) =>
    found.filter(({ bytes }) => pages.includes(bytes)).map(({ name }) => `${name} ${where}`);
  return [...hits(live, 'in the store'), ...hits(copied, 'in a backup'), ...namesInLinks()];
}

/** Names, identifiers and birth dates that the site can still open. */
function namesInLinks(): string[] {
  const links = site.store.all(site.store.query.selectFrom('patient_link').selectAll());
  return links
    .map(({ link_key, sealed }) => JSON.stringify(openLink(siteKeys.linkageKey, link_key, sealed)))
    .filter((text) => /PLANTED|Plantagenet|1961/.test(text))
    .map(() => 'identity in a link');
}

describe('a withdrawal', () => {
  it('leaves nothing of the patient in pages, log, objects or later backups, all of which had it', async () => {
    addUpdate(freeze());
    const known = traces();
    const before = search(known);
    for (const { name } of known) {
      expect(before).toContain(`${name} in the store`);
      expect(before).toContain(`${name} in a backup`);
    }
    expect(before).toContain('identity in a link');
    await withdrawals.withdraw({ subjectId, researchStudyId: null }, steward);
    expect(search(known)).toEqual([]);
    expect(statSync(path.join(profileOf(site), 'site.db-wal')).size).toBe(0);
    expect(site.store.all(site.store.query.selectFrom('sop_instance').selectAll())).toEqual([]);
    const objects = openObjectStore({ store: site.store, profile: profileOf(site) });
    expect(() => objects.read(1)).toThrow(expect.objectContaining({ code: 'OBJECT_UNREADABLE' }));
    // The pixels were sealed under a key that is nowhere any more; no other file of the profile names the patient.
    expect(site.profileBytes().includes('PLANTED')).toBe(false);
    expect(site.auditLog.verify().verified).toBe(true);
  });

  it('empties what was sent and received too', async () => {
    const states = () =>
      site.store.get(site.store.query.selectFrom('model_update').select(['state', 'payload']));
    addUpdate(freeze(), 1, 'received');
    const weightsOnly = traces().filter(({ name }) => name === 'weights');
    await withdrawals.withdraw({ subjectId, researchStudyId: null }, steward);
    expect(search(weightsOnly)).toEqual([]);
    expect(states()).toEqual({ state: 'received', payload: new Uint8Array() });
  });

  it('waits for nobody who reads, and is out of the log when they have read', async () => {
    const known = traces();
    const file = path.join(profileOf(site), 'site.db');
    const reader = openStoreReader({ file, key: storeKey, clock: site.store.clock });
    // Open as long as its rows are read.
    const rows = reader.prepare('SELECT subject_id FROM subject').iterate();
    rows.next();
    const began = performance.now();
    await withdrawals.withdraw({ subjectId, researchStudyId: null }, steward);
    expect(performance.now() - began).toBeLessThan(4_000);
    const logBytes = () => statSync(`${file}-wal`).size;
    expect(logBytes()).toBeGreaterThan(0);
    rows.return?.();
    await withdrawals.finish();
    expect(logBytes()).toBe(0);
    reader.close();
    expect(search(known)).toEqual([]);
  });

  it('blocks a draft that was made with the patient, by name', async () => {
    addUpdate(freeze(), 0, 'draft');
    await withdrawals.withdraw({ subjectId, researchStudyId: null }, steward);
    expect(site.store.get(site.store.query.selectFrom('model_update').select('state'))?.state).toBe(
      'blocked',
    );
    const blocked = site.auditLog.list({ search: '', action: 'update-blocked', offset: 0, limit: 9 }).entries;
    expect(blocked).toMatchObject([{ reason: 'CONSENT_CHANGED', object: 'update:update', round: 1 }]);
  });

  it('is not lifted while facts are still to be erased: an import between would lose what it brought', async () => {
    const { store, subjects } = site;
    store.transaction(() => {
      consents.withdraw({ subjectId, researchStudyId: null }, steward);
      subjects.erase(subjectId);
    });
    withdrawals.grant({ subjectId, researchStudyId, untilDate: null }, steward);
    withdrawals.grant({ subjectId, researchStudyId: null, untilDate: null }, steward);
    expect(subjects.findSubject({ authority, identifier })?.isErased).toBe(1);
    await withdrawals.finish();
    expect(subjects.findSubject({ authority, identifier })?.isErased).toBe(0);
    const again = await site.importFiles({ 'table.csv': table() }, mapping);
    expect(again.files[0]).toMatchObject({ rows: { accepted: 1 } });
    await withdrawals.finish();
    const facts = store
      .prepare('SELECT count(*) AS count FROM subject_fact WHERE subject_id = ?')
      .get(subjectId);
    expect(facts).toEqual({ count: 1 });
  });

  it('leaves every other patient as they were', async () => {
    const factsOf = () =>
      site.store.prepare('SELECT * FROM subject_fact WHERE subject_id <> ?').all(subjectId);
    freeze();
    const before = [
      factsOf(),
      frozenCohorts(site.store)[0]?.members.filter((one) => one.subjectId !== subjectId),
    ];
    await withdrawals.withdraw({ subjectId, researchStudyId: null }, steward);
    expect([factsOf(), frozenCohorts(site.store)[0]?.members]).toEqual(before);
    expect(readPreview(source, plan).selection.subjectCount).toBe(41);
  });

  it('keeps in which rounds the patient was, and whether anything of them left (C11)', async () => {
    addUpdate(freeze(), 1);
    expect(listSubjectRounds(site.store, subjectId)).toMatchObject([
      { departure: 'possible', erasedAt: null },
    ]);
    await withdrawals.withdraw({ subjectId, researchStudyId: null }, steward);
    const round = { researchStudyId, round: 1, departure: 'possible' };
    expect(listSubjectRounds(site.store, subjectId)).toMatchObject([
      { ...round, erasedAt: expect.any(String) },
    ]);
    const cohort = site.store.get(site.store.query.selectFrom('cohort').selectAll());
    expect((cohort?.erased_training ?? 0) + (cohort?.erased_holdout ?? 0)).toBe(1);
    // It may have arrived: with the same bytes the site asks for its receipt.
    const outbox = site.store.get(site.store.query.selectFrom('outbox').select('sealed_file'));
    expect(outbox?.sealed_file).toEqual(new Uint8Array(weights));
  });

  it('from one research study leaves what another consent permits', async () => {
    addConsent(site.store, subjectId, { consentId: 'general', researchStudyId: null });
    freeze();
    await withdrawals.withdraw({ subjectId, researchStudyId }, steward);
    const members = frozenCohorts(site.store)[0]?.members ?? [];
    expect(members.some((one) => one.subjectId === subjectId)).toBe(false);
    expect(
      site.store.prepare('SELECT count(*) AS count FROM subject_fact WHERE subject_id = ?').get(subjectId),
    ).toEqual({ count: 1 });
    expect(namesInLinks().length).toBeGreaterThan(0);
  });

  it('keeps the patient out of later imports, by name, until they consent again', async () => {
    await withdrawals.withdraw({ subjectId, researchStudyId: null }, steward);
    const again = await site.importFiles(
      { 'table.csv': table(['P-new,New Person,1970-01-01,2026-01-05,300']) },
      mapping,
    );
    expect(again.files[0]).toMatchObject({
      outcome: 'accepted',
      code: 'PATIENT_WITHDRAWN',
      rows: { rejected: 1 },
    });
    const image = await site.importFiles({ 'PLANTED.dcm': sliceFile({ patient: identifier, instance: 2 }) });
    expect(image.files[0]).toMatchObject({ outcome: 'rejected', code: 'PATIENT_WITHDRAWN' });
    expect(search(traces().slice(0, 1))).toEqual([]);
    withdrawals.grant({ subjectId, researchStudyId, untilDate: null }, steward);
    withdrawals.grant({ subjectId, researchStudyId: null, untilDate: null }, steward);
    const renewed = await site.importFiles({ 'table.csv': table() }, mapping);
    expect(renewed.files[0]).toMatchObject({ rows: { accepted: 1, rejected: 0 } });
    expect(namesInLinks()).toHaveLength(1);
    expect(
      site.store.prepare('SELECT count(*) AS count FROM subject_fact WHERE subject_id = ?').get(subjectId),
    ).toEqual({ count: 1 });
  });

  it('is lifted as soon as a consent permits again, also one that came with an import', async () => {
    await withdrawals.withdraw({ subjectId, researchStudyId: null }, steward);
    // Whatever made the rules permit again: they are asked, not how they came to it.
    site.store.run(
      site.store.query
        .deleteFrom('consent')
        .where('subject_id', '=', subjectId)
        .where('decision', '=', 'deny'),
    );
    expect(site.subjects.findSubject({ authority, identifier })?.isErased).toBe(1);
    await withdrawals.finish();
    expect(site.subjects.findSubject({ authority, identifier })?.isErased).toBe(0);
  });

  it('reaches whoever turns out to be the same person (C8)', async () => {
    const other = 'P-3';
    const { store, subjects } = site;
    const otherId = subjects.findSubject({ authority, identifier: other })?.subjectId ?? '';
    await withdrawals.withdraw({ subjectId, researchStudyId: null }, steward);
    store.transaction(() =>
      subjects.mergePatients({ authority, identifier: other }, { authority, identifier }),
    );
    await withdrawals.finish();
    expect(
      store.prepare('SELECT count(*) AS count FROM subject_fact WHERE subject_id = ?').get(otherId),
    ).toEqual({
      count: 0,
    });
    expect(consents.permitsAnything(otherId)).toBe(false);
    expect(subjects.findSubject({ authority, identifier: other })?.isErased).toBe(1);
  });

  it('reaches whoever an import joins while facts are erased, with images, names and who was joined before', async () => {
    const { store, subjects, ingest } = site;
    const key = (name: string) => ({ authority, identifier: name });
    const numberOf = (name: string) => subjects.findSubject(key(name))?.subjectNo ?? 0;
    const older = numberOf('P-4');
    store.transaction(() => subjects.mergePatients(key('P-3'), key('P-4')));
    const other = numberOf('P-3');
    expect((await site.importFiles({ 'P-3.dcm': sliceFile({ patient: 'P-3', instance: 3 }) })).accepted).toBe(
      1,
    );
    // As its HL7 message does, while the facts of the one who withdrew are being erased.
    let isJoined = false;
    const interrupted = {
      erasePendingFacts: () => {
        const erasing = ingest.erasePendingFacts();
        if (!isJoined) store.transaction(() => subjects.mergePatients(key('P-3'), key(identifier)));
        isJoined = true;
        return erasing;
      },
    };
    const { linkageKey } = siteKeys;
    const stages = { store, auditLog: site.auditLog, consents, subjects, ingest: interrupted, linkageKey };
    await openWithdrawals(stages).withdraw({ subjectId, researchStudyId: null }, steward);
    const factsOf = (subjectNo: number) =>
      store.prepareColumn('SELECT count(*) FROM fact WHERE subject_no = ?').get(subjectNo);
    expect([factsOf(other), factsOf(older)]).toEqual([0, 0]);
    expect(store.all(store.query.selectFrom('sop_instance').selectAll())).toEqual([]);
    const links = store.all(store.query.selectFrom('patient_link').selectAll());
    const named = links.map(({ link_key, sealed }) => openLink(linkageKey, link_key, sealed)?.identifier);
    expect(named).not.toContain('P-3');
    expect(named).not.toContain('P-4');
    expect(named).toContain('P-5');
    expect(store.prepareColumn('SELECT count(*) FROM subject WHERE erasure_pending = 1').get()).toBe(0);
  });

  it('that was cut off goes on where it stopped', async () => {
    const { store, subjects } = site;
    // As after a crash behind the first transaction: marked, facts still there.
    store.transaction(() => {
      consents.withdraw({ subjectId, researchStudyId: null }, steward);
      subjects.erase(subjectId);
    });
    expect(search(traces().slice(0, 1))).not.toEqual([]);
    await withdrawals.finish();
    expect(search(traces().slice(0, 1))).toEqual([]);
    expect(store.all(store.query.selectFrom('sop_instance').selectAll())).toEqual([]);
  });
});
