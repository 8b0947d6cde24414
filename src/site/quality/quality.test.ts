import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import { readCandidates } from '#site/cohort/index.ts';
import { openConsents } from '#site/consent/index.ts';
import { deathCode } from '#site/ingest/index.ts';
import { createSiteFoundation, type SiteFoundation } from '#support/site-foundation.ts';
import { addSeries, type StoredImage, type StoredSeries, slices } from '#support/stored-images.ts';
import {
  addConsent,
  addFact,
  addSubject,
  agesOf,
  codes,
  createTestPlan,
  plainDays,
  type StoredFact,
  type StoredSubject,
  testDay,
} from '#support/stored-subjects.ts';
import { type QualityReport, readQualityReport } from './index.ts';

const indexDay = testDay - 100;
const birthDay = indexDay - 60 * 365;
const subjectCount = 60;

let site: SiteFoundation | undefined;
afterEach(() => {
  site?.close();
  site = undefined;
});

interface World {
  readonly plan?: ResearchStudyPlan;
  /** By subject id. */
  readonly births?: ReadonlyMap<string, number>;
}

/** Sixty consenting subjects, complete and unlike each other, but for what is planted. */
function openWorld(change: (at: number) => StoredSubject = () => ({})): SiteFoundation {
  site = createSiteFoundation('quality');
  for (let at = 0; at < subjectCount; at += 1)
    addSubject(site.store, `s${at}`, {
      sex: at % 2 === 0 ? 'male' : 'female',
      age: 40 + (at % 30),
      cholesterol: 180 + ((at * 7) % 60),
      angina: at % 3 === 0 ? 1 : 0,
      pain: at % 2 === 0 ? '2' : '3',
      grade: at % 4 === 0 ? 1 : 0,
      ...change(at),
    });
  return site;
}

function report({ plan = createTestPlan(), births = new Map() }: World = {}): QualityReport {
  const { store, auditLog, people } = site ?? openWorld();
  const consents = openConsents({ store, auditLog, days: plainDays, linkageKey: new Uint8Array(32) });
  // Made outside of the transaction.
  const key = people.researchStudyKey(plan.researchStudyId);
  const source = { store, consents, ages: agesOf(store), pseudonymKey: () => key };
  const registry = {
    ...plainDays,
    birthDayOf: (subjectId: string) => births.get(subjectId) ?? birthDay,
  };
  return readQualityReport({ store, registry, candidates: (other) => readCandidates(source, other) }, plan);
}

/** What a finding says, without its place in the list. */
const found = ({ findings }: QualityReport) =>
  findings.map(({ code, about, subjectCount: count }) => [code, about, count]);

const planted = 6;
function plant(...facts: StoredFact[]): void {
  const { store } = openWorld();
  for (let at = 0; at < planted; at += 1) for (const fact of facts) addFact(store, `s${at}`, fact);
}

const cholesterol = { code: codes.cholesterol, unit: 'mg/dL', day: indexDay - 10 };

describe('a data-quality report', () => {
  it('finds nothing in data that are whole', () => {
    expect(report().findings).toEqual([]);
  });

  it.each<[string, string, string, () => World | undefined]>([
    [
      'facts before the birth',
      'fact-before-birth',
      codes.cholesterol.display,
      () => plant({ ...cholesterol, number: 200, day: birthDay - 1 }) ?? {},
    ],
    [
      'facts after today',
      'fact-in-future',
      codes.cholesterol.display,
      () => plant({ ...cholesterol, number: 200, day: testDay + 1 }) ?? {},
    ],
    [
      'facts after a recorded death',
      'fact-after-death',
      codes.cholesterol.display,
      () =>
        plant({ code: deathCode, day: indexDay }, { ...cholesterol, number: 200, day: indexDay + 1 }) ?? {},
    ],
    [
      'facts that end before they begin',
      'fact-ends-before-start',
      codes.cholesterol.display,
      () => plant({ ...cholesterol, number: 200, endDay: indexDay - 11 }) ?? {},
    ],
    [
      'the same fact of two records',
      'fact-duplicate',
      codes.cholesterol.display,
      () => plant({ ...cholesterol, number: 200 }, { ...cholesterol, number: 200 }) ?? {},
    ],
    [
      'a unit that does not convert',
      'unit-not-convertible',
      'chol',
      () => plant({ ...cholesterol, number: 2, unit: 'kg' }) ?? {},
    ],
    [
      'values far from all others',
      'value-far-out',
      'chol',
      () => plant({ ...cholesterol, number: 20_000 }) ?? {},
    ],
    [
      'values that the plan calls suspect',
      'value-flagged',
      'chol',
      () => void openWorld((at) => (at < planted ? { cholesterol: 0 } : {})),
    ],
    [
      'missing values',
      'value-missing',
      'chol',
      () => void openWorld((at) => (at < planted ? { without: ['2093-3'] } : {})),
    ],
    [
      'an age of more than 120 years',
      'age-impossible',
      'age',
      () => ({
        births: new Map(Array.from({ length: planted }, (_, at) => [`s${at}`, indexDay - 121 * 366])),
      }),
    ],
  ])('finds %s, once and nothing else', (_, code, about, prepare) => {
    const world = prepare() ?? {};
    expect(found(report(world))).toEqual([[code, about, planted]]);
  });

  it('finds negative values where all others are positive, but not where a quantity has a sign', () => {
    const { store } = openWorld();
    for (const day of [20, 19, 18, 17])
      for (let at = 0; at < subjectCount; at += 1)
        addFact(store, `s${at}`, { ...cholesterol, number: 200 + at, day: indexDay - day });
    for (let at = 0; at < planted; at += 1) addFact(store, `s${at}`, { ...cholesterol, number: -5 });
    expect(found(report())).toEqual([['value-negative', 'chol', planted]]);
    for (let at = 0; at < 20; at += 1)
      addFact(store, `s${at}`, { ...cholesterol, number: -5, day: indexDay - 11 });
    expect(found(report()).map(([code]) => code)).not.toContain('value-negative');
  });

  it('finds a column in which everybody has the same value', () => {
    openWorld(() => ({ angina: 0 }));
    expect(found(report())).toEqual([['column-constant', 'exang', null]]);
  });

  it('finds a code that nobody has, and what is probably meant, instead of a column of missing values', () => {
    const { store } = openWorld(() => ({ without: ['2093-3'] }));
    for (let at = 0; at < planted; at += 1)
      addFact(store, `s${at}`, {
        ...cholesterol,
        code: { system: 'urn:oid:loinc', code: '2093-3' },
        number: 200,
      });
    const { findings } = report();
    expect(findings.map(({ code, detail }) => [code, detail])).toEqual([
      ['code-not-found', '2093-3 (http://loinc.org)'],
      ['code-near-miss', '2093-3 (urn:oid:loinc)'],
    ]);
  });

  it('says which codes those lack who are left out', () => {
    const { store } = openWorld();
    for (let at = 0; at < 12; at += 1) {
      const without = at < planted ? ['split', '2093-3'] : ['split'];
      addSubject(store, `left${at}`, { without });
    }
    expect(found(report())).toEqual([
      ['code-missing-outside', 'split', 12],
      ['code-missing-outside', '2093-3', planted],
    ]);
  });

  it('tells nothing of them where the preview beside it would tell of a few', () => {
    const { store } = openWorld();
    for (let at = 0; at < 12; at += 1) addSubject(store, `left${at}`, { without: ['split', '2093-3'] });
    for (let at = 0; at < 3; at += 1)
      addSubject(store, `denied${at}`, { without: ['split'], consent: { decision: 'deny' } });
    expect(report().findings).toEqual([]);
  });

  it('says in which units a code is, and how often', () => {
    plant({ ...cholesterol, number: 5, unit: 'mmol/L' });
    const { codes: described } = report();
    expect(described.find(({ code }) => code === '2093-3')).toMatchObject({
      subjectCount: 60,
      factCount: 66,
      units: [
        { unit: 'mg/dL', subjectCount: 60, factCount: 60 },
        { unit: 'mmol/L', subjectCount: 6, factCount: 6 },
      ],
    });
  });

  it('leaves out who has no consent, with facts that would be found in others', () => {
    const { store } = openWorld();
    for (let at = 0; at < planted; at += 1) {
      addSubject(store, `out${at}`, { consent: { decision: 'deny' } });
      addFact(store, `out${at}`, { ...cholesterol, number: 200, day: testDay + 1 });
    }
    const { findings, subjectCount: count } = report();
    expect([findings, count]).toEqual([[], subjectCount]);
    for (let at = 0; at < planted; at += 1)
      addConsent(store, `s${at}`, { consentId: `x${at}`, decision: 'deny' });
    expect(report().subjectCount).toBe(subjectCount - planted);
  });
});

describe('the imaging part of the report', () => {
  const input = { modality: 'MR', bodyPart: null, rows: 64, columns: 64, intensityPercentile: 99 } as const;
  const plan = createTestPlan({ imaging: { ...input, series: 'all' } });
  const many = slices(6);

  function openImages(series: StoredSeries, of = plan): QualityReport {
    const { store } = openWorld();
    for (let at = 0; at < subjectCount; at += 1)
      addSeries(store, `s${at}`, {
        series: at < planted ? series : { images: many, isSegmented: true },
        day: indexDay,
      });
    return report({ plan: of });
  }

  it('finds nothing in series that are whole, in whatever order, nor in echoes of one place', () => {
    const made = openImages({ images: [...many, ...many].reverse(), isSegmented: true });
    expect(made.findings).toEqual([]);
    expect(made.imaging).toEqual([{ modality: 'MR', bodyPart: null, subjectCount: 60, seriesCount: 60 }]);
  });

  const changed = (change: StoredImage): StoredImage[] =>
    many.map((one, at) => (at === 3 ? { ...one, ...change } : one));
  it.each([
    ['image-slices-missing', many.filter((_, at) => at !== 3)],
    ['image-slices-missing', [...many, { position: [0, 0, 100] }]],
    ['image-spacing-mixed', changed({ rowSpacing: 1.2 })],
    ['image-size-mixed', changed({ rows: 32 })],
    ['image-bits-mixed', changed({ bitsStored: 16 })],
    ['image-orientation-mixed', changed({ orientation: [0, 1, 0, 0, 0, 1] })],
    ['image-geometry-missing', changed({ position: null })],
  ])('finds %s, once and nothing else', (code, images) => {
    expect(found(openImages({ images }))).toEqual([[code, 'MR', planted]]);
  });

  it('finds patients without a segmentation, where the plan wants one', () => {
    const segmented = createTestPlan({ imaging: { ...input, series: 'segmented' } });
    expect(found(openImages({ images: many }, segmented))).toEqual([['segmentation-missing', 'MR', planted]]);
  });

  it('finds CT images whose values nobody can scale', () => {
    const { store } = openWorld();
    for (let at = 0; at < subjectCount; at += 1) {
      const images = slices(4, at < planted ? { rescaleSlope: null } : {});
      addSeries(store, `s${at}`, { series: { modality: 'CT', images }, day: indexDay });
    }
    const ct = createTestPlan({ imaging: { ...input, modality: 'CT', series: 'all' } });
    expect(found(report({ plan: ct }))).toEqual([['image-rescale-missing', 'CT', planted]]);
  });
});

/** Every number in the report that counts somebody or something. */
function countsIn(value: unknown, name = ''): number[] {
  if (typeof value === 'number') return name.endsWith('Count') ? [value] : [];
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, inner]) => countsIn(inner, Array.isArray(value) ? name : key));
}

describe('suppression', () => {
  it('lets no count from 1 to 4 into the report, nor one that leaves so few others (C12)', () => {
    const defects: StoredFact[] = [
      { ...cholesterol, number: 200, day: testDay + 1 },
      { ...cholesterol, number: 2, unit: 'kg' },
      { ...cholesterol, number: 5, unit: 'mmol/L' },
      { ...cholesterol, number: -20_000 },
      { code: codes.angina, number: 1, day: birthDay - 1 },
    ];
    const few = fc.integer({ min: 0, max: 12 });
    fc.assert(
      fc.property(fc.array(few, { minLength: 5, maxLength: 5 }), few, few, (counts, lacking, flagged) => {
        const { store } = openWorld((at) => ({
          ...(at < lacking ? { without: ['2093-3'] } : {}),
          ...(at >= lacking && at < lacking + flagged ? { cholesterol: 0 } : {}),
        }));
        for (const [which, count] of counts.entries())
          for (let at = 0; at < count; at += 1) addFact(store, `s${59 - at}`, defects[which] ?? cholesterol);
        const made = report();
        site?.close();
        const all = countsIn(made);
        expect(all.length).toBeGreaterThan(20);
        expect(all.filter((count) => count > 0 && count < 5)).toEqual([]);
        const subjects = made.findings.map((finding) => finding.subjectCount ?? 0);
        expect(subjects.filter((count) => count > subjectCount - 5 && count < subjectCount)).toEqual([]);
        for (const { presentCount, histogram } of made.features)
          if (presentCount === null) expect(histogram).toBeNull();
      }),
      { numRuns: 25 },
    );
    site = undefined;
  });
});
