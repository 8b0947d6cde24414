import { afterEach, describe, expect, it } from 'vitest';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import { ConsentDecisions, openConsents } from '#site/consent/index.ts';
import { type IngestSite, openIngestSite, siteKeys } from '#support/ingest-site.ts';
import { createSiteFoundation } from '#support/site-foundation.ts';
import { addSubject, agesOf, createTestPlan, plainDays } from '#support/stored-subjects.ts';
import { readCohortSubjects } from './cohort-subjects.ts';
import { readPreview } from './index.ts';

let site: IngestSite | undefined;
afterEach(async () => {
  await site?.close();
  site = undefined;
});

type Files = Readonly<Record<string, string>>;

const fhirPatient = (change: object, id = 'p1') => ({
  resourceType: 'Patient',
  id,
  identifier: [{ system: 'urn:oid:1.2.3.4', value: id }],
  ...change,
});
const fhir = (change: object, id?: string): Files => ({
  'patient.ndjson': `${JSON.stringify(fhirPatient(change, id))}\n`,
});
const replaced = fhir({ link: [{ type: 'replaced-by', other: { reference: 'Patient/p1' } }] }, 'p2');

const hl7v2 = (time: string, indicator: string, id = 'p1'): Files => ({
  'message.hl7': [
    'MSH|^~\\&|LAB|HOSP|SITE|SITE|20200304101500||ADT^A08|m1|P|2.5.1',
    `PID|1||${id}^^^WARD&1.2.3.4&ISO^MR||Byron^Ada||19500501|F${'|'.repeat(21)}${time}|${indicator}`,
  ].join('\r'),
});

const ccda = (elements: string): Files => ({
  'document.xml': `<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:sdtc="urn:hl7-org:sdtc"><id root="9.9" extension="d1"/>
<recordTarget><patientRole><id root="1.2.3.4" extension="p1"/><patient><name><given>Ada</given></name>${elements}</patient></patientRole></recordTarget>
<component><structuredBody></structuredBody></component></ClinicalDocument>`,
});

const omop: Files = {
  'person.csv': 'person_id,gender_concept_id,year_of_birth,person_source_value\n7,8532,1950,p1\n',
  'death.csv': 'person_id,death_date,death_datetime,death_type_concept_id\n7,2020-01-02,,1\n',
};

const syntheaColumns = 'Id,BIRTHDATE,DEATHDATE,SSN,DRIVERS,PASSPORT,PREFIX,FIRST,LAST,GENDER';
const synthea = (died: string): Files => ({
  'patients.csv': `${syntheaColumns}\np1,1950-05-01,${died},,,,,Ada,Byron,F\n`,
});

/** A hospital's own table, with a column that says yes or no. */
const ownMapping = JSON.stringify({
  consilium: 'csv-mapping/1',
  patient: { identifier: 'number', authority: 'urn:oid:1.2.3.4', name: null, birthDate: null, sex: null },
  indexDate: 'visit',
  record: null,
  missing: [],
  facts: [
    {
      kind: 'boolean',
      column: 'dead',
      code: { system: 'http://snomed.info/sct', code: '419099009' },
      values: { yes: true, no: false },
    },
  ],
  consent: null,
});
const ownTable = (dead: string): Files => ({ 'rows.csv': `number,visit,dead\np1,2020-01-02,${dead}\n` });

/** For each subject that stands, whether it has died. */
async function deceasedAfter(...imports: readonly Files[]): Promise<boolean[]> {
  site ??= openIngestSite({ inMemory: true });
  for (const files of imports) {
    const { files: taken } = await site.importFiles(files, 'rows.csv' in files ? ownMapping : null);
    expect(taken.map(({ code }) => code)).toEqual(taken.map(() => null));
  }
  const { subjectIdOf, deceased } = readCohortSubjects(site.store, new ConsentDecisions(0));
  return [...deceased].flatMap((died, subjectNo) =>
    subjectIdOf(subjectNo) === undefined ? [] : [died === 1],
  );
}

describe('a subject has died', () => {
  it.each<[string, Files, boolean]>([
    ['FHIR: deceasedBoolean true', fhir({ deceasedBoolean: true }), true],
    ['FHIR: deceasedDateTime', fhir({ deceasedDateTime: '2020-01-02' }), true],
    ['FHIR: deceasedBoolean false', fhir({ deceasedBoolean: false }), false],
    ['FHIR: neither', fhir({}), false],
    ['HL7 v2: PID-30 Y', hl7v2('', 'Y'), true],
    ['HL7 v2: PID-29', hl7v2('20200102', ''), true],
    ['HL7 v2: PID-30 N', hl7v2('', 'N'), false],
    ['HL7 v2: PID-30 U', hl7v2('', 'U'), false],
    ['HL7 v2: neither', hl7v2('', ''), false],
    ['C-CDA: deceasedInd true', ccda('<sdtc:deceasedInd value="true"/>'), true],
    ['C-CDA: deceasedTime', ccda('<sdtc:deceasedTime value="20200102"/>'), true],
    ['C-CDA: deceasedInd false', ccda('<sdtc:deceasedInd value="false"/>'), false],
    ['C-CDA: an unknown deceasedInd', ccda('<sdtc:deceasedInd nullFlavor="UNK"/>'), false],
    ['C-CDA: neither', ccda(''), false],
    ['OMOP: the death table', omop, true],
    ['OMOP: a person only', { 'person.csv': omop['person.csv'] ?? '' }, false],
    ['Synthea CSV: DEATHDATE', synthea('2020-01-02'), true],
    ['Synthea CSV: no DEATHDATE', synthea(''), false],
    ['a table of one’s own: yes', ownTable('yes'), true],
    ['a table of one’s own: no', ownTable('no'), false],
    ['a table of one’s own: nothing', ownTable(''), false],
  ])('by %s', async (_, files, isDeceased) => {
    expect(await deceasedAfter(files)).toEqual([isDeceased]);
  });

  it.each<[string, Files, Files, boolean]>([
    ['FHIR says false', fhir({ deceasedBoolean: true }), fhir({ deceasedBoolean: false }), false],
    ['FHIR no longer says it', fhir({ deceasedDateTime: '2020-01-02' }), fhir({}), false],
    ['HL7 v2 says N', hl7v2('20200102', 'Y'), hl7v2('', 'N'), false],
    ['HL7 v2 empties the field', hl7v2('20200102', ''), hl7v2('""', ''), false],
    ['a message does not say it', hl7v2('', 'Y'), hl7v2('', ''), true],
    [
      'C-CDA says false',
      ccda('<sdtc:deceasedInd value="true"/>'),
      ccda('<sdtc:deceasedInd value="false"/>'),
      false,
    ],
    ['a document does not say it', ccda('<sdtc:deceasedInd value="true"/>'), ccda(''), true],
    ['the table no longer has a date', synthea('2020-01-02'), synthea(''), false],
    ['another format says false', hl7v2('', 'Y'), fhir({ deceasedBoolean: false }), false],
    ['another format does not say it', hl7v2('', 'Y'), fhir({}), true],
  ])('until it is corrected: %s', async (_, before, after, isDeceased) => {
    expect(await deceasedAfter(before)).toEqual([true]);
    expect(await deceasedAfter(after)).toEqual([isDeceased]);
    const facts = site?.store.prepare('SELECT count(*) AS count FROM fact').get() as { count: number };
    if (!isDeceased) expect(facts.count).toBe(0);
  });

  it('with every identity that turns out to be the same person', async () => {
    expect(await deceasedAfter(fhir({}), fhir({ deceasedBoolean: true }, 'p2'))).toEqual([false, true]);
    expect(await deceasedAfter(replaced)).toEqual([true]);
  });

  it('also where the death was told of the one that stays, or of the other after the merge', async () => {
    expect(await deceasedAfter(fhir({ deceasedBoolean: true }), fhir({}, 'p2'), replaced)).toEqual([true]);
    expect(await deceasedAfter(fhir({ deceasedBoolean: false }), hl7v2('', 'Y', 'p2'))).toEqual([true]);
  });

  it('until it is corrected for any of the identities that are one person', async () => {
    expect(await deceasedAfter(fhir({}), hl7v2('', 'Y', 'p2'), replaced)).toEqual([true]);
    expect(await deceasedAfter(fhir({ deceasedBoolean: false }))).toEqual([false]);
  });

  it('also where the death comes before the person', async () => {
    const { 'person.csv': person = '', 'death.csv': death = '' } = omop;
    expect(await deceasedAfter({ 'death.csv': death }, { 'person.csv': person })).toEqual([true]);
  });

  it('and that is forgotten with a withdrawal, and not taken in again', async () => {
    await deceasedAfter(fhir({ deceasedBoolean: true }));
    const subject = site?.subjects.findSubject({ authority: 'urn:oid:1.2.3.4', identifier: 'p1' });
    site?.subjects.erase(subject?.subjectId ?? '');
    expect(await deceasedAfter()).toEqual([false]);
    await site?.importFiles(hl7v2('', 'Y'));
    expect(await deceasedAfter()).toEqual([false]);
  });
});

describe('who has died', () => {
  const plan = createTestPlan();
  const surviving = (includesDeceased: boolean): ResearchStudyPlan =>
    createTestPlan({ dataElements: { ...plan.dataElements, includesDeceased } });

  function previewOf(researchPlan: ResearchStudyPlan, consent: null | object = {}) {
    const foundation = createSiteFoundation('deceased');
    const { store, auditLog, people } = foundation;
    for (let at = 0; at < 6; at += 1) addSubject(store, `alive${at}`);
    for (let at = 0; at < 7; at += 1) addSubject(store, `dead${at}`, { consent });
    store.prepare(`UPDATE subject SET deceased_by = 'fhir' WHERE subject_id LIKE 'dead%'`).run();
    const consents = openConsents({ store, auditLog, days: plainDays, linkageKey: siteKeys.linkageKey });
    const source = { store, consents, ages: agesOf(store), pseudonymKey: people.researchStudyKey };
    const { selection } = readPreview(source, researchPlan);
    foundation.close();
    return selection;
  }

  it('is out, for that reason', () => {
    const out = { trainingCount: 6, excluded: [{ reason: 'deceased', count: 7 }] };
    expect(previewOf(plan)).toMatchObject(out);
    expect(previewOf(surviving(false))).toMatchObject(out);
  });

  it('is in where the plan says so', () => {
    expect(previewOf(surviving(true))).toMatchObject({ trainingCount: 13, excluded: [] });
  });

  it('is out for want of a consent first', () => {
    expect(previewOf(plan, null)).toMatchObject({ excluded: [{ reason: 'no-consent', count: 7 }] });
    expect(previewOf(surviving(true), null)).toMatchObject({
      excluded: [{ reason: 'no-consent', count: 7 }],
    });
  });
});
