import { describe, expect, it } from 'vitest';
import { consentPage, consentRow } from '#ipc/schema.ts';
import { openSubjectRegistry } from '#site/deidentify/index.ts';
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

/** One patient with a name, and a consent for the research study. */
function openWard(): Ward {
  const site = createSiteFoundation('consent');
  const registry = openSubjectRegistry({ store: site.store, keys });
  const { subjectId } = registry.recordPatient({
    key: { authority: 'ward', identifier: 'P-1' },
    alias: null,
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
      patientName: 'Ada Example',
    });
    expect(ward.consents.list(everything, steward)).toMatchObject({ permitted: 0, denied: 1 });
    expect(ward.events()).toContain('consent-withdrawn success');
    ward.close();
  });

  it('from one research study leaves a general permit to the others', () => {
    const ward = openWard();
    addConsent(ward.store, ward.subjectId, { researchStudyId: null });
    ward.consents.withdraw({ subjectId: ward.subjectId, researchStudyId: 'heart' }, steward);
    expect(ward.consents.decisions('heart').get(ward.subjectId)?.decision).toBe('deny');
    expect(ward.consents.decisions('lungs').get(ward.subjectId)?.decision).toBe('permit');
    ward.close();
  });

  it('from research in general ends the consents for single research studies too', () => {
    const ward = openWard();
    addConsent(ward.store, ward.subjectId);
    ward.consents.withdraw({ subjectId: ward.subjectId, researchStudyId: null }, steward);
    expect(ward.consents.decisions('heart').get(ward.subjectId)?.decision).toBe('deny');
    const regranted = ward.consents.grant(
      { subjectId: ward.subjectId, researchStudyId: 'heart', untilDate: null },
      steward,
    );
    expect(regranted.decision).toBe('deny');
    ward.close();
  });

  it('holds although an older export of the consent is read after it', () => {
    const ward = openWard();
    addConsent(ward.store, ward.subjectId);
    ward.consents.withdraw({ subjectId: ward.subjectId, researchStudyId: 'heart' }, steward);
    addConsent(ward.store, ward.subjectId, { version: 3 });
    expect(ward.consents.decisions('heart').get(ward.subjectId)).toMatchObject({
      decision: 'deny',
      rule: 'withdrawn',
    });
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
    expect(ward.consents.decisions('heart').get(ward.subjectId)?.rule).toBe('permit');
    ward.clock.advance(86_400_000);
    expect(ward.consents.decisions('heart').get(ward.subjectId)?.rule).toBe('expired');
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
