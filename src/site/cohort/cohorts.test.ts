import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { encodeCanonicalJson } from '#federation/records/canonical-json.ts';
import { cohortPreview } from '#ipc/schema.ts';
import { openConsents } from '#site/consent/index.ts';
import { createSiteFoundation, type SiteFoundation } from '#support/site-foundation.ts';
import {
  addConsent,
  addFact,
  addSubject,
  agesOf,
  codes,
  createTestPlan,
  frozenCohorts,
  plainDays,
  type StoredSubject,
  testDay,
} from '#support/stored-subjects.ts';
import { type CohortPreview, type Cohorts, openCohorts, readPreview } from './index.ts';

const actor = { name: 'Ina Vest', role: 'investigator' } as const;
const plan = createTestPlan();
const freezing = { plan, round: 2, kind: 'training', actor } as const;

interface Site extends SiteFoundation {
  readonly cohorts: Cohorts;
  preview(of: typeof plan): CohortPreview;
}

function openSite(file?: string): Site {
  const site = createSiteFoundation('cohort', file);
  const { store, auditLog } = site;
  const consents = openConsents({ store, auditLog, days: plainDays, linkageKey: new Uint8Array(32) });
  const source = {
    store,
    auditLog,
    consents,
    ages: agesOf(store),
    pseudonymKey: site.people.researchStudyKey,
  };
  return { ...site, cohorts: openCohorts(source), preview: (of) => readPreview(source, of) };
}

/** The subject's consent says: data of these days and no others. */
function permitDays({ store }: Site, subjectId: string, dataFromDay: number): void {
  const rule = { fromDay: null, untilDay: null, dataFromDay: null, dataUntilDay: null, notUnderstood: false };
  const lists = { purposes: [], actors: [], classes: [], codes: [], securityLabels: [], actions: [] };
  const permit = { ...rule, ...lists, type: 'permit', dataFromDay, children: [] };
  const provision = { base: 'deny', root: { ...rule, ...lists, type: null, children: [permit] } };
  store.run(
    store.query
      .updateTable('consent')
      .set({ provision: JSON.stringify(provision) })
      .where('subject_id', '=', subjectId),
  );
}

function addMany(site: Site, count: number, subject: StoredSubject = {}, prefix = 'm'): void {
  for (let index = 0; index < count; index += 1) addSubject(site.store, `${prefix}${index}`, subject);
}

describe('who is in a cohort', () => {
  it('reads only data of days that the consent permits (C5)', () => {
    const indexDay = testDay - 100;
    const site = openSite();
    addMany(site, 6);
    for (const subjectId of ['free', 'limited', 'closed']) {
      addSubject(site.store, subjectId, { without: ['2093-3'] });
      addFact(site.store, subjectId, {
        code: codes.cholesterol,
        number: 300,
        unit: 'mg/dL',
        day: indexDay - 10,
      });
    }
    permitDays(site, 'free', indexDay - 10);
    permitDays(site, 'limited', indexDay - 9);
    permitDays(site, 'closed', indexDay + 1);
    const members = site.cohorts.freeze(freezing).matrix('training');
    expect(members.count).toBe(7);
    const columns = Array.from({ length: 7 }, (_, row) => members.values[row * members.width + 2]);
    expect(columns.sort()).toEqual([200, 200, 200, 200, 200, 200, 300]);
    const subjects = frozenCohorts(site.store)[0]?.members.map(({ subjectId }) => subjectId);
    expect(subjects).toHaveLength(7);
    expect(subjects).toContain('free');
    site.close();
  });

  it.each<[string, StoredSubject, string]>([
    ['without an index event', { without: ['split'] }, 'no-index-event'],
    ['without a consent', { consent: null }, 'no-consent'],
    ['who never agreed', { consent: { decision: 'deny' } }, 'consent-denied'],
    ['whose consent has ended', { consent: { untilDay: testDay - 1 } }, 'consent-expired'],
    ['whose consent is a draft', { consent: { status: 'draft' } }, 'consent-inactive'],
    ['in no part of the split', { part: 'neither' as 'train' }, 'no-split'],
    ['without a birth date', { age: null }, 'missing-feature'],
    ['of unknown sex', { sex: 'unknown' }, 'missing-feature'],
    ['without a measurement', { without: ['2093-3'] }, 'missing-feature'],
    ['with a measurement in another kind of unit', { unit: 'kg' }, 'unit-not-convertible'],
    ['with an outcome in another kind of unit', { gradeUnit: 'kg' }, 'unit-not-convertible'],
    ['without a label', { without: ['disease-grade'] }, 'missing-label'],
  ])('is nobody %s', (_, subject, reason) => {
    const site = openSite();
    addMany(site, 6);
    addMany(site, 6, subject, 'out');
    const { selection } = site.preview(plan);
    expect(selection).toEqual({
      subjectCount: 12,
      trainingCount: 6,
      holdoutCount: 0,
      excluded: [{ reason, count: 6 }],
    });
    site.close();
  });

  it('is nobody whom two facts put into both parts: a row that was trained on must not test', () => {
    const site = openSite();
    addMany(site, 5);
    addMany(site, 5, {}, 'both');
    for (let index = 0; index < 5; index += 1)
      addFact(site.store, `both${index}`, { code: codes.split, coded: 'test', day: testDay });
    expect(site.preview(plan).selection.excluded).toEqual([{ reason: 'ambiguous-split', count: 5 }]);
    site.close();
  });

  it('is a withdrawn patient in no cohort, nor in its snapshot or matrix', () => {
    const site = openSite();
    addMany(site, 6);
    addConsent(site.store, 'm3', { consentId: 'other', decision: 'deny' });
    const cohort = site.cohorts.freeze(freezing);
    expect(cohort.matrix('training').count).toBe(5);
    const subjects = frozenCohorts(site.store)[0]?.members.map(({ subjectId }) => subjectId);
    expect(subjects).toHaveLength(5);
    expect(subjects).not.toContain('m3');
    site.close();
  });

  it('shrinks or stays with every deny that is added (C15)', () => {
    const site = openSite();
    addMany(site, 12);
    const countOf = () => {
      const { trainingCount } = site.preview(plan).selection;
      return trainingCount ?? 0;
    };
    let version = 0;
    fc.assert(
      fc.property(fc.nat(11), fc.constantFrom('heart', 'lungs', null), (index, researchStudyId) => {
        const before = countOf();
        version += 1;
        addConsent(site.store, `m${index}`, {
          consentId: `deny-${version}`,
          decision: 'deny',
          researchStudyId,
        });
        expect(countOf()).toBeLessThanOrEqual(before);
      }),
      { numRuns: 15, seed: 15 },
    );
    site.close();
  });
});

describe('the feature matrix', () => {
  it('has the plan’s columns in order, converted, with age, sex, indicators and label', () => {
    const site = openSite();
    addMany(site, 4);
    addSubject(site.store, 'w', {
      sex: 'female',
      age: 90,
      cholesterol: 2,
      unit: 'g/L',
      angina: 1,
      pain: '3',
      grade: 2,
    });
    const { values, labels, count, width } = site.cohorts.freeze(freezing).matrix('training');
    expect([count, width]).toEqual([5, 6]);
    const rows = Array.from({ length: count }, (_, row) => [
      ...values.slice(row * width, (row + 1) * width),
      labels[row] ?? -1,
    ]);
    expect(rows.filter((row) => row[1] === 1)).toEqual(
      Array.from({ length: 4 }, () => [60, 1, 200, 0, 1, 0, 0]),
    );
    const [age, sex, cholesterol, ...rest] = rows.find((row) => row[1] === 0) ?? [];
    expect([age, sex, ...rest]).toEqual([90, 0, 1, 0, 1, 1]);
    expect(cholesterol).toBeCloseTo(200, 9);
    site.close();
  });

  it('takes the latest fact inside the window, and on one day the same one in whatever order they came', () => {
    const cholesterols = (order: readonly [number, number][]) => {
      const site = openSite();
      addMany(site, 5, { without: ['2093-3'] });
      for (let index = 0; index < 5; index += 1) {
        for (const [day, number] of order)
          addFact(site.store, `m${index}`, { code: codes.cholesterol, number, unit: 'mg/dL', day });
      }
      const { values, width } = site.cohorts.freeze(freezing).matrix('training');
      site.close();
      return values[width + 2];
    };
    const index = testDay - 100;
    expect(
      cholesterols([
        [index - 31, 100],
        [index - 30, 110],
        [index + 1, 120],
      ]),
    ).toBe(110);
    expect(
      cholesterols([
        [index - 1, 130],
        [index - 1, 140],
        [index - 2, 150],
      ]),
    ).toBe(140);
    expect(
      cholesterols([
        [index - 1, 140],
        [index - 2, 150],
        [index - 1, 130],
      ]),
    ).toBe(140);
  });

  it('takes the latest fact whose unit converts, whatever came later in a unit of another kind', () => {
    const site = openSite();
    addMany(site, 5);
    for (let index = 0; index < 5; index += 1) {
      const day = testDay - 100;
      addFact(site.store, `m${index}`, { code: codes.cholesterol, number: 190, unit: 'mg/dL', day: day - 1 });
      addFact(site.store, `m${index}`, { code: codes.cholesterol, number: 5.2, unit: 'mmol/L', day });
    }
    const { values, width } = site.cohorts.freeze(freezing).matrix('training');
    expect([values[2], values[width + 2]]).toEqual([200, 200]);
    expect(site.preview(plan).features[2]).toMatchObject({
      presentCount: 5,
      unitNotConvertibleCount: 0,
    });
    site.close();
  });

  it('is the same bytes, with the same digest, in whatever order the subjects came', () => {
    const freeze = (subjectIds: readonly string[]) => {
      const site = openSite();
      for (const id of subjectIds) addSubject(site.store, id, { cholesterol: 100 + id.length });
      const cohort = site.cohorts.freeze(freezing);
      site.close();
      return { cohort, matrix: cohort.matrix('training') };
    };
    const one = freeze(['a', 'bb', 'ccc', 'dddd', 'eeeee']);
    const two = freeze(['eeeee', 'ccc', 'a', 'dddd', 'bb']);
    expect(two.matrix).toEqual(one.matrix);
    expect(two.cohort.cohortDigest).toBe(one.cohort.cohortDigest);
    expect(two.cohort.consentSnapshotDigest).toBe(one.cohort.consentSnapshotDigest);
  });
});

describe('freezing a cohort', () => {
  it('stores digests that follow from the stored list and snapshot', () => {
    const site = openSite();
    addMany(site, 5);
    addMany(site, 3, { part: 'test' }, 'h');
    const cohort = site.cohorts.freeze(freezing);
    const members = frozenCohorts(site.store)[0]?.members ?? [];
    const pseudonyms = members.map(({ pseudonym }) => pseudonym);
    expect(pseudonyms).toEqual([...pseudonyms].sort());
    expect(new Set(pseudonyms).size).toBe(8);
    expect(
      members.some(({ pseudonym, subjectId }) => pseudonym.includes(subjectId) && subjectId.length > 4),
    ).toBe(false);
    expect(cohort.cohortDigest).toBe(sha256Hex(Buffer.from(`${pseudonyms.join('\n')}\n`)));
    const entries = members.map(({ subjectId, pseudonym }) => ({
      consentId: `consent-${subjectId}`,
      decision: 'permit',
      path: ['root'],
      pseudonym,
      rule: 'permit',
      version: 1,
    }));
    expect(cohort.consentSnapshotDigest).toBe(sha256Hex(encodeCanonicalJson(entries)));
    expect(cohort.matrix('holdout').count).toBe(3);
    expect(site.events()).toContain('cohort-frozen success');
    site.close();
  });

  it.each([
    ['training', 4, 3],
    ['statistics', 4, 3],
    ['evaluation', 5, 2],
  ] as const)(
    'of a %s round under the minimum is refused with an audit event and no row',
    (kind, training, holdout) => {
      const site = openSite();
      addMany(site, training);
      addMany(site, holdout, { part: 'test' }, 'h');
      const found = { details: expect.objectContaining({ found: null }), code: 'COHORT_TOO_SMALL' };
      expect(() => site.cohorts.freeze({ ...freezing, kind })).toThrow(expect.objectContaining(found));
      expect(site.store.get(site.store.query.selectFrom('cohort').selectAll())).toBeUndefined();
      expect(site.events()).toContain('cohort-refused refused COHORT_TOO_SMALL');
      site.close();
    },
  );

  it('without the opt-out list that the plan asks for is refused with an audit event and no row', () => {
    const site = openSite();
    addMany(site, 5);
    const asking = { ...plan, optOutLists: [{ authority: 'urn:example:registry', maxAgeDays: 7 }] };
    expect(() => site.cohorts.freeze({ ...freezing, plan: asking })).toThrow(
      expect.objectContaining({ code: 'OPT_OUT_LIST_STALE' }),
    );
    expect(site.store.get(site.store.query.selectFrom('cohort').selectAll())).toBeUndefined();
    expect(site.events()).toContain('cohort-refused refused OPT_OUT_LIST_STALE');
    site.close();
  });

  it('asks only for what the round uses: an evaluation needs no training rows', () => {
    const site = openSite();
    addMany(site, 5, { part: 'test' });
    expect(site.cohorts.freeze({ ...freezing, kind: 'evaluation' }).matrix('holdout').count).toBe(5);
    expect(site.cohorts.evaluationRows(plan).matrix('holdout').count).toBe(5);
    site.close();
  });
});

describe('rechecking a frozen cohort (C9)', () => {
  const openFrozen = () => {
    const site = openSite();
    addMany(site, 6);
    const { cohortId, cohortDigest, consentSnapshotDigest } = site.cohorts.freeze(freezing);
    return {
      site,
      recheck: () => site.cohorts.recheck(cohortId),
      frozen: { cohortDigest, consentSnapshotDigest },
    };
  };

  it('gives the same digests while nothing changed, also when others came to the site', () => {
    const { site, recheck, frozen } = openFrozen();
    addMany(site, 5, {}, 'new');
    expect(recheck()).toEqual(frozen);
    site.close();
  });

  it('gives other digests after a withdrawal', () => {
    const { site, recheck, frozen } = openFrozen();
    addConsent(site.store, 'm2', { consentId: 'other', decision: 'deny', researchStudyId: null });
    expect(recheck().cohortDigest).not.toBe(frozen.cohortDigest);
    expect(recheck().consentSnapshotDigest).not.toBe(frozen.consentSnapshotDigest);
    site.close();
  });

  it('gives other digests once a consent has run out', () => {
    const site = openSite();
    addMany(site, 6, { consent: { untilDay: testDay } });
    const { cohortId, consentSnapshotDigest } = site.cohorts.freeze(freezing);
    site.clock.advance(86_400_000);
    expect(site.cohorts.recheck(cohortId).consentSnapshotDigest).not.toBe(consentSnapshotDigest);
    site.close();
  });

  it('refuses an unknown cohort', () => {
    const site = openSite();
    expect(() => site.cohorts.recheck('none')).toThrow(expect.objectContaining({ code: 'COHORT_NOT_FOUND' }));
    site.close();
  });
});

describe('the preview', () => {
  it('withholds small counts, and with them those that would tell them', () => {
    const site = openSite();
    addMany(site, 20);
    addMany(site, 8, { part: 'test' }, 'h');
    addMany(site, 2, { without: ['2093-3'] }, 'x');
    addMany(site, 3, { consent: null }, 'n');
    addMany(site, 9, { consent: { untilDay: testDay - 1 } }, 'e');
    const { selection, features } = site.preview(plan);
    expect(selection).toEqual({
      subjectCount: 42,
      trainingCount: 20,
      holdoutCount: null,
      excluded: [
        { reason: 'no-consent', count: null },
        { reason: 'consent-expired', count: null },
        { reason: 'missing-feature', count: null },
      ],
    });
    expect(features[2]).toEqual({
      name: 'chol',
      presentCount: null,
      missingCount: null,
      unitNotConvertibleCount: 0,
      flaggedCount: 0,
      isConstant: true,
    });
    expect(features[0]).toMatchObject({ name: 'age', presentCount: 30, missingCount: 0 });
    site.close();
  });

  it('says whom the unit of a value leaves out, apart from those without a value', () => {
    const site = openSite();
    addMany(site, 10);
    addMany(site, 6, { cholesterol: 5.2, unit: 'mmol/L' }, 'u');
    addMany(site, 5, { without: ['2093-3'] }, 'x');
    addMany(site, 7, { cholesterol: 5.2, unit: 'mmol/L', angina: 1, without: ['disease-grade'] }, 'l');
    const { selection, features } = cohortPreview.parse(site.preview(plan));
    expect(selection.excluded).toEqual([
      { reason: 'missing-feature', count: 5 },
      { reason: 'missing-label', count: 7 },
      { reason: 'unit-not-convertible', count: 6 },
    ]);
    expect(features[2]).toMatchObject({ presentCount: 10, missingCount: 5, unitNotConvertibleCount: 13 });
    expect(features[3]).toMatchObject({ presentCount: 28, missingCount: 0, unitNotConvertibleCount: 0 });
    site.close();
  });

  it('counts flagged values and stores nothing but its audit event', () => {
    const site = openSite();
    addMany(site, 7, { cholesterol: 0 });
    const preview = cohortPreview.parse(site.preview(plan));
    expect(preview.meetsMinimum).toBe(true);
    expect(preview.features[2]).toMatchObject({ flaggedCount: 7, isConstant: true });
    expect(site.store.get(site.store.query.selectFrom('cohort').selectAll())).toBeUndefined();
    site.close();
  });
});

describe('a cohort on the disk', () => {
  it('lies in the encrypted store alone', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'consilium-cohort-'));
    try {
      const file = path.join(folder, 'site.db');
      const site = openSite(file);
      addMany(site, 5, {}, 'a-planted-subject-id-');
      site.cohorts.freeze(freezing);
      site.close();
      const bytes = readFileSync(file);
      expect(bytes.length).toBeGreaterThan(4096);
      expect(bytes.includes('a-planted-subject-id')).toBe(false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
