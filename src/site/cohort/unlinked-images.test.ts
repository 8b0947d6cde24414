import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import { openConsents } from '#site/consent/index.ts';
import { element } from '#support/dicom-object.ts';
import { ndjson } from '#support/fhir-resources.ts';
import { sliceFile, sliceWithout } from '#support/image-files.ts';
import { type IngestSite, openIngestSite, siteKeys } from '#support/ingest-site.ts';
import { addConsent, createTestPlan, plainDays } from '#support/stored-subjects.ts';
import { readPreview } from './index.ts';

const plan = createTestPlan();
const imagePlan = createTestPlan({
  dataElements: {
    ...plan.dataElements,
    indexEvent: { kind: 'imaging-study', modality: 'MR', which: 'first' },
  },
});

/** As many as are shown, not withheld. */
const numbers = ['1', '2', '3', '4', '5', '6'];

let site: IngestSite;
beforeEach(async () => {
  site = openIngestSite({ inMemory: true });
  await takeImages('A');
});
afterEach(() => site.close());

/** One image of each of six patients. */
async function takeImages(prefix: string, instance = 1): Promise<void> {
  const files = numbers.map(
    (number, at) =>
      [`${prefix}${number}.dcm`, sliceFile({ patient: `${prefix}${number}`, series: at, instance })] as const,
  );
  expect(await site.importFiles(Object.fromEntries(files))).toMatchObject({ accepted: numbers.length });
}

/** FHIR resources about the patients whom the images name, or another authority's patients of the same numbers. */
const fhirPatients = (prefix: string, system = 'dicom') =>
  numbers.map((number) => ({
    resourceType: 'Patient',
    id: `${prefix}${number}`,
    identifier: [{ system, value: `${prefix}${number}` }],
  }));

function excluded(asked: ResearchStudyPlan = imagePlan): string[] {
  const { store, auditLog, subjects } = site;
  const consents = openConsents({ store, auditLog, days: plainDays, linkageKey: siteKeys.linkageKey });
  const pseudonymKey = () => new Uint8Array(32).fill(7);
  const { selection } = readPreview({ store, consents, ages: subjects, pseudonymKey }, asked);
  return selection.excluded.map(({ reason, count }) => `${reason} ${count}`);
}

describe('images whose patient no record names', () => {
  it('are counted by themselves, whatever the plan asks first', () => {
    expect(excluded()).toEqual(['unlinked-images 6']);
    expect(excluded(plan)).toEqual(['unlinked-images 6']);
  });

  it('stay so when the records are of another authority’s patients', async () => {
    await site.importFiles({ 'patients.ndjson': ndjson(...fhirPatients('A', 'urn:ward')) });
    expect(excluded()).toEqual(['unlinked-images 6', 'no-index-event 6']);
  });

  it('are linked by a record that comes later, and stay so when more images come', async () => {
    await site.importFiles({ 'patients.ndjson': ndjson(...fhirPatients('A')) });
    expect(excluded()).toEqual(['no-consent 6']);
    await takeImages('A', 2);
    expect(excluded()).toEqual(['no-consent 6']);
  });

  it('are linked by a record that came before', async () => {
    await site.importFiles({ 'patients.ndjson': ndjson(...fhirPatients('B')) });
    await takeImages('B');
    expect(excluded()).toEqual(['unlinked-images 6', 'no-consent 6']);
  });

  it('are linked by a record that only names the patient', async () => {
    const condition = (number: string) => ({
      resourceType: 'Condition',
      id: `c${number}`,
      code: { coding: [{ system: 'http://snomed.info/sct', code: '44054006' }] },
      subject: { identifier: { system: 'dicom', value: `A${number}` } },
      onsetDateTime: '2019-01-01',
    });
    await site.importFiles({ 'conditions.ndjson': ndjson(...numbers.map(condition)) });
    expect(excluded()).toEqual(['no-consent 6']);
  });

  it('are linked by a merge with a patient whom a record names', async () => {
    await site.importFiles({ 'patients.ndjson': ndjson(...fhirPatients('A', 'urn:ward')) });
    site.store.transaction(() => {
      for (const number of numbers) {
        const [survivor, retired] = ['dicom', 'urn:ward'].map((authority) =>
          site.subjects.findSubject({ authority, identifier: `A${number}` }),
        );
        site.store
          .prepare('UPDATE subject SET survivor_no = ? WHERE subject_no = ?')
          .run(survivor?.subjectNo, retired?.subjectNo);
      }
    });
    expect(excluded()).toEqual(['no-consent 6']);
  });

  it('have a reason of consent where there is one', () => {
    const ids = site.store.prepareColumn('SELECT subject_id FROM subject').all() as string[];
    for (const subjectId of ids) addConsent(site.store, subjectId, { decision: 'deny' });
    expect(excluded()).toEqual(['consent-denied 6']);
  });
});

it('images that state no patient wait in quarantine, counted with their reason, and make nobody known', async () => {
  const summary = await site.importFiles({
    'without.dcm': sliceWithout({}, 0x00100020),
    'empty.dcm': sliceFile({}, element(0x00100020, '  ')),
  });
  expect(summary).toMatchObject({ accepted: 0, quarantined: 2 });
  const { total, entries } = site.ingest.quarantine.list({ offset: 0, limit: 10 });
  expect(total).toBe(2);
  expect(entries.map(({ code, field }) => `${code} ${field}`)).toEqual([
    'DICOM_NO_PATIENT_ID PatientID',
    'DICOM_NO_PATIENT_ID PatientID',
  ]);
  const events = site.auditLog.list({ search: '', action: 'file-quarantined', offset: 0, limit: 10 }).entries;
  expect(events.map(({ reason }) => reason)).toEqual(['DICOM_NO_PATIENT_ID', 'DICOM_NO_PATIENT_ID']);
  expect(excluded()).toEqual(['unlinked-images 6']);
});
