// Subjects with facts and consents written straight into a store, and a small plan that reads them: for stages behind ingest.
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import type { SubjectDays } from '#site/consent/index.ts';
import type { SubjectAges } from '#site/deidentify/index.ts';
import type { Store } from '#site/store/index.ts';

const loinc = 'http://loinc.org';
const own = 'https://consilium.example/fhir/CodeSystem/test';
const code = (system: string, name: string) => ({ system, code: name, display: name });

export const codes = {
  split: code(own, 'split'),
  cholesterol: code(loinc, '2093-3'),
  pain: code(own, 'chest-pain-type'),
  angina: code(own, 'exercise-angina'),
  grade: code(own, 'disease-grade'),
  age: code(loinc, '30525-0'),
  sex: code(loinc, '76689-9'),
} as const;

/** Features: age, sex, chol (mg/dL, flag 0), exang, cp_2, cp_3. Label: grade above 0. */
export function createTestPlan(changes: Partial<ResearchStudyPlan> = {}): ResearchStudyPlan {
  return {
    researchStudyId: 'heart',
    version: 1,
    title: 'Test',
    summary: 'A plan for tests.',
    legalBasis: 'consent',
    agreementDigest: null,
    ethicsNumber: null,
    purposes: ['HRESCH'],
    participants: [{ siteId: 'alpha', name: 'Alpha' }],
    dataElements: {
      indexEvent: { kind: 'fact', code: codes.split, which: 'first' },
      windowDays: { before: 30, after: 0 },
      criteria: { include: [], exclude: [] },
      split: { kind: 'coded', code: codes.split, training: 'train', holdout: 'test' },
      features: [
        { kind: 'age', name: 'age', code: codes.age, unit: 'a', whenMissing: null },
        { kind: 'sex', name: 'sex', code: codes.sex, equals: 'male', whenMissing: null },
        {
          kind: 'quantity',
          name: 'chol',
          code: codes.cholesterol,
          unit: 'mg/dL',
          aggregation: 'last',
          windowDays: null,
          whenMissing: null,
          flagValue: 0,
        },
        { kind: 'boolean', name: 'exang', code: codes.angina, windowDays: null, whenMissing: null },
        ...['2', '3'].map((answer) => ({
          kind: 'indicator' as const,
          name: `cp_${answer}`,
          code: codes.pain,
          equals: code(own, answer),
          windowDays: null,
          whenMissing: null,
        })),
      ],
      label: {
        kind: 'threshold',
        name: 'disease',
        code: codes.grade,
        unit: '1',
        greaterThan: 0,
        aggregation: 'last',
        windowDays: null,
      },
    },
    imaging: null,
    minimumCohort: { training: 5, evaluation: 5, reason: 'a test' },
    normalisation: { scope: 'federated' },
    statistics: { minimumCell: 5, maximumCells: 4, histograms: [], noise: null },
    model: { kind: 'logistic-regression', inputCount: 6, initialisation: { kind: 'zeros' } },
    training: { optimizer: { kind: 'sgd', learningRate: 0.1 }, batchSize: 4, localUpdates: 10 },
    rounds: ['statistics', 'training', 'evaluation'],
    aggregation: { strategy: 'fedavg', weighting: 'example-count' },
    limits: { maxUpdateBytes: 100_000, maxUpdateNorm: 10, maxClockSkewMs: 60_000 },
    privacy: null,
    secureAggregation: null,
    optOutLists: [],
    withdrawal: { remedy: 'rebuild-model' },
    approval: { requiredStewards: 1 },
    retentionDays: 365,
    publishedAt: '2026-11-01T00:00:00.000Z',
    ...changes,
  };
}

/** 2026-11-21, the day of the test clock. */
export const testDay = 20_778;

/** No shift, and no birth date: a test reads better with plain days. */
export const plainDays: SubjectDays = { shiftDay: (_, day) => day, birthDayOf: () => undefined };

export interface StoredFact {
  readonly code: { readonly system: string; readonly code: string };
  readonly number?: number;
  readonly unit?: string;
  readonly coded?: string;
  readonly day?: number;
  readonly endDay?: number;
}

const indexDay = testDay - 100;
let sourceCount = 0;

/** Ages as `addSubject` was told them: of tests whose subjects have no sealed birth date. By store and subject. */
const toldAges = new WeakMap<Store, Map<string, number | null>>();

export function agesOf(store: Store): SubjectAges {
  return { ageOn: (subjectId) => toldAges.get(store)?.get(subjectId) ?? null };
}

export function addFact(store: Store, subjectId: string, fact: StoredFact): void {
  sourceCount += 1;
  const { unit, coded } = fact;
  const valueId =
    coded !== undefined
      ? conceptId(store, { kind: 'answer', system: own, code: coded })
      : unit !== undefined
        ? conceptId(store, { kind: 'unit', system: 'http://unitsofmeasure.org', code: unit })
        : null;
  store.run(
    store.query.insertInto('fact').values(({ selectFrom }) => ({
      fact_id: sourceCount,
      record_key: sourceCount,
      record_check: 0,
      subject_no: selectFrom('subject').select('subject_no').where('subject_id', '=', subjectId),
      concept_id: conceptId(store, { kind: 'measurement', system: fact.code.system, code: fact.code.code }),
      number: fact.number ?? null,
      value_id: valueId,
      day: fact.day ?? indexDay,
      second: null,
      end_day: fact.endDay ?? null,
      outcome_id: null,
      row: null,
    })),
  );
}

function conceptId(store: Store, concept: { kind: string; system: string; code: string }): number {
  const { query } = store;
  store.run(
    query
      .insertInto('concept')
      .values(concept)
      .onConflict((conflict) => conflict.doNothing()),
  );
  const { kind, system, code: name } = concept;
  const row = store.get(
    query
      .selectFrom('concept')
      .select('concept_id')
      .where('kind', '=', kind)
      .where('system', '=', system)
      .where('code', '=', name),
  );
  return row?.concept_id ?? 0;
}

export interface StoredConsent {
  readonly consentId?: string;
  readonly version?: number;
  readonly researchStudyId?: string | null;
  readonly status?: string;
  readonly decision?: 'permit' | 'deny';
  readonly untilDay?: number | null;
}

export function addConsent(store: Store, subjectId: string, consent: StoredConsent = {}): void {
  store.run(
    store.query.insertInto('consent').values({
      consent_id: consent.consentId ?? `consent-${subjectId}`,
      version: consent.version ?? 1,
      subject_id: subjectId,
      research_study_id: consent.researchStudyId === undefined ? 'heart' : consent.researchStudyId,
      status: consent.status ?? 'active',
      decision: consent.decision ?? 'permit',
      stated_day: indexDay,
      from_day: null,
      until_day: consent.untilDay ?? null,
      source: 'csv',
      content_digest: new Uint8Array(32),
      recorded_at: '2026-11-01T00:00:00.000Z',
    }),
  );
}

export interface StoredSubject {
  readonly part?: 'train' | 'test';
  readonly sex?: string | null;
  readonly age?: number | null;
  readonly cholesterol?: number;
  readonly unit?: string;
  readonly angina?: 0 | 1;
  readonly pain?: string;
  readonly grade?: number;
  readonly gradeUnit?: string;
  /** Left out: nobody consented. */
  readonly consent?: StoredConsent | null;
  /** Codes of which no fact is stored. */
  readonly without?: readonly string[];
}

/** A complete, consenting subject in the training part, but for what is said. */
export function addSubject(store: Store, subjectId: string, subject: StoredSubject = {}): void {
  const { sex = 'male', age = 60, without = [] } = subject;
  store.run(
    store.query
      .insertInto('subject')
      .values({ subject_id: subjectId, sex, added_at: '2026-11-01T00:00:00.000Z' }),
  );
  const facts: StoredFact[] = [
    { code: codes.split, coded: subject.part ?? 'train' },
    { code: codes.cholesterol, number: subject.cholesterol ?? 200, unit: subject.unit ?? 'mg/dL' },
    { code: codes.angina, number: subject.angina ?? 0 },
    { code: codes.pain, coded: subject.pain ?? '2' },
    { code: codes.grade, number: subject.grade ?? 0, unit: subject.gradeUnit ?? '1' },
  ];
  for (const fact of facts) if (!without.includes(fact.code.code)) addFact(store, subjectId, fact);
  toldAges.set(store, (toldAges.get(store) ?? new Map<string, number | null>()).set(subjectId, age));
  if (subject.consent !== null) addConsent(store, subjectId, subject.consent);
}

export interface FrozenMember {
  readonly subjectId: string;
  readonly pseudonym: string;
  readonly part: 'training' | 'holdout';
}

/** Who was in the cohorts of a store, oldest cohort first. */
export function frozenCohorts(store: Store): { readonly round: number; readonly members: FrozenMember[] }[] {
  const { query } = store;
  const cohorts = store.all(query.selectFrom('cohort').select(['cohort_id', 'round']).orderBy('frozen_at'));
  return cohorts.map(({ cohort_id: cohortId, round }) => {
    const members = query
      .selectFrom('cohort_member')
      .innerJoin('subject', 'subject.subject_no', 'cohort_member.subject_no')
      .select(['subject_id as subjectId', 'pseudonym', 'part'])
      .where('cohort_id', '=', cohortId)
      .orderBy('pseudonym');
    return { round, members: store.all(members) };
  });
}
