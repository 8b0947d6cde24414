import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSubjectRegistry, type SubjectRegistry } from '#site/deidentify/index.ts';
import { decisionsBySubject } from '#support/decisions-by-subject.ts';
import { openIngestSite, siteKeys } from '#support/ingest-site.ts';
import { createSiteFoundation, type SiteFoundation } from '#support/site-foundation.ts';
import { addConsent } from '#support/stored-subjects.ts';
import { type Consents, openConsents } from './index.ts';

const steward = { name: 'Sam Steward', role: 'steward' } as const;
const keys = { subjectKey: new Uint8Array(32).fill(1), linkageKey: new Uint8Array(32).fill(2) };
const authority = 'https://fhir.nhs.uk/Id/nhs-number';
const patient = (identifier: string, otherIdentifiers: { authority: string; identifier: string }[]) => ({
  key: { authority: 'ward', identifier },
  aliases: [],
  otherIdentifiers,
  name: null,
  birthDate: null,
  sex: null,
});

let folder: string;
let site: SiteFoundation;
let registry: SubjectRegistry;
let consents: Consents;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'consilium-opt-outs-'));
  site = createSiteFoundation('opt-outs');
  registry = openSubjectRegistry({ store: site.store, keys });
  consents = openConsents({
    store: site.store,
    auditLog: site.auditLog,
    days: registry,
    linkageKey: keys.linkageKey,
  });
});
afterEach(() => {
  site.close();
  rmSync(folder, { recursive: true });
});

/** A patient who consented, with an NHS number beside the ward's own. */
function admit(identifier: string, nhsNumber: string): string {
  const { subject } = registry.recordPatient(patient(identifier, [{ authority, identifier: nhsNumber }]));
  addConsent(site.store, subject.subjectId);
  return subject.subjectId;
}

function importList(text: string, changes: { column?: string; statedDate?: string } = {}) {
  const file = path.join(folder, 'list.csv');
  writeFileSync(file, text);
  const { column = null, statedDate = '2026-11-20' } = changes;
  return consents.importOptOuts({ path: file, authority, column, statedDate }, steward);
}

const ruleOf = (subjectId: string) =>
  decisionsBySubject(site.store, consents.decisions('heart')).get(subjectId)?.rule;

describe('an opt-out list', () => {
  it('excludes whoever is on it although they consented, and nobody else', async () => {
    const [out, stays] = [admit('1', '943 476 5919'), admit('2', '9434765870')];
    expect(ruleOf(out)).toBe('permit');
    expect(await importList('9434765919\n4010232137\n')).toEqual({
      authority,
      entryCount: 2,
      matchedCount: 1,
    });
    expect([ruleOf(out), ruleOf(stays)]).toEqual(['opted-out', 'permit']);
    expect(decisionsBySubject(site.store, consents.decisions('heart')).get(out)).toMatchObject({
      decision: 'deny',
      data: { clinical: [], imaging: [] },
    });
    expect(site.events()).toContain('opt-outs-imported success');
  });

  it('is applied after a grant: the answer to the grant says so', async () => {
    const out = admit('1', '9434765919');
    await importList('9434765919\n');
    const row = consents.grant({ subjectId: out, researchStudyId: 'heart', untilDate: null }, steward);
    expect(row).toMatchObject({ decision: 'deny', rule: 'opted-out' });
  });

  it('excludes a person by a record that is merged into theirs, before or after the list came', async () => {
    const [survivor, retired] = [admit('1', '9434765870'), admit('2', '9434765919')];
    await importList('9434765919\n');
    registry.mergePatients({ authority: 'ward', identifier: '1' }, { authority: 'ward', identifier: '2' });
    expect(ruleOf(survivor)).toBe('opted-out');
    expect(ruleOf(retired)).toBeUndefined();
  });

  it('excludes a patient who comes after it', async () => {
    await importList('9434765919\n');
    expect(ruleOf(admit('1', '9434765919'))).toBe('opted-out');
  });

  it('is held against the number by which imports recognise a patient too', async () => {
    const out = admit('1', '9434765919');
    const file = path.join(folder, 'ward.csv');
    writeFileSync(file, '1\n');
    const list = { path: file, authority: 'ward', column: null, statedDate: '2026-11-20' };
    expect(await consents.importOptOuts(list, steward)).toMatchObject({ matchedCount: 1 });
    expect(ruleOf(out)).toBe('opted-out');
  });

  it('replaces the last one of its authority as a whole', async () => {
    const [first, second] = [admit('1', '9434765919'), admit('2', '9434765870')];
    await importList('9434765919\n');
    await importList('9434765870\n', { statedDate: '2026-11-21' });
    expect([ruleOf(first), ruleOf(second)]).toEqual(['permit', 'opted-out']);
  });

  it('is read by the column that is named, behind a byte order mark and with quoted cells', async () => {
    const out = admit('1', '9434765919');
    await importList('\uFEFFregion,number\n"north, 1","9434765919"\n', { column: 'number' });
    expect(ruleOf(out)).toBe('opted-out');
  });

  it('keeps no identifier', async () => {
    await importList('9434765919\n');
    const rows = site.store.prepare('SELECT hex(link_key) AS hex FROM opt_out').all();
    expect(JSON.stringify(rows)).not.toContain(Buffer.from('9434765919').toString('hex').toUpperCase());
    expect(rows).toEqual([{ hex: expect.stringMatching(/^[0-9A-F]{64}$/) }]);
  });

  it.each<[string, string, { column?: string; statedDate?: string }, string]>([
    ['without an entry', '', {}, 'OPT_OUT_LIST_EMPTY'],
    ['with a header alone', 'number\n', { column: 'number' }, 'OPT_OUT_LIST_EMPTY'],
    ['without the column', 'nhs\n1\n', { column: 'number' }, 'OPT_OUT_COLUMN_UNKNOWN'],
    ['with a row that has no identifier', '1\n" "\n', {}, 'OPT_OUT_LIST_UNREADABLE'],
    ['that breaks off within a quote', '1\n"2', {}, 'OPT_OUT_LIST_UNREADABLE'],
    ['with a row of another length', '1,2\n3\n', {}, 'OPT_OUT_LIST_UNREADABLE'],
    ['with a row that never ends', `"${'1'.repeat(200_000)}`, {}, 'OPT_OUT_LIST_UNREADABLE'],
    ['of tomorrow', '1\n', { statedDate: '2026-11-22' }, 'OPT_OUT_DAY_INVALID'],
    ['that is older than the one that is here', '1\n', { statedDate: '2026-11-19' }, 'OPT_OUT_DAY_INVALID'],
  ])('%s is refused, and the one before it stays', async (_, text, changes, code) => {
    const out = admit('1', '9434765919');
    await importList('9434765919\n');
    await expect(importList(text, changes)).rejects.toMatchObject({ code });
    expect(ruleOf(out)).toBe('opted-out');
  });

  it('that is not there is refused', async () => {
    const list = { path: path.join(folder, 'none.csv'), authority, column: null, statedDate: '2026-11-20' };
    await expect(consents.importOptOuts(list, steward)).rejects.toMatchObject({
      code: 'OPT_OUT_LIST_UNREADABLE',
    });
  });

  it('never lets anybody in, whatever it names (C15)', async () => {
    const numbers = Array.from({ length: 40 }, (_, index) => `nhs-${index}`);
    const subjects = new Map(numbers.map((number, index) => [number, admit(`${index}`, number)]));
    const permitted = () => numbers.filter((number) => ruleOf(subjects.get(number) ?? '') === 'permit');
    const consented = permitted();
    // The others' consents are of a day that the date offset moves behind today.
    expect(consented.length).toBeGreaterThan(20);
    for (let round = 1; round <= 8; round += 1) {
      const listed = Array.from({ length: 4 * round }, (_, index) => `nhs-${(index * 7 * round) % 44}`);
      await importList(`${listed.join('\n')}\n`);
      expect(permitted()).toEqual(consented.filter((number) => !listed.includes(number)));
    }
  });
});

describe('a list that a plan requires', () => {
  const required = [{ authority, maxAgeDays: 7 }];

  it('is stale while it is missing, and when it is older than the plan allows', async () => {
    expect(consents.staleOptOutLists(required)).toEqual([authority]);
    await importList('1\n', { statedDate: '2026-11-14' });
    expect(consents.staleOptOutLists(required)).toEqual([]);
    site.clock.advance(86_400_000);
    expect(consents.staleOptOutLists(required)).toEqual([authority]);
    expect(consents.staleOptOutLists([])).toEqual([]);
  });
});

describe('a number that an export states beside the one a patient is recognised by', () => {
  const national = 'urn:oid:2.16.840.1.113883.2.1.4.1';
  const fhirPatient = {
    resourceType: 'Patient',
    id: 'p1',
    identifier: [
      { system: 'https://ward.example/mrn', value: '77', type: { coding: [{ code: 'MR' }] } },
      { system: national, value: '943 476 5919', use: 'old' },
    ],
  };
  const document = `<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="9.9" extension="d1"/><recordTarget><patientRole><id root="1.2.3.4" extension="77"/><id root="2.16.840.1.113883.2.1.4.1" extension="9434765919"/></patientRole></recordTarget><component><structuredBody/></component></ClinicalDocument>`;
  const message =
    'MSH|^~\\&|LAB|HOSP|SITE|SITE|20200304||ADT^A08|1|P|2.5.1\rPID|1||77^^^WARD^MR~9434765919^^^&2.16.840.1.113883.2.1.4.1&ISO^NH||Byron^Ada\r';

  it.each([
    ['FHIR', { 'patient.json': JSON.stringify(fhirPatient) }],
    ['HL7 v2', { 'message.hl7': message }],
    ['C-CDA', { 'document.xml': document }],
  ])('excludes: %s', async (_, files) => {
    const ingested = openIngestSite();
    const { files: outcomes } = await ingested.importFiles(files);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['accepted']);
    const all = openConsents({
      store: ingested.store,
      auditLog: ingested.auditLog,
      days: openSubjectRegistry({ store: ingested.store, keys: siteKeys }),
      linkageKey: siteKeys.linkageKey,
    });
    const file = path.join(folder, 'list.csv');
    writeFileSync(file, '9434765919\n');
    const list = { path: file, authority: national, column: null, statedDate: '2026-11-20' };
    expect(await all.importOptOuts(list, steward)).toMatchObject({ matchedCount: 1 });
    expect(
      [...decisionsBySubject(ingested.store, all.decisions('heart')).values()].map(({ rule }) => rule),
    ).toEqual(['opted-out']);
    ingested.close();
  });
});
