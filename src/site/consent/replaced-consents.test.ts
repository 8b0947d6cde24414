// Consents that a newer one replaces (security.md C4, C15), beside an evaluation written from the rules alone.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseDay } from '#site/deidentify/index.ts';
import { decisionsBySubject } from '#support/decisions-by-subject.ts';
import { drawConsent } from '#support/drawn-consent.ts';
import { ndjson, researchConsent } from '#support/fhir-resources.ts';
import { type IngestSite, openIngestSite, siteKeys, steward } from '#support/ingest-site.ts';
import { linkConsents } from '#support/linked-consents.ts';
import { referencePermits } from '#support/reference-consent.ts';
import { storedFhirConsent } from '#support/stored-fhir-consent.ts';
import type { ConsentVersion } from './consent-version.ts';
import { evaluateConsent } from './evaluate-consent.ts';
import { openConsents } from './index.ts';

const refusal = { provision: { type: 'deny' } };
const identifier = [{ system: 'urn:forms', value: '7' }];
const older = researchConsent({ id: 'c0', dateTime: '2019-01-01', ...refusal });
const replacing = { dateTime: '2020-05-05', sourceReference: { reference: 'Consent/c0' } };
const mother = { performer: [{ reference: 'RelatedPerson/mother' }] };

const patient = {
  resourceType: 'Patient',
  id: 'p1',
  identifier: [{ system: 'https://fixture.example/number', value: '17' }],
};
/** Of the same patient, named in another way. */
const byNumber = { patient: { identifier: patient.identifier[0] } };

let site: IngestSite;
beforeEach(() => {
  site = openIngestSite({ inMemory: true });
});
afterEach(() => site.close());

function consents() {
  const { store, auditLog, subjects: days } = site;
  return openConsents({ store, auditLog, days, linkageKey: siteKeys.linkageKey });
}
const rules = (): string[] =>
  [...decisionsBySubject(site.store, consents().decisions('heart')).values()].map(({ rule }) => rule);
const take = (...resources: object[]) => site.importFiles({ 'consents.ndjson': ndjson(...resources) });

describe('a deny of another consent', () => {
  it.each<[string, object, object, string]>([
    ['stands against a newer permit that names nothing', {}, {}, 'denied'],
    ['is lifted by a newer permit that names it', {}, replacing, 'permit'],
    [
      'is lifted by one that names its address and version',
      {},
      { ...replacing, sourceReference: { reference: 'https://ehr.example/fhir/Consent/c0/_history/2' } },
      'permit',
    ],
    ['is lifted by one of the same identifier', { identifier }, { identifier }, 'permit'],
    [
      'is lifted by one that names its identifier',
      { identifier },
      { sourceReference: { type: 'Consent', identifier: identifier[0] } },
      'permit',
    ],
    [
      'stands where only the value of an identifier is the same',
      { identifier: [{ value: '7' }] },
      { identifier: [{ value: '7' }] },
      'denied',
    ],
    ['stands against an older permit that names it', {}, { ...replacing, dateTime: '2018-01-01' }, 'denied'],
    ['stands against one of the same day', {}, { ...replacing, dateTime: '2019-01-01' }, 'denied'],
    ['stands against one whose month has its day', {}, { ...replacing, dateTime: '2019-01' }, 'denied'],
    ['stands against one without a day', {}, { ...replacing, dateTime: undefined }, 'denied'],
    ['without a day stands', { dateTime: undefined }, replacing, 'denied'],
    ['stands against one of the future', {}, { ...replacing, dateTime: '2030-01-01' }, 'denied'],
    ['stands against one that is not active', {}, { ...replacing, status: 'draft' }, 'denied'],
    ['stands against a deny that replaces it', {}, { ...replacing, ...refusal }, 'denied'],
    ['stands where another person gave it', mother, replacing, 'denied'],
    [
      'stands where another person gave it and it cannot be read',
      { ...mother, status: 'gone' },
      replacing,
      'denied',
    ],
    ['stands where nobody can read who gave it', { performer: 'mother' }, replacing, 'denied'],
    [
      'is lifted by the patient beside a doctor where nobody is named',
      {},
      { ...replacing, performer: [{ reference: 'Patient/p1' }, { reference: 'Practitioner/d1' }] },
      'permit',
    ],
  ])('%s, whichever is read first', async (_, deny, permit, rule) => {
    const [first, second] = [researchConsent({ ...older, ...deny }), researchConsent(permit)];
    await take(first, second);
    expect(rules()).toEqual([rule]);
    await site.close();
    site = openIngestSite({ inMemory: true });
    await take(second);
    await take(first);
    expect(rules()).toEqual([rule]);
  });

  it('is lifted in a bundle by one that names its entry', async () => {
    const entries = [
      { fullUrl: 'urn:uuid:0b0e8d4c-6f0a-4a3f-8c3d-1f2a3b4c5d6e', resource: older },
      {
        resource: researchConsent({
          ...replacing,
          sourceReference: { reference: 'urn:uuid:0b0e8d4c-6f0a-4a3f-8c3d-1f2a3b4c5d6e' },
        }),
      },
    ];
    const bundle = { resourceType: 'Bundle', type: 'collection', entry: entries };
    await site.importFiles({ 'bundle.json': JSON.stringify(bundle) });
    expect(rules()).toEqual(['permit']);
  });

  it('stands again once the permit that replaced it is withdrawn, and is lifted by a grant of that one', async () => {
    const actors = [
      {
        reference: {
          identifier: { system: 'https://consilium.example/fhir/research-study', value: 'heart' },
        },
      },
    ];
    await take(
      older,
      researchConsent({ ...replacing, provision: { provision: [{ type: 'permit', actor: actors }] } }),
    );
    expect(rules()).toEqual(['permit']);
    const [subjectId = ''] = decisionsBySubject(site.store, consents().decisions('heart')).keys();
    consents().withdraw({ subjectId, researchStudyId: 'heart' }, steward);
    expect(rules()).not.toEqual(['permit']);
    consents().grant({ subjectId, researchStudyId: 'heart', untilDate: null }, steward);
    expect(rules()).toEqual(['permit']);
  });

  it.each([
    ['', {}],
    [' and names the patient in another way', byNumber],
  ])(
    'stands again where its source ends the permit that replaced it%s, beside a third that permits',
    async (_, change) => {
      await site.importFiles({ 'patients.ndjson': ndjson(patient) });
      await take(older, researchConsent(replacing), researchConsent({ id: 'c3' }));
      expect(rules()).toEqual(['permit']);
      await take(researchConsent({ ...replacing, ...change, status: 'inactive', dateTime: '2021-05-05' }));
      expect(rules()).toEqual(['denied']);
    },
  );
});

describe('a permit of another consent', () => {
  it.each<[string, object, string]>([
    ['ends with a newer refusal that names it', { ...replacing, ...refusal }, 'denied'],
    ['ends with a newer consent that is no longer active', { ...replacing, status: 'inactive' }, 'withdrawn'],
    ['ends with one by anybody', { ...replacing, ...mother }, 'majority-unknown'],
    ['ends with one that cannot be read', { ...replacing, status: 'gone' }, 'no-consent'],
    ['does not end with a draft', { ...replacing, status: 'draft' }, 'permit'],
    ['does not end with a permit of the future', { ...replacing, dateTime: '2030-01-01' }, 'permit'],
  ])('%s', async (_, newer, rule) => {
    const permit = researchConsent({ id: 'c0', dateTime: '2019-01-01' });
    await take(permit, researchConsent(newer));
    expect(rules()).toEqual([rule]);
  });
});

describe('a consent that names its patient in another way than before', () => {
  const images = [{ system: 'http://hl7.org/fhir/resource-types', code: 'ImagingStudy' }];
  it.each<[string, object, string[], string[]]>([
    ['ends what it permitted, of a later day', { status: 'inactive', dateTime: '2021-01-01' }, [], []],
    ['ends what it permitted, of the same day', { status: 'inactive' }, [], []],
    ['ends what it permitted, of no day', { status: 'entered-in-error', dateTime: undefined }, [], []],
    ['ends what it permitted when it cannot be read', { status: 'gone' }, [], []],
    [
      'permits what it says now',
      { dateTime: '2021-01-01', provision: { provision: [{ type: 'permit', class: images }] } },
      [],
      ['all'],
    ],
    ['ends nothing of a later day', { status: 'inactive', dateTime: '2019-01-01' }, ['all'], ['all']],
    ['ends nothing as a draft', { status: 'draft', dateTime: '2021-01-01' }, ['all'], ['all']],
    ['ends nothing when it permits the same', {}, ['all'], ['all']],
  ])('%s, whichever is read first', async (_, change, clinical, imaging) => {
    const [first, second] = [researchConsent(), researchConsent({ ...byNumber, ...change })];
    for (const order of [
      [first, second],
      [second, first],
    ]) {
      await site.importFiles({ 'patients.ndjson': ndjson(patient) });
      for (const consent of order) await take(consent);
      const [decision] = decisionsBySubject(site.store, consents().decisions('heart')).values();
      const named = (ranges: readonly unknown[] = []) => ranges.map(() => 'all');
      expect([named(decision?.data.clinical), named(decision?.data.imaging)]).toEqual([clinical, imaging]);
      await site.close();
      site = openIngestSite({ inMemory: true });
    }
  });

  it('lifts no deny, also not beside a third with an identifier: two patients may have been joined', async () => {
    const past = { type: 'permit', period: { end: '2018-06-06' } };
    await site.importFiles({ 'patients.ndjson': ndjson(patient) });
    await take(
      researchConsent({ dateTime: '2019-01-01', ...refusal }),
      researchConsent({ ...byNumber, dateTime: '2021-01-01' }),
      researchConsent({ id: 'c3', identifier, provision: { provision: [past, { ...past, type: 'deny' }] } }),
    );
    expect(rules()).toEqual(['denied']);
  });
});

describe('what a steward records', () => {
  const actor = (value: string) => [
    { reference: { identifier: { system: 'https://consilium.example/fhir/research-study', value } } },
  ];
  const forHeart = researchConsent({
    ...replacing,
    provision: { provision: [{ type: 'permit', actor: actor('heart') }] },
  });
  const rulesOf = (researchStudyId: string): string[] =>
    [...decisionsBySubject(site.store, consents().decisions(researchStudyId)).values()].map(
      ({ rule }) => rule,
    );
  const onlySubject = (): string =>
    site.store.prepareColumn('SELECT subject_id FROM subject').get() as string;

  it('of one research study lifts no deny for all that came after the consent it is recorded in', async () => {
    await take(
      researchConsent({ id: 'c0', dateTime: '2019-01-01' }),
      forHeart,
      researchConsent({ id: 'c3' }),
    );
    await take(researchConsent({ id: 'c0', dateTime: '2023-01-01', ...refusal }));
    consents().grant({ subjectId: onlySubject(), researchStudyId: 'heart', untilDate: null }, steward);
    expect([rulesOf('heart'), rulesOf('lungs')]).toEqual([['withdrawn'], ['withdrawn']]);
  });

  it('of one research study ends no permit for all that came after the consent it is recorded in', async () => {
    await take(forHeart, researchConsent({ id: 'c0', dateTime: '2023-01-01' }));
    consents().withdraw({ subjectId: onlySubject(), researchStudyId: 'heart' }, steward);
    expect([rulesOf('heart'), rulesOf('lungs')]).toEqual([['withdrawn'], ['permit']]);
  });
});

const dayOf = (date: string): number => parseDay(date) ?? Number.NaN;
const today = '2022-05-05';
const dataDates = ['2018-12-31', '2020-06-15', '2021-12-31', '2023-03-04'];
const scope = { researchStudyId: 'heart', day: dayOf(today), majorityDay: dayOf('2099-01-01') };

function answersOf(versions: readonly ConsentVersion[]): boolean[] {
  const { data } = evaluateConsent(versions, scope);
  return (['clinical', 'imaging'] as const).flatMap((dataClass) =>
    dataDates.map((date) =>
      data[dataClass].some(
        ({ from, until }) =>
          (from === null || from <= dayOf(date)) && (until === null || dayOf(date) <= until),
      ),
    ),
  );
}

function drawLinked(seed: string, size = 3): Record<string, unknown>[] {
  return linkConsents(
    seed,
    Array.from({ length: size }, (_, part) => part).map((part) => drawConsent(`${seed} ${part}`)),
  );
}

const stored = (all: readonly Record<string, unknown>[]): ConsentVersion[] =>
  all.map((consent) => storedFhirConsent(consent, String(consent.id)));

describe('consents that may replace one another', () => {
  it('say the same to an evaluation written from the rules, for 1,200 pairs and threesomes', () => {
    const seen = { permitted: 0, lifted: 0 };
    for (let index = 0; index < 1_200; index += 1) {
      const all = drawLinked(`linked ${index}`, 2 + (index % 2));
      const own = answersOf(stored(all));
      const questions = (['clinical', 'imaging'] as const).flatMap((dataClass) =>
        dataDates.map((dataDate) => ({
          ...{ researchStudyId: 'heart', purpose: 'HRESCH', today },
          ...{ dataClass, dataDate },
        })),
      );
      expect(
        questions.map((question) => referencePermits(all, question)),
        JSON.stringify(all),
      ).toEqual(own);
      const untied = all.map(({ identifier: _, sourceReference: __, ...rest }) => rest);
      const without = answersOf(stored(untied));
      seen.permitted += own.filter(Boolean).length;
      seen.lifted += own.filter((is, at) => is && without[at] !== true).length;
    }
    expect(seen.permitted).toBeGreaterThan(100);
    expect(seen.lifted).toBeGreaterThan(20);
  });

  it('permit no more with a refusal added that replaces any of them, whatever the order (C15)', () => {
    let permitted = 0;
    for (let index = 0; index < 300; index += 1) {
      const all = drawLinked(`added ${index}`);
      const [first, second, third] = stored(all);
      if (first === undefined || second === undefined || third === undefined) throw new Error('three');
      const before = answersOf([first, second, third]);
      expect(answersOf([third, first, second])).toEqual(before);
      const { provision: _, policyRule: __, ...shell } = drawLinked(`refusal ${index}`)[0] ?? {};
      const { sourceReference } = all[index % 3] ?? {};
      const added = { ...shell, status: 'active', sourceReference, ...refusal, id: 'added' };
      const after = answersOf([...stored(all), ...stored([added])]);
      permitted += before.filter(Boolean).length;
      expect(after.every((is, at) => !is || before[at])).toBe(true);
    }
    expect(permitted).toBeGreaterThan(60);
  });
});
