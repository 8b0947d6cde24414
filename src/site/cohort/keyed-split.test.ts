import { describe, expect, it } from 'vitest';
import { openConsents } from '#site/consent/index.ts';
import { createSiteFoundation, type SiteFoundation } from '#support/site-foundation.ts';
import { addSubject, agesOf, createTestPlan, frozenCohorts, plainDays } from '#support/stored-subjects.ts';
import { openCohorts } from './index.ts';

const actor = { name: 'Ina Vest', role: 'investigator' } as const;
const keyed = (changes: object = {}) =>
  createTestPlan({
    dataElements: {
      ...createTestPlan().dataElements,
      split: { kind: 'keyed', holdoutPercent: 20, stratifyBy: 'label', ...changes },
    },
  });

function freeze({ store, auditLog, people }: SiteFoundation, plan = keyed()): void {
  const consents = openConsents({ store, auditLog, days: plainDays, linkageKey: new Uint8Array(32) });
  const pseudonymKey = people.researchStudyKey;
  const cohorts = openCohorts({ store, auditLog, consents, ages: agesOf(store), pseudonymKey });
  cohorts.freeze({ plan, round: 1, kind: 'training', actor });
}

/** Subject ids by the part of the last frozen cohort. */
function partsOf({ store }: SiteFoundation): Map<string, string> {
  const members = frozenCohorts(store).at(-1)?.members ?? [];
  return new Map(members.map(({ subjectId, part }) => [subjectId, part]));
}

function addMany({ store }: SiteFoundation, from: number, to: number): void {
  for (let index = from; index < to; index += 1)
    addSubject(store, `s${index}`, { grade: index % 5 === 0 ? 1 : 0 });
}

const isPositive = (subjectId: string) => Number(subjectId.slice(1)) % 5 === 0;
const holdoutOf = (parts: Map<string, string>) =>
  [...parts].filter(([, part]) => part === 'holdout').map(([subjectId]) => subjectId);

describe('a split that the site draws', () => {
  it('gives each value of the label its share of the holdout part', () => {
    const site = createSiteFoundation('keyed');
    addMany(site, 0, 50);
    freeze(site);
    const holdout = holdoutOf(partsOf(site));
    expect([holdout.length, holdout.filter(isPositive).length]).toEqual([10, 2]);
    site.close();
  });

  it('leaves everybody in their part when subjects come, and draws among the new ones', () => {
    const site = createSiteFoundation('keyed');
    addMany(site, 0, 50);
    freeze(site);
    const before = partsOf(site);
    addMany(site, 50, 100);
    freeze(site);
    const after = partsOf(site);
    expect([...before].filter(([subjectId, part]) => after.get(subjectId) !== part)).toEqual([]);
    expect(holdoutOf(after).filter(isPositive)).toHaveLength(4);
    expect(holdoutOf(after)).toHaveLength(20);
    site.close();
  });

  it('moves nobody when others are gone', () => {
    const site = createSiteFoundation('keyed');
    addMany(site, 0, 50);
    freeze(site);
    const before = partsOf(site);
    const [gone = ''] = holdoutOf(before);
    site.store.run(site.store.query.deleteFrom('consent').where('subject_id', '=', gone));
    freeze(site);
    const after = partsOf(site);
    expect(after.size).toBe(49);
    expect([...after].filter(([subjectId, part]) => before.get(subjectId) !== part)).toEqual([]);
    site.close();
  });

  it('is another one under another key: nobody outside can tell who is in which part', () => {
    const holdouts = ['alpha', 'beta'].map((name) => {
      const site = createSiteFoundation(name);
      addMany(site, 0, 50);
      freeze(site, keyed({ stratifyBy: 'nothing' }));
      const holdout = holdoutOf(partsOf(site)).sort();
      site.close();
      return holdout;
    });
    expect(holdouts[0]).toHaveLength(10);
    expect(holdouts[0]).not.toEqual(holdouts[1]);
  });

  it('leaves out whoever turns out to be two who were in both parts', () => {
    const site = createSiteFoundation('keyed');
    addMany(site, 0, 50);
    freeze(site);
    const parts = partsOf(site);
    const [tested = ''] = holdoutOf(parts);
    const trained = [...parts].find(([, part]) => part === 'training')?.[0] ?? '';
    const { store } = site;
    store
      .prepare(
        'UPDATE subject SET survivor_no = (SELECT subject_no FROM subject WHERE subject_id = ?) WHERE subject_id = ?',
      )
      .run(trained, tested);
    freeze(site);
    const after = partsOf(site);
    expect([after.size, after.has(trained), after.has(tested)]).toEqual([48, false, false]);
    site.close();
  });
});
