import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Criterion, DataElements, FeatureSpecification } from '#federation/records/data-elements.ts';
import { openConsents } from '#site/consent/index.ts';
import { createSiteFoundation } from '#support/site-foundation.ts';
import {
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
import { openCohorts, readPreview } from './index.ts';

const actor = { name: 'Ina Vest', role: 'investigator' } as const;
/** Where `addSubject` puts its facts. */
const indexDay = testDay - 100;
const own = (code: string) => ({
  system: 'https://consilium.example/fhir/CodeSystem/test',
  code,
  display: code,
});
const pressure = own('pressure');
const { dataElements } = createTestPlan();

/** Five complete subjects with the same further facts, under a plan with these data elements. */
function read(
  elements: Partial<DataElements>,
  facts: readonly StoredFact[] = [],
  subject: StoredSubject = {},
) {
  const site = createSiteFoundation('definition');
  const { store, auditLog } = site;
  for (let index = 0; index < 5; index += 1) {
    addSubject(store, `s${index}`, subject);
    for (const fact of facts) addFact(store, `s${index}`, fact);
  }
  const consents = openConsents({ store, auditLog, days: plainDays, linkageKey: new Uint8Array(32) });
  const { researchStudyKey: pseudonymKey } = site.people;
  const source = { store, auditLog, consents, ages: agesOf(store), pseudonymKey };
  const cohorts = openCohorts(source);
  const plan = createTestPlan({ dataElements: { ...dataElements, ...elements } });
  const { excluded, trainingCount } = readPreview(source, plan).selection;
  const matrix =
    trainingCount === 5
      ? cohorts.freeze({ plan, round: 1, kind: 'training', actor }).matrix('training')
      : undefined;
  site.close();
  return {
    reasons: excluded.map(({ reason }) => reason),
    row: matrix === undefined ? undefined : [...matrix.values.slice(0, matrix.width)],
    label: matrix?.labels[0],
  };
}

const quantity = (changes: object = {}): FeatureSpecification => ({
  kind: 'quantity',
  name: 'pressure',
  code: pressure,
  unit: 'mm[Hg]',
  aggregation: 'last',
  windowDays: null,
  whenMissing: null,
  flagValue: null,
  ...changes,
});
const measured = (day: number, number: number, unit = 'mm[Hg]'): StoredFact => ({
  code: pressure,
  number,
  unit,
  day: indexDay + day,
});

describe('a feature', () => {
  const course = [measured(-20, 120), measured(-10, 130), measured(0, 110), measured(40, 900)];

  it.each([
    ['last', 110],
    ['first', 120],
    ['mean', 120],
    ['min', 110],
    ['max', 130],
    ['slope', -0.5],
  ] as const)('takes the %s of the values in the plan’s window', (aggregation, expected) => {
    const { row } = read({ features: [quantity({ aggregation })] }, course);
    expect(row?.[0]).toBeCloseTo(expected, 12);
  });

  it('has a window of its own, also on the far side of the index day', () => {
    const after = { before: -1, after: 365 };
    expect(read({ features: [quantity({ windowDays: after })] }, course).row).toEqual([900]);
    const before = { before: 30, after: -5 };
    expect(read({ features: [quantity({ windowDays: before })] }, course).row).toEqual([130]);
  });

  it('is the same in whatever order the facts were imported', () => {
    const facts = [
      ...course,
      measured(-10, 0.1),
      measured(-10, 17, 'kPa'),
      measured(-10, 1e9),
      measured(0, 0.3),
    ];
    const features = (['last', 'first', 'mean', 'min', 'max', 'slope'] as const).map((aggregation) =>
      quantity({ aggregation, name: aggregation }),
    );
    const expected = read({ features }, facts).row;
    fc.assert(
      fc.property(fc.shuffledSubarray(facts, { minLength: facts.length }), (shuffled) => {
        expect(read({ features }, shuffled).row).toEqual(expected);
      }),
      { numRuns: 10, seed: 10 },
    );
  });

  it('counts facts, says whether there are any, and whether there are none', () => {
    const features = (['count', 'present', 'missing'] as const).map((aggregation) => ({
      kind: 'occurrence' as const,
      name: aggregation,
      code: pressure,
      aggregation,
      windowDays: null,
    }));
    expect(read({ features }, course).row).toEqual([3, 1, 0]);
    expect(read({ features }, []).row).toEqual([0, 0, 1]);
  });

  it('is filled where the plan says so, but not in the place of a value in a wrong unit', () => {
    const filled = { features: [quantity({ whenMissing: 99 })] };
    expect(read(filled, []).row).toEqual([99]);
    expect(read(filled, [measured(0, 80, 'kg')]).reasons).toEqual(['unit-not-convertible']);
    expect(read({ features: [quantity()] }, []).reasons).toEqual(['missing-feature']);
  });

  it('passes over facts that are no number of the kind', () => {
    const coded = { code: pressure, coded: 'refused', day: indexDay };
    expect(read({ features: [quantity()] }, [measured(-1, 125), coded]).row).toEqual([125]);
  });
});

describe('a criterion', () => {
  const factCriterion = (changes: object = {}): Criterion => ({
    kind: 'fact',
    name: 'pressure',
    code: pressure,
    value: null,
    atLeast: 1,
    windowDays: null,
    ...changes,
  });
  const range = (min: number | null, max: number | null, unit = 'mm[Hg]') => ({
    value: { kind: 'range', unit, min, max },
  });
  const coded = (...names: readonly string[]) => ({ value: { kind: 'coded', oneOf: names.map(own) } });
  const age = (min: number | null, max: number | null): Criterion => ({ kind: 'age', name: 'age', min, max });
  const facts = [measured(-5, 140), measured(-3, 150), { code: pressure, coded: 'high', day: indexDay }];

  it.each<[string, Criterion, boolean]>([
    ['a fact of the code', factCriterion(), true],
    ['as many facts', factCriterion({ atLeast: 3 }), true],
    ['more facts', factCriterion({ atLeast: 4 }), false],
    ['a fact in another window', factCriterion({ windowDays: { before: -1, after: 30 } }), false],
    ['a value in the range, ends included', factCriterion(range(150, 150)), true],
    ['a value above the range', factCriterion(range(null, 139.9)), false],
    ['two values in the range', factCriterion({ ...range(140, null), atLeast: 2 }), true],
    ['a value in the range of another unit', factCriterion(range(18, 19, 'kPa')), true],
    ['a value in a unit that does not convert', factCriterion(range(0, 1_000, 'kg')), false],
    ['a coded value of the list', factCriterion(coded('low', 'high')), true],
    ['a coded value of no list', factCriterion(coded('low')), false],
    ['an age in the range', age(60, 60), true],
    ['an age under it', age(61, null), false],
    ['an age over it', age(null, 59), false],
    ['the sex', { kind: 'sex', name: 'sex', equals: 'male' }, true],
    ['the other sex', { kind: 'sex', name: 'sex', equals: 'female' }, false],
  ])('that asks for %s includes or excludes whoever meets it', (_, criterion, isMet) => {
    const include = read({ criteria: { include: [criterion], exclude: [] } }, facts);
    expect(include.reasons).toEqual(isMet ? [] : ['criterion-not-met']);
    const exclude = read({ criteria: { include: [], exclude: [criterion] } }, facts);
    expect(exclude.reasons).toEqual(isMet ? ['criterion-excludes'] : []);
  });

  it('of an age is met by nobody whose age is unknown', () => {
    const criteria = { include: [age(null, null)], exclude: [] };
    const features = [quantity({ whenMissing: 0 })];
    expect(read({ criteria, features }, [], { age: null }).reasons).toEqual(['criterion-not-met']);
  });
});

describe('a label with a horizon', () => {
  const stroke = own('stroke');
  const visit = own('visit');
  const label = (changes: object = {}): DataElements['label'] => ({
    kind: 'occurrence',
    name: 'stroke',
    code: stroke,
    equals: null,
    windowDays: { before: -1, after: 365 },
    followUp: visit,
    ...changes,
  });
  const on = (code: StoredFact['code'], day: number, more: object = {}): StoredFact => ({
    code,
    day: indexDay + day,
    ...more,
  });

  it.each<[string, StoredFact[], object, number | undefined]>([
    ['is 1 where the event came in time', [on(stroke, 200)], {}, 1],
    ['is 1 on the last day of the horizon', [on(stroke, 365)], {}, 1],
    ['does not count an event of the index day', [on(stroke, 0), on(visit, 400)], {}, 0],
    ['is 0 where the subject was seen after the horizon without one', [on(visit, 365)], {}, 0],
    ['is 0 where the event came later', [on(stroke, 366), on(visit, 400)], {}, 0],
    ['is missing where nobody saw the subject so long', [on(visit, 364)], {}, undefined],
    ['is 0 for absence alone where nothing has to show it', [], { followUp: null }, 0],
    [
      'asks for the coded value',
      [on(stroke, 5, { coded: 'minor' }), on(visit, 400)],
      { equals: own('major') },
      0,
    ],
    ['takes the coded value', [on(stroke, 5, { coded: 'major' })], { equals: own('major') }, 1],
  ])('%s', (_, facts, changes, expected) => {
    const { label: found, reasons } = read(
      { label: label(changes), features: [quantity({ whenMissing: 0 })] },
      facts,
    );
    expect(found).toBe(expected);
    expect(reasons).toEqual(expected === undefined ? ['missing-label'] : []);
  });
});

describe('the index day', () => {
  it('is that of the first or the last index event', () => {
    const later = { code: codes.split, coded: 'train', day: indexDay + 50 };
    const first = { kind: 'fact', code: codes.split, which: 'first' } as const;
    const course = [later, measured(0, 100), measured(50, 200)];
    const features = [quantity({ windowDays: { before: 0, after: 0 } })];
    expect(read({ indexEvent: first, features, windowDays: { before: 60, after: 60 } }, course).row).toEqual([
      100,
    ]);
    const last = { ...first, which: 'last' } as const;
    expect(read({ indexEvent: last, features, windowDays: { before: 60, after: 60 } }, course).row).toEqual([
      200,
    ]);
  });
});
