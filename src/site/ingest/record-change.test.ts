import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openConsents } from '#site/consent/index.ts';
import { subjectIdOf } from '#site/deidentify/index.ts';
import type { ConsentProvision } from '#site/store/index.ts';
import { decisionsBySubject } from '#support/decisions-by-subject.ts';
import { ndjson } from '#support/fhir-resources.ts';
import { type IngestSite, openIngestSite, siteKeys } from '#support/ingest-site.ts';

let site: IngestSite;
beforeEach(() => {
  site = openIngestSite({ inMemory: true });
});
afterEach(() => site.close());

const authority = 'https://fixture.example/number';
const uuid = (digit: number): string => `00000000-0000-4000-8000-00000000000${digit}`;
const idOf = (number: string): string => subjectIdOf(siteKeys.subjectKey, { authority, identifier: number });

const patient = (id: string, change: object = {}) => ({
  resourceType: 'Patient',
  id,
  identifier: [{ system: authority, value: id.toUpperCase() }],
  birthDate: '1950-01-01',
  ...change,
});
const observation = (id: string, patientId: string, change: object = {}) => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '8480-6' }] },
  subject: { reference: `Patient/${patientId}` },
  effectiveDateTime: '2001-04-05',
  valueQuantity: { value: 120, system: 'http://unitsofmeasure.org', code: 'mm[Hg]' },
  ...change,
});
const consent = (id: string, patientId: string, change: object = {}) => ({
  resourceType: 'Consent',
  id,
  status: 'active',
  scope: { coding: [{ code: 'research' }] },
  patient: { reference: `Patient/${patientId}` },
  dateTime: '2001-01-01',
  provision: { provision: [{ type: 'permit' }] },
  ...change,
});
const deletions = (...urls: string[]): string =>
  JSON.stringify({
    resourceType: 'Bundle',
    type: 'transaction',
    entry: urls.map((url) => ({ request: { method: 'DELETE', url } })),
  });

let files = 0;
async function take(content: string, into = site) {
  files += 1;
  const name = content.startsWith('{"resourceType":"Bundle"') ? `${files}.json` : `${files}.ndjson`;
  return (await into.importFiles({ [name]: content })).files[0];
}

/** Facts in words, in an order that says nothing of when they came. */
function factsOf({ store, subjects }: IngestSite) {
  const facts = store.all(store.query.selectFrom('subject_fact').selectAll());
  return facts
    .map(({ subject_id, code, value_number, day }) => ({
      subject_id,
      code,
      value_number,
      day: day - subjects.shiftDay(subject_id, 0),
    }))
    .map((fact) => JSON.stringify(fact))
    .sort();
}
const ruleOf = (number: string): string | undefined => {
  const { store, auditLog, subjects: days } = site;
  const consents = openConsents({ store, auditLog, days, linkageKey: siteKeys.linkageKey });
  return decisionsBySubject(store, consents.decisions('any')).get(idOf(number))?.rule;
};

describe('a deletion at the source', () => {
  it('takes the facts of its record away, whoever they are about, and no others', async () => {
    await take(
      ndjson(patient('p1'), observation('o1', 'p1'), observation('o2', 'p1'), observation('o1', 'p2')),
    );
    expect(await take(deletions('Observation/o1'))).toMatchObject({
      outcome: 'accepted',
      rows: { accepted: 1 },
    });
    expect(factsOf(site)).toHaveLength(1);
    expect(await take(deletions('Observation/o1', 'Observation/never'))).toMatchObject({
      outcome: 'duplicate',
      rows: { accepted: 0, duplicate: 2, rejected: 0 },
    });
  });

  it('ends a consent, which holds again only when the source states it again', async () => {
    await take(ndjson(patient('p1'), consent('c1', 'p1')));
    expect(ruleOf('P1')).toBe('permit');
    await take(deletions('Consent/c1'));
    expect(ruleOf('P1')).not.toBe('permit');
    await take(deletions('Consent/c1'));
    expect(site.store.all(site.store.query.selectFrom('consent').selectAll())).toHaveLength(2);
    await take(ndjson(consent('c1', 'p1', { dateTime: '2001-02-01' })));
    expect(ruleOf('P1')).toBe('permit');
  });
});

describe('a record sent again under another patient', () => {
  it('has moved there, facts and consents, when its id is nobody else’s', async () => {
    await take(ndjson(patient('p1'), patient('p2'), observation(uuid(1), 'p1'), consent(uuid(2), 'p1')));
    const again = await take(ndjson(observation(uuid(1), 'p2'), consent(uuid(2), 'p2')));
    expect(again).toMatchObject({ rows: { accepted: 2, duplicate: 0 } });
    expect(factsOf(site)).toEqual([expect.stringContaining(idOf('P2'))]);
    expect([ruleOf('P1'), ruleOf('P2')]).toEqual(['inactive', 'permit']);
  });

  it('is another record when ids may be used twice, as in bundles made by hand', async () => {
    await take(ndjson(patient('p1'), patient('p2'), observation('o1', 'p1')));
    await take(ndjson(observation('o1', 'p2')));
    expect(factsOf(site)).toHaveLength(2);
  });

  it('is the same for an OMOP row', async () => {
    const concept = 'concept_id,vocabulary_id,concept_code\n3004249,LOINC,8480-6\n8876,UCUM,mm[Hg]\n';
    const header =
      'measurement_id,person_id,measurement_concept_id,measurement_date,value_as_number,value_as_concept_id,unit_concept_id';
    const row = (person: number) => `${header}\n7,${person},3004249,2001-02-03,120,,8876\n`;
    await site.importFiles({ 'concept.csv': concept, 'measurement.csv': row(1) });
    await site.importFiles({ 'concept.csv': concept, 'measurement.csv': row(2) });
    const person = { authority: 'urn:consilium:omop:person_id', identifier: '2' };
    expect(factsOf(site)).toEqual([expect.stringContaining(subjectIdOf(siteKeys.subjectKey, person))]);
  });
});

describe('two patients who are one', () => {
  const replaced = patient('p2', {
    active: false,
    link: [{ other: { reference: 'Patient/p1' }, type: 'replaced-by' }],
  });

  it('have one history: what came for either before and what comes after', async () => {
    await take(
      ndjson(
        patient('p1'),
        observation('o1', 'p1'),
        patient('p2'),
        observation('o2', 'p2'),
        consent('c', 'p2'),
      ),
    );
    expect(await take(ndjson(replaced))).toMatchObject({ rows: { accepted: 1 } });
    expect(await take(ndjson(replaced))).toMatchObject({ rows: { accepted: 0, duplicate: 1 } });
    await take(ndjson(observation('o3', 'p2')));
    const facts = factsOf(site);
    expect(facts).toHaveLength(3);
    expect(new Set(facts)).toEqual(new Set([facts[0]]));
    expect(facts[0]).toContain(idOf('P1'));
    expect([ruleOf('P1'), ruleOf('P2')]).toEqual(['permit', undefined]);
    const again = await take(
      ndjson(observation('o1', 'p1'), observation('o2', 'p2'), observation('o3', 'p2')),
    );
    expect(again).toMatchObject({ outcome: 'duplicate' });
  });

  it('keep the sex that the surviving one states, whichever comes again', async () => {
    const [stays, goes] = [patient('p1', { gender: 'male' }), patient('p2', { gender: 'female' })];
    await take(ndjson(stays, goes, replaced));
    const again = ndjson(goes);
    expect(await take(again)).toMatchObject({ outcome: 'duplicate' });
    const sex = site.store.prepare('SELECT sex FROM subject WHERE survivor_no IS NULL').all();
    expect(sex).toEqual([{ sex: 'male' }]);
  });

  it('keep what an unmerge would need: whose each fact, link and consent was', async () => {
    await take(
      ndjson(
        patient('p1'),
        observation('o1', 'p1'),
        patient('p2'),
        observation('o2', 'p2'),
        consent('c', 'p2'),
      ),
    );
    await take(ndjson(replaced));
    const { store } = site;
    const retired = store.get(
      store.query.selectFrom('subject').selectAll().where('subject_id', '=', idOf('P2')),
    );
    const own = retired?.subject_no ?? 0;
    expect(retired?.survivor_no).not.toBeNull();
    const facts = store.query.selectFrom('fact').select('fact_id').where('subject_no', '=', own);
    const links = store.query.selectFrom('patient_link').select('sealed').where('subject_no', '=', own);
    expect([store.all(facts).length, store.all(links).length]).toEqual([1, 2]);
    expect(store.get(store.query.selectFrom('consent').select('merged_from'))?.merged_from).toBe(idOf('P2'));
  });

  it('move the days within the rules of a consent with its other days', async () => {
    const period = { start: '2001-01-01', end: '2040-12-31' };
    const provision = { provision: [{ type: 'permit', period, dataPeriod: period }] };
    await take(ndjson(patient('p1'), patient('p2'), consent('c', 'p2', { provision })));
    const read = () => {
      const { query } = site.store;
      const row = site.store.get(query.selectFrom('consent').select(['from_day', 'until_day', 'provision']));
      const [rule] = (JSON.parse(row?.provision ?? '') as ConsentProvision).root.children;
      return { from: row?.from_day, until: row?.until_day, rule };
    };
    const before = read();
    await take(ndjson(replaced));
    const after = read();
    expect(after.from).not.toBe(before.from);
    for (const { from, until, rule } of [before, after]) {
      expect(rule).toMatchObject({ fromDay: from, untilDay: until, dataFromDay: from, dataUntilDay: until });
    }
    expect(ruleOf('P1')).toBe('permit');
  });
});

describe('two patients who are one by the first that is heard of them', () => {
  const replaced = patient('p2', { link: [{ other: { reference: 'Patient/p1' }, type: 'replaced-by' }] });

  it.each<[string, readonly object[]]>([
    ['before them', [replaced, observation('o1', 'p1'), observation('o2', 'p2'), patient('p1')]],
    ['after them', [observation('o1', 'p1'), observation('o2', 'p2'), patient('p1'), replaced]],
    ['between them', [observation('o2', 'p2'), replaced, patient('p1'), observation('o1', 'p1')]],
  ])('have one history when their records name the retired one by its resource id, %s', async (_, rows) => {
    expect(await take(ndjson(...rows))).toMatchObject({ rows: { accepted: 4, rejected: 0 } });
    expect(factsOf(site)).toEqual([expect.stringContaining(idOf('P1')), expect.stringContaining(idOf('P1'))]);
    expect(await take(ndjson(...rows, replaced))).toMatchObject({ rows: { accepted: 0, duplicate: 5 } });
  });

  it('are not merged where the resource id of the retired one stands for a third patient', async () => {
    const third = patient('p2', { identifier: [{ system: authority, value: 'THIRD' }] });
    await take(ndjson(third, observation('o2', 'p2')));
    const outcome = await take(ndjson(patient('p1'), replaced));
    expect(outcome).toMatchObject({ rows: { accepted: 1, rejected: 1 }, code: 'IDENTITY_CONFLICT' });
    expect(factsOf(site)).toEqual([expect.stringContaining(idOf('THIRD'))]);
  });
});

describe('files in any order', () => {
  const parts = [
    ndjson(patient('p4', { link: [{ other: { reference: 'Patient/p3' }, type: 'replaced-by' }] })),
    ndjson(observation('o5', 'p4')),
    ndjson(patient('p1'), patient('p3')),
    ndjson(patient('p2')),
    ndjson(observation('o1', 'p1'), observation('o2', 'p2', { effectiveDateTime: '2002-05-06' })),
    ndjson(observation('o3', 'p3'), observation('o4', 'p2')),
    ndjson(patient('p2', { link: [{ other: { reference: 'Patient/p1' }, type: 'replaced-by' }] })),
  ];

  it('and repeated any number of times leave the same facts of the same subjects', async () => {
    for (const part of parts) await take(part);
    const expected = factsOf(site);
    expect(expected).toHaveLength(5);
    const orders = fc.shuffledSubarray(parts.map((_, index) => index).concat([0, 1, 4, 5, 6]), {
      minLength: parts.length + 5,
      maxLength: parts.length + 5,
    });
    await fc.assert(
      fc.asyncProperty(orders, async (order) => {
        const other = openIngestSite({ inMemory: true });
        for (const index of order) await take(parts[index] ?? '', other);
        const found = factsOf(other);
        other.close();
        expect(found).toEqual(expected);
      }),
      { numRuns: 15 },
    );
  });
});
