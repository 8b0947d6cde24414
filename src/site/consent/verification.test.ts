import { afterEach, describe, expect, it } from 'vitest';
import { decisionsBySubject } from '#support/decisions-by-subject.ts';
import { ndjson, researchConsent } from '#support/fhir-resources.ts';
import { type IngestSite, openIngestSite, siteKeys, steward } from '#support/ingest-site.ts';
import { type ConsentTerms, openConsents } from './index.ts';

/** The day of the site's clock. */
const today = '2026-11-21';
const asking: ConsentTerms = { purposes: ['HRESCH'], requiresVerification: true };

let site: IngestSite | undefined;
afterEach(async () => {
  await site?.close();
  site = undefined;
});

function consent(verification: unknown, change: object = {}) {
  return researchConsent({ verification, ...change });
}

const on = (verificationDate: string | undefined, verified = true) => ({ verified, verificationDate });
const denied = { provision: { provision: [{ type: 'deny' }] } };

async function take(...resources: readonly object[]): Promise<IngestSite> {
  site ??= openIngestSite({ inMemory: true });
  await site.importFiles({ '1.ndjson': ndjson(...resources) });
  return site;
}

function open({ store, auditLog, subjects: days }: IngestSite, terms: ConsentTerms = asking) {
  const consents = openConsents({ store, auditLog, days, termsOf: () => terms, ...siteKeys });
  const decisions = () => decisionsBySubject(store, consents.decisions('heart'));
  const rules = () => [...decisions().values()].map(({ rule }) => rule);
  return { consents, decisions, rules };
}

describe(`where the plan asks for verification, on ${today}, a consent (C1)`, () => {
  it.each<[string, unknown, string]>([
    ['without any', undefined, 'unverified'],
    ['with one', [on('2020-05-06')], 'permit'],
    ['with one of today', [on(today)], 'permit'],
    ['with one of tomorrow', [on('2026-11-22')], 'unverified'],
    ['with one of last month', [on('2026-10')], 'permit'],
    ['with one of this month, which may be to come', [on('2026-11')], 'unverified'],
    ['with one at a time of day', [on('2020-05-06T10:00:00+02:00')], 'permit'],
    ['with one without a date', [on(undefined)], 'unverified'],
    ['with one of a date that is none', [on('soon')], 'unverified'],
    ['with one that failed', [on('2020-05-06', false)], 'unverified'],
    ['with one that failed and a later one', [on('2020-05-06', false), on('2020-05-07')], 'permit'],
    ['with one and a later one that failed', [on('2020-05-06'), on('2020-05-07', false)], 'unverified'],
    ['with one and one that failed on no known day', [on('2020-05-06'), on(undefined, false)], 'unverified'],
    ['with something else in its place', { verified: true }, 'unverified'],
  ])('%s is judged', async (_, verification, rule) => {
    const { decisions, rules } = open(await take(consent(verification)));
    expect(rules()).toEqual([rule]);
    if (rule === 'unverified') expect([...decisions().values()][0]?.path).toEqual([rule]);
    expect(open(await take(), { purposes: ['HRESCH'] }).rules()).toEqual(['permit']);
  });

  it('that denies needs none', async () => {
    expect(
      open(await take(consent([on('2020-05-06')]), consent(undefined, { id: 'c2', ...denied }))).rules(),
    ).toEqual(['denied']);
  });

  it('lifts a deny only when it is verified', async () => {
    const { rules } = open(
      await take(consent(undefined, denied), consent(undefined, { dateTime: '2021-01-01' })),
    );
    expect(rules()).toEqual(['denied']);
    await take(consent([on('2021-01-02')], { dateTime: '2021-01-01' }));
    expect(rules()).toEqual(['permit']);
  });

  it('lifts a deny within rules only when it is verified', async () => {
    const imaging = { system: 'http://hl7.org/fhir/resource-types', code: 'ImagingStudy' };
    const noImages = { provision: { provision: [{ type: 'permit' }, { type: 'deny', class: [imaging] }] } };
    const imagesOf = ({ decisions }: ReturnType<typeof open>) =>
      [...decisions().values()].map(({ data }) => data.imaging.length);
    const opened = open(
      await take(
        consent([on('2020-05-06')], noImages),
        consent([on('2020-05-06')], { id: 'c2' }),
        consent(undefined, { dateTime: '2021-01-01' }),
      ),
    );
    expect(imagesOf(opened)).toEqual([0]);
    await take(consent([on('2021-01-02')], { dateTime: '2021-01-01' }));
    expect(imagesOf(opened)).toEqual([1]);
  });

  it('that a steward records is verified by that', async () => {
    const { consents, decisions, rules } = open(await take(consent(undefined)));
    const [subjectId = ''] = decisions().keys();
    consents.grant({ subjectId, researchStudyId: null, untilDate: null }, steward);
    expect(rules()).toEqual(['permit']);
  });

  it('keeps its days from each other when its patient is merged into another', async () => {
    const patient = (id: string, change: object = {}) => ({
      resourceType: 'Patient',
      id,
      identifier: [{ system: 'urn:ward', value: id.toUpperCase() }],
      ...change,
    });
    const daysApart = ({ store }: IngestSite) =>
      store
        .prepare('SELECT stated_until_day - stated_day AS a, verified_day - stated_day AS b FROM consent')
        .all();
    const before = await take(
      patient('p1'),
      patient('p2'),
      consent([on('2020-06-02')], { dateTime: '2020-05' }),
    );
    expect(daysApart(before)).toEqual([{ a: 30, b: 32 }]);
    const merged = patient('p1', { link: [{ type: 'replaced-by', other: { reference: 'Patient/p2' } }] });
    expect(daysApart(await take(merged))).toEqual([{ a: 30, b: 32 }]);
    expect(open(await take()).rules()).toEqual(['permit']);
  });
});
