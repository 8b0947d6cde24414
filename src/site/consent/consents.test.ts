import { describe, expect, it } from 'vitest';
import { consentPage, consentRow } from '#ipc/schema.ts';
import { openSubjectRegistry } from '#site/deidentify/index.ts';
import { decisionsBySubject } from '#support/decisions-by-subject.ts';
import { ndjson, researchConsent } from '#support/fhir-resources.ts';
import { openIngestSite, siteKeys } from '#support/ingest-site.ts';
import { createSiteFoundation, type SiteFoundation } from '#support/site-foundation.ts';
import { addConsent, addSubject, testDay } from '#support/stored-subjects.ts';
import { type Consents, openConsents } from './index.ts';

const steward = { name: 'Sam Steward', role: 'steward' } as const;
const investigator = { name: 'Ina Vest', role: 'investigator' } as const;
const keys = { subjectKey: new Uint8Array(32).fill(1), linkageKey: new Uint8Array(32).fill(2) };
const everything = { researchStudyId: 'heart', decision: null, search: '', offset: 0, limit: 10 } as const;

interface Ward extends SiteFoundation {
  readonly consents: Consents;
  readonly subjectId: string;
}

/** A hospital's table with a consent column, and maybe one for its day. */
function exportMapping(stated: string | null): string {
  return JSON.stringify({
    consilium: 'csv-mapping/1',
    patient: {
      identifier: 'number',
      authority: 'https://fixture.example/number',
      name: null,
      birthDate: null,
      sex: null,
    },
    indexDate: 'visit',
    record: null,
    missing: [],
    facts: [
      {
        kind: 'quantity',
        column: 'systolic',
        code: { system: 'http://loinc.org', code: '8480-6' },
        unit: 'mm[Hg]',
      },
    ],
    consent: {
      researchStudyId: 'heart',
      status: {
        column: 'consent',
        values: { yes: { status: 'active', decision: 'permit' }, no: { status: 'active', decision: 'deny' } },
      },
      stated,
      from: null,
      until: null,
    },
  });
}

function acceptPlan({ store }: SiteFoundation, researchStudyId: string): void {
  const envelope = new Uint8Array();
  const accepted = { plan_version: 1, plan_digest: '', envelope, accepted_at: '2026-11-01T00:00:00.000Z' };
  store.run(
    store.query.insertInto('research_study').values({ research_study_id: researchStudyId, ...accepted }),
  );
}

/** One patient with a name, and an accepted plan. */
function openWard(): Ward {
  const site = createSiteFoundation('consent');
  acceptPlan(site, 'heart');
  const registry = openSubjectRegistry({ store: site.store, keys });
  const {
    subject: { subjectId },
  } = registry.recordPatient({
    key: { authority: 'ward', identifier: 'P-1' },
    aliases: [],
    otherIdentifiers: [],
    name: 'Ada Example',
    birthDate: '1950-02-03',
    sex: 'female',
  });
  const consents = openConsents({
    store: site.store,
    auditLog: site.auditLog,
    days: registry,
    linkageKey: keys.linkageKey,
  });
  return { ...site, consents, subjectId };
}

describe('a withdrawal', () => {
  it('is one action: a new deny version of the consent, in force at once, with its audit event', () => {
    const ward = openWard();
    addConsent(ward.store, ward.subjectId);
    expect(ward.consents.list(everything, steward).permitted).toBe(1);
    const row = ward.consents.withdraw({ subjectId: ward.subjectId, researchStudyId: 'heart' }, steward);
    expect(row).toMatchObject({
      decision: 'deny',
      rule: 'withdrawn',
      version: 2,
      source: 'steward',
      // The list shows names and says so in the log; an answer to a change shows none.
      patientName: null,
    });
    expect(ward.consents.list(everything, steward)).toMatchObject({ permitted: 0, denied: 1 });
    expect(ward.events()).toContain('consent-withdrawn success');
    ward.close();
  });

  it('from one research study leaves a general permit to the others', () => {
    const ward = openWard();
    addConsent(ward.store, ward.subjectId, { researchStudyId: null });
    ward.consents.withdraw({ subjectId: ward.subjectId, researchStudyId: 'heart' }, steward);
    expect(
      decisionsBySubject(ward.store, ward.consents.decisions('heart')).get(ward.subjectId)?.decision,
    ).toBe('deny');
    expect(
      decisionsBySubject(ward.store, ward.consents.decisions('lungs')).get(ward.subjectId)?.decision,
    ).toBe('permit');
    ward.close();
  });

  it('from research in general ends the consents for single research studies too', () => {
    const ward = openWard();
    addConsent(ward.store, ward.subjectId);
    ward.consents.withdraw({ subjectId: ward.subjectId, researchStudyId: null }, steward);
    expect(
      decisionsBySubject(ward.store, ward.consents.decisions('heart')).get(ward.subjectId)?.decision,
    ).toBe('deny');
    const regranted = ward.consents.grant(
      { subjectId: ward.subjectId, researchStudyId: 'heart', untilDate: null },
      steward,
    );
    expect(regranted).toMatchObject({ decision: 'deny', rule: 'withdrawn' });
    ward.close();
  });

  it('holds although an older export of the consent is read after it', () => {
    const ward = openWard();
    addConsent(ward.store, ward.subjectId);
    ward.consents.withdraw({ subjectId: ward.subjectId, researchStudyId: 'heart' }, steward);
    addConsent(ward.store, ward.subjectId, { version: 3 });
    expect(
      decisionsBySubject(ward.store, ward.consents.decisions('heart')).get(ward.subjectId),
    ).toMatchObject({
      decision: 'deny',
      rule: 'withdrawn',
    });
    ward.close();
  });

  it('holds although a source that states no day is read again after it', () => {
    const ward = openWard();
    addConsent(ward.store, ward.subjectId);
    ward.store.run(ward.store.query.updateTable('consent').set({ stated_day: null }));
    ward.consents.withdraw({ subjectId: ward.subjectId, researchStudyId: 'heart' }, steward);
    addConsent(ward.store, ward.subjectId, { version: 3 });
    ward.store.run(
      ward.store.query.updateTable('consent').set({ stated_day: null }).where('version', '=', 3),
    );
    expect(decisionsBySubject(ward.store, ward.consents.decisions('heart')).get(ward.subjectId)?.rule).toBe(
      'withdrawn',
    );
    ward.close();
  });

  it.each<[string, { stated: boolean; bySource: boolean }]>([
    ['of a source that states no day', { stated: false, bySource: false }],
    ['of the day of the withdrawal', { stated: true, bySource: false }],
    ['whose source has stated a refusal of the same day since', { stated: true, bySource: true }],
  ])('is not undone by importing the old export again: one %s', async (_, { stated, bySource }) => {
    const site = openIngestSite();
    const consents = openConsents({
      store: site.store,
      auditLog: site.auditLog,
      days: openSubjectRegistry({ store: site.store, keys: siteKeys }),
      linkageKey: siteKeys.linkageKey,
    });
    const mapping = exportMapping(stated ? 'stated' : null);
    const given = 'number,visit,systolic,consent,stated\n7,2026-11-01,120,yes,2026-11-21\n';
    await site.importFiles({ 'rows.csv': given }, mapping);
    const [subjectId = '', first] = [...decisionsBySubject(site.store, consents.decisions('heart'))][0] ?? [];
    expect(first?.rule).toBe('permit');
    if (bySource) await site.importFiles({ 'rows.csv': given.replace('yes', 'no') }, mapping);
    else consents.withdraw({ subjectId, researchStudyId: 'heart' }, steward);
    const again = await site.importFiles({ 'rows.csv': given }, mapping);
    expect(again.files[0]?.outcome).not.toBe('rejected');
    expect(decisionsBySubject(site.store, consents.decisions('heart')).get(subjectId)?.rule).toBe(
      'withdrawn',
    );
    const granted = consents.grant({ subjectId, researchStudyId: 'heart', untilDate: null }, steward);
    expect(granted.rule).toBe('permit');
    site.close();
  });

  it('or grant for a research study that nothing here names is refused and leaves nothing', () => {
    const ward = openWard();
    addConsent(ward.store, ward.subjectId);
    const before = ward.events().length;
    const unknown = expect.objectContaining({ code: 'RESEARCH_STUDY_UNKNOWN' });
    const subject = { subjectId: ward.subjectId, researchStudyId: 'haert' };
    expect(() => ward.consents.withdraw(subject, steward)).toThrow(unknown);
    expect(() => ward.consents.grant({ ...subject, untilDate: null }, steward)).toThrow(unknown);
    expect(ward.events()).toHaveLength(before);
    ward.close();
  });

  it('is taken for a research study without a plan that a consent of the subject names', () => {
    const ward = openWard();
    addConsent(ward.store, ward.subjectId, { researchStudyId: 'lungs' });
    const row = ward.consents.withdraw({ subjectId: ward.subjectId, researchStudyId: 'lungs' }, steward);
    expect(row).toMatchObject({ decision: 'deny', rule: 'withdrawn' });
    ward.close();
  });

  it('of an unknown subject is refused and leaves nothing', () => {
    const ward = openWard();
    const before = ward.events().length;
    expect(() => ward.consents.withdraw({ subjectId: 'nobody', researchStudyId: 'heart' }, steward)).toThrow(
      expect.objectContaining({ code: 'SUBJECT_UNKNOWN' }),
    );
    expect(ward.events()).toHaveLength(before);
    ward.close();
  });
});

describe('a grant', () => {
  it('permits until its last day, in the shifted calendar of the subject', () => {
    const ward = openWard();
    const row = ward.consents.grant(
      { subjectId: ward.subjectId, researchStudyId: 'heart', untilDate: '2026-11-22' },
      steward,
    );
    expect(row).toMatchObject({
      decision: 'permit',
      rule: 'permit',
      untilDate: '2026-11-22',
      source: 'steward',
    });
    const stored = ward.store.get(ward.store.query.selectFrom('consent').select('until_day'));
    expect(stored?.until_day).not.toBe(testDay + 1);
    ward.clock.advance(86_400_000);
    expect(decisionsBySubject(ward.store, ward.consents.decisions('heart')).get(ward.subjectId)?.rule).toBe(
      'permit',
    );
    ward.clock.advance(86_400_000);
    expect(decisionsBySubject(ward.store, ward.consents.decisions('heart')).get(ward.subjectId)?.rule).toBe(
      'expired',
    );
    ward.close();
  });

  it('lifts a withdrawal of the same scope', () => {
    const ward = openWard();
    addConsent(ward.store, ward.subjectId);
    ward.consents.withdraw({ subjectId: ward.subjectId, researchStudyId: 'heart' }, steward);
    const row = ward.consents.grant(
      { subjectId: ward.subjectId, researchStudyId: 'heart', untilDate: null },
      steward,
    );
    expect(row).toMatchObject({ decision: 'permit', version: 3 });
    ward.close();
  });

  it.each([
    ['2026-11-20', 'CONSENT_UNTIL_PASSED'],
    ['2027-02-30', 'CONSENT_UNTIL_INVALID'],
  ])('until %s is refused', (untilDate, code) => {
    const ward = openWard();
    const grant = () =>
      ward.consents.grant({ subjectId: ward.subjectId, researchStudyId: 'heart', untilDate }, steward);
    expect(grant).toThrow(expect.objectContaining({ code }));
    ward.close();
  });
});

describe('the list of consents', () => {
  it('has the shape of the site contract', () => {
    const ward = openWard();
    addConsent(ward.store, ward.subjectId);
    expect(consentPage.parse(ward.consents.list(everything, steward)).rows).toHaveLength(1);
    consentRow.parse(
      ward.consents.withdraw({ subjectId: ward.subjectId, researchStudyId: 'heart' }, steward),
    );
    ward.close();
  });

  it.each<[string, Partial<Parameters<typeof addConsent>[2]>[], boolean]>([
    ['an imported refusal', [{ decision: 'deny' }], true],
    ['a consent that was entered in error', [{ status: 'entered-in-error' }], true],
    [
      'a refusal beside a consent to another',
      [{ decision: 'deny', researchStudyId: 'heart' }, { researchStudyId: 'lungs' }],
      false,
    ],
    ['a consent', [{}], false],
    ['one that has expired', [{ untilDay: 1 }], false],
    ['none', [], false],
  ])('asks for a decision on the data of somebody with %s: %s', (_, versions, awaitsErasure) => {
    const ward = openWard();
    for (const [index, version] of versions.entries())
      addConsent(ward.store, ward.subjectId, { consentId: `c${index}`, ...version });
    const flags = () => ward.consents.list(everything, steward).rows.map((row) => row.awaitsErasure);
    expect(flags()).toEqual([awaitsErasure]);
    ward.store.prepare("UPDATE subject SET erased_at = '2026-11-21T00:00:00.000Z'").run();
    expect(flags()).toEqual([false]);
    ward.close();
  });

  it('shows names to a steward, as an audit event, and to nobody else', () => {
    const ward = openWard();
    expect(ward.consents.list(everything, investigator).rows[0]?.patientName).toBeNull();
    expect(ward.events()).not.toContain('names-shown success');
    expect(ward.consents.list(everything, steward).rows[0]?.patientName).toBe('Ada Example');
    expect(ward.events()).toContain('names-shown success');
    ward.close();
  });

  it('finds by name or identifier for a steward, and by subject id for everybody', () => {
    const ward = openWard();
    addSubject(ward.store, 'zzz');
    const find = (search: string, actor: typeof steward | typeof investigator) =>
      ward.consents.list({ ...everything, search }, actor).rows.map(({ subjectId }) => subjectId);
    expect(find('ada ex', steward)).toEqual([ward.subjectId]);
    expect(find('P-1', steward)).toEqual([ward.subjectId]);
    expect(find('ada ex', investigator)).toEqual([]);
    expect(find('ZZ', investigator)).toEqual(['zzz']);
    ward.close();
  });

  it('pages, filters by decision and counts everybody', () => {
    const ward = openWard();
    for (const subjectId of ['a', 'b', 'c']) addSubject(ward.store, subjectId);
    const page = ward.consents.list({ ...everything, decision: 'permit', offset: 1, limit: 1 }, investigator);
    expect(page).toMatchObject({ total: 3, permitted: 3, denied: 1 });
    expect(page.rows.map(({ subjectId }) => subjectId)).toEqual(['b']);
    ward.close();
  });
});

it('asks for the purposes that the plan of the research study has', async () => {
  const site = openIngestSite({ inMemory: true });
  const resources = [
    { resourceType: 'Patient', id: 'p1', identifier: [{ system: 'urn:ward', value: 'P1' }] },
    researchConsent({
      provision: {
        provision: [
          {
            type: 'permit',
            purpose: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'HRESCH' }],
          },
        ],
      },
    }),
  ];
  await site.importFiles({ '1.ndjson': ndjson(...resources) });
  const { store, auditLog } = site;
  const decisionFor = (purposes: string[]) => {
    const days = openSubjectRegistry({ store, keys: siteKeys });
    const consents = openConsents({ store, auditLog, days, termsOf: () => ({ purposes }), ...siteKeys });
    return [...decisionsBySubject(store, consents.decisions('heart')).values()].map(
      ({ decision }) => decision,
    );
  };
  expect(decisionFor(['HRESCH'])).toEqual(['permit']);
  expect(decisionFor(['CLINTRL'])).toEqual(['deny']);
  site.close();
});
