import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ndjson } from '#support/fhir-resources.ts';
import { type IngestSite, openIngestSite } from '#support/ingest-site.ts';

let site: IngestSite;
beforeEach(() => {
  site = openIngestSite({ inMemory: true });
});
afterEach(() => site.close());

const loinc = (code: string) => ({ coding: [{ system: 'http://loinc.org', code }] });
const snomed = (code: string) => ({ coding: [{ system: 'http://snomed.info/sct', code }] });
const quantity = { value: 120, system: 'http://unitsofmeasure.org', code: 'mm[Hg]' };
const patient = (id: string, change: object = {}) => ({
  ...{ resourceType: 'Patient', id, birthDate: '1950-01-01' },
  identifier: [{ system: 'https://hospital.example/number', value: id }],
  ...change,
});
const of = (id: string) => ({ subject: { reference: `Patient/${id}` } });
const observation = {
  ...{ resourceType: 'Observation', id: 'o1', status: 'final', code: loinc('8480-6') },
  ...{ effectiveDateTime: '2020-01-02', valueQuantity: quantity, ...of('p1') },
};
const condition = {
  ...{
    resourceType: 'Condition',
    id: 'c1',
    code: snomed('44054006'),
    onsetDateTime: '2019-01-01',
    ...of('p1'),
  },
};

/** Codes and numbers of all facts. */
function facts(): string[] {
  const rows = site.store
    .prepare('SELECT code, number FROM fact JOIN concept USING (concept_id) ORDER BY code, number')
    .all() as { code: string; number: number | null }[];
  return rows.map(({ code, number }) => (number === null ? code : `${code} ${number}`));
}

async function rowsOf(content: string): Promise<object | undefined> {
  const { files } = await site.importFiles({ 'export.ndjson': content });
  return files[0]?.rows;
}
const none = { accepted: 0, duplicate: 0, rejected: 0, notNeeded: 0 };

describe('a later FHIR export', () => {
  beforeEach(async () => {
    await site.importFiles({ 'first.ndjson': ndjson(patient('p1'), observation, condition) });
    expect(facts()).toEqual(['44054006', '8480-6 120']);
  });

  it.each<[string, object, string[]]>([
    [
      'another value',
      { ...observation, valueQuantity: { ...quantity, value: 125 } },
      ['44054006', '8480-6 125'],
    ],
    [
      'a reason for no value',
      { ...observation, valueQuantity: undefined, dataAbsentReason: snomed('1') },
      ['44054006'],
    ],
    ['that it was an error', { ...observation, status: 'entered-in-error' }, ['44054006']],
    [
      'that it is refuted',
      { ...condition, verificationStatus: { coding: [{ code: 'refuted' }] } },
      ['8480-6 120'],
    ],
    ['another code', { ...condition, code: snomed('73211009') }, ['73211009', '8480-6 120']],
  ])('that states %s changes the fact, once', async (_, resource, expected) => {
    expect(await rowsOf(ndjson(resource))).toEqual({ ...none, accepted: 1 });
    expect(facts()).toEqual(expected);
    await rowsOf(ndjson(resource));
    expect(facts()).toEqual(expected);
  });

  it('deletes what its bundle of deletions names, as Bulk Data does', async () => {
    const entry = ['Observation/o1', 'Observation/other', 'Claim/k1'].map((url) => ({
      request: { method: 'DELETE', url },
    }));
    const deleted = ndjson({ resourceType: 'Bundle', type: 'transaction', entry });
    expect(await rowsOf(deleted)).toEqual({ ...none, accepted: 1, duplicate: 1, notNeeded: 1 });
    expect(facts()).toEqual(['44054006']);
  });

  it('takes a death back that it no longer states', async () => {
    await rowsOf(ndjson(patient('p1', { deceasedDateTime: '2020-05-06' })));
    expect(facts()).toContain('419099009');
    await rowsOf(ndjson(patient('p1')));
    expect(facts()).not.toContain('419099009');
  });

  it('merges a patient into the one that replaces them', async () => {
    await rowsOf(ndjson(patient('p2'), { ...condition, id: 'c2', code: snomed('38341003'), ...of('p2') }));
    const link = [{ type: 'replaced-by', other: { reference: 'Patient/p1' } }];
    expect(await rowsOf(ndjson(patient('p2', { link })))).toEqual({ ...none, accepted: 1 });
    expect(facts()).toEqual(['38341003', '44054006', '8480-6 120']);
    expect(site.ingest.recordCounts().map(({ subjectCount }) => subjectCount)).toEqual([1, 1, 1]);
    const of38341003 = site.ingest.recordCounts().find(({ code }) => code === '38341003');
    expect(of38341003?.factCount).toBe(1);
  });

  it('that says of an unknown record that it was an error adds nothing', async () => {
    const unknown = { ...observation, id: 'o9', status: 'entered-in-error' };
    expect(await rowsOf(ndjson(unknown))).toEqual({ ...none, notNeeded: 1 });
  });
});

describe('a later OMOP export', () => {
  it('replaces a corrected row and keeps one fact for each', async () => {
    const concepts = 'concept_id,vocabulary_id,concept_code\n1,SNOMED,44054006\n2,SNOMED,38341003\n';
    const table = (concept: number) =>
      `condition_occurrence_id,person_id,condition_concept_id,condition_start_date,condition_end_date\n5,1,${concept},2020-01-02,\n`;
    await site.importFiles({ 'concept.csv': concepts, 'condition.csv': table(1) });
    await site.importFiles({ 'concept.csv': concepts, 'condition.csv': table(2) });
    expect(facts()).toEqual(['38341003']);
  });
});

describe('a later clinical document', () => {
  const document = (statements: string) =>
    `<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><id root="1.2"/><recordTarget><patientRole>
<id root="1.2.3" extension="77"/></patientRole></recordTarget><component><structuredBody>${statements}</structuredBody></component></ClinicalDocument>`;
  const section = (template: string, statement: string) =>
    `<component><section><templateId root="2.16.840.1.113883.10.20.22.2.${template}"/><entry>${statement}</entry></section></component>`;
  const problem = (negated: boolean) =>
    section(
      '5.1',
      `<observation moodCode="EVN" negationInd="${negated}"><id root="9.1" extension="p"/><effectiveTime value="20200101"/>
<value xsi:type="CD" code="44054006" codeSystem="2.16.840.1.113883.6.96"/></observation>`,
    );
  const vaccine = (negated: boolean) =>
    section(
      '2.1',
      `<substanceAdministration moodCode="EVN" negationInd="${negated}"><id root="9.2" extension="v"/><statusCode code="completed"/><effectiveTime value="20200101"/>
<consumable><manufacturedProduct><manufacturedMaterial><code code="140" codeSystem="2.16.840.1.113883.12.292"/></manufacturedMaterial></manufacturedProduct></consumable></substanceAdministration>`,
    );
  const result = (value: string) =>
    section(
      '3.1',
      `<observation moodCode="EVN"><id root="9.3" extension="r"/><code code="2951-2" codeSystem="2.16.840.1.113883.6.1"/><statusCode code="completed"/>
<effectiveTime value="20200101"/><value xsi:type="PQ" ${value}/></observation>`,
    );
  const first = problem(false) + vaccine(false) + result('value="141" unit="mmol/L"');

  it.each([
    ['denies the problem', problem(true), ['140', '2951-2 141']],
    ['says that the vaccine was not given', vaccine(true), ['2951-2 141', '44054006']],
    ['does not know the result', result('nullFlavor="UNK"'), ['140', '44054006']],
  ])('that %s takes the fact away', async (_, statement, expected) => {
    await site.importFiles({ 'first.xml': document(first) });
    expect(facts()).toEqual(['140', '2951-2 141', '44054006']);
    const { rowCounts } = await site.importFiles({ 'second.xml': document(statement) });
    expect(rowCounts).toMatchObject({ accepted: 1, rejected: 0, notNeeded: 0 });
    expect(facts()).toEqual(expected);
    expect((await site.importFiles({ 'third.xml': document(statement) })).rowCounts).toMatchObject({
      notNeeded: 1,
    });
  });

  it('that denies something without saying what is not needed', async () => {
    const denied = problem(true).replace(/ code="44054006"/, '');
    expect((await site.importFiles({ 'first.xml': document(denied) })).rowCounts).toMatchObject({
      rejected: 0,
      notNeeded: 1,
    });
  });
});

describe('a later HL7 v2 message', () => {
  const message = (completion: string) =>
    ['MSH|^~\\&|V|H|S|S|20210105||VXU^V04|m|P|2.5.1', 'PID|1||77^^^WARD^MR', 'ORC|RE||V1']
      .concat(`RXA|0|1|20210105|20210105|207^COVID-19^CVX|0.5|mL${'|'.repeat(13)}${completion}`)
      .join('\r');

  it.each(['RE', 'NA'])('that says that a vaccine was not given (%s) takes it away', async (completion) => {
    await site.importFiles({ 'first.hl7': message('CP') });
    expect(facts()).toEqual(['207']);
    const { rowCounts } = await site.importFiles({ 'second.hl7': message(completion) });
    expect(rowCounts).toMatchObject({ accepted: 1, rejected: 0 });
    expect(facts()).toEqual([]);
    expect((await site.importFiles({ 'third.hl7': message(completion) })).rowCounts).toMatchObject({
      notNeeded: 1,
    });
  });
});

describe('a later Synthea export', () => {
  it('adds rows, numbers those of one name again the same way, and doubles none', async () => {
    const header = 'START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION,BASE_COST,REASONCODE,REASONDESCRIPTION';
    const row = (code: string, cost: number) => `2020-01-02T08:00:00Z,,p1,e1,${code},x,${cost},,`;
    const first = [header, row('1', 5), row('1', 6), row('2', 5)].join('\n');
    await site.importFiles({ 'procedures.csv': first });
    expect(facts()).toEqual(['1', '1', '2']);
    const { files, rows } = await site.importFiles({ 'procedures.csv': `${first}\n${row('3', 5)}\n` });
    expect([files[0]?.rows, rows]).toEqual([{ ...none, accepted: 1, duplicate: 3 }, { procedure: 1 }]);
    expect(facts()).toEqual(['1', '1', '2', '3']);
  });
});
