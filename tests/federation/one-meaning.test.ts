// One meaning across formats (I10): the same patients in six formats are the same subjects with the same facts, the same feature rows
// and the same cohort, whatever the units and offsets of the source.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import { openCohorts } from '#site/cohort/index.ts';
import { openConsents } from '#site/consent/index.ts';
import { openSubjectRegistry } from '#site/deidentify/index.ts';
import { convertUnit } from '#site/ingest/index.ts';
import { type IngestSite, openIngestSite, siteKeys } from '#support/ingest-site.ts';
import { authorities, formats } from '#support/patient-formats.ts';
import {
  answered,
  answers,
  createSamePatients,
  hospitalZone,
  measured,
  systems,
} from '#support/same-patients.ts';
import { addConsent, createTestPlan, plainDays } from '#support/stored-subjects.ts';

const patients = createSamePatients(20);
const factsOfPatient = 4 + measured.length + 3;
const question = (code: string) => ({ system: systems.loinc, code, display: code });
const answer = (code: string) => ({ system: systems.snomed, code, display: code });

function createPlan(): ResearchStudyPlan {
  const quantities = measured.filter(({ name }) => name !== 'grade');
  return createTestPlan({
    dataElements: {
      indexEvent: { kind: 'fact', code: question(answered.split), which: 'first' },
      windowDays: { before: 30, after: 0 },
      criteria: { include: [], exclude: [] },
      split: {
        kind: 'coded',
        code: question(answered.split),
        training: answers.train,
        holdout: answers.test,
      },
      features: [
        { kind: 'age', name: 'age', code: question('30525-0'), unit: 'a', whenMissing: null },
        { kind: 'sex', name: 'sex', code: question('76689-9'), equals: 'male', whenMissing: null },
        ...quantities.map(({ name, code, unit }) => ({
          kind: 'quantity' as const,
          name,
          code: question(code),
          unit,
          aggregation: 'last' as const,
          windowDays: null,
          whenMissing: null,
          flagValue: null,
        })),
        {
          kind: 'boolean',
          name: 'angina',
          code: question(answered.angina),
          windowDays: null,
          whenMissing: null,
        },
        {
          kind: 'indicator',
          name: 'pain',
          code: question(answered.pain),
          equals: answer('29857009'),
          windowDays: null,
          whenMissing: null,
        },
      ],
      label: {
        kind: 'threshold',
        name: 'disease',
        code: question('77465-5'),
        unit: '1',
        greaterThan: 0,
        aggregation: 'last',
        windowDays: null,
      },
    },
  });
}

interface Told {
  readonly subjects: readonly string[];
  readonly facts: readonly string[];
  readonly cohortDigest: string;
  readonly rows: { readonly training: readonly number[]; readonly holdout: readonly number[] };
  readonly labels: readonly number[];
}

const sites: IngestSite[] = [];
const told = new Map<string, Told>();

interface FactRow {
  readonly kind: string;
  readonly code_system: string;
  readonly code: string;
  readonly value_number: number | null;
  readonly unit: string | null;
  readonly value_system: string | null;
  readonly value_code: string | null;
  readonly day: number;
  readonly second: number | null;
  readonly end_day: number | null;
  readonly subject_id: string;
}

/** One line for each fact, its value in the unit of the plan. */
function factsOf({ store }: IngestSite): string[] {
  const rows = store.prepare('SELECT * FROM subject_fact').all() as FactRow[];
  const wanted = new Map(measured.map(({ code, unit }) => [code, unit]));
  return rows
    .map((fact) => {
      const unit = wanted.get(fact.code) ?? null;
      const value =
        fact.value_number === null || unit === null
          ? fact.value_number
          : convertUnit(fact.value_number, fact.unit ?? '', unit);
      return JSON.stringify([
        fact.subject_id,
        fact.kind,
        fact.code_system,
        fact.code,
        value,
        fact.value_system,
        fact.value_code,
        fact.day,
        fact.second,
        fact.end_day,
      ]);
    })
    .sort();
}

async function read(name: string): Promise<Told> {
  const site = openIngestSite({ timeZone: hospitalZone.name, authorities });
  sites.push(site);
  const { files, mapping } = formats[name]?.(patients) ?? { files: {}, mapping: null };
  const summary = await site.importFiles(files, mapping);
  expect(summary.files.flatMap(({ refusals }) => refusals)).toEqual([]);
  expect(summary.files.every(({ outcome }) => outcome === 'accepted')).toBe(true);
  const { store, auditLog } = site;
  const subjects = (
    store.prepare('SELECT subject_id FROM subject ORDER BY 1').all() as { subject_id: string }[]
  ).map(({ subject_id }) => subject_id);
  for (const subjectId of subjects) addConsent(store, subjectId);
  const registry = openSubjectRegistry({ store, keys: siteKeys });
  const consents = openConsents({ store, auditLog, days: plainDays, linkageKey: siteKeys.linkageKey });
  const cohorts = openCohorts({
    store,
    auditLog,
    consents,
    ages: registry,
    pseudonymKey: () => new Uint8Array(32).fill(7),
  });
  const cohort = cohorts.freeze({
    plan: createPlan(),
    round: 1,
    kind: 'training',
    actor: { name: 'Ina Vest', role: 'investigator' },
  });
  const [training, holdout] = [cohort.matrix('training'), cohort.matrix('holdout')];
  return {
    subjects,
    facts: factsOf(site),
    cohortDigest: cohort.cohortDigest,
    rows: { training: [...training.values], holdout: [...holdout.values] },
    labels: [...training.labels, ...holdout.labels],
  };
}

beforeAll(async () => {
  for (const name of Object.keys(formats)) told.set(name, await read(name));
});
afterAll(() => {
  for (const site of sites) site.close();
});

describe('the same 20 patients', () => {
  const first = (): Told | undefined => told.get('FHIR bundles');

  it('are 20 subjects with all that was written of them, in cohorts of both parts', () => {
    expect(first()?.subjects).toHaveLength(20);
    expect(first()?.facts).toHaveLength(20 * factsOfPatient);
    expect(first()?.rows.training).toHaveLength(15 * 9);
    expect(first()?.rows.holdout).toHaveLength(5 * 9);
    expect(new Set(first()?.labels)).toEqual(new Set([0, 1]));
  });

  it('have the values that were written', () => {
    const systolic = (first()?.rows.training ?? []).filter((_, index) => index % 9 === 2);
    const written = patients.filter(({ split }) => split === 'train').map(({ values }) => values.systolic);
    expect(systolic.toSorted()).toEqual(written.toSorted());
  });

  it.each(Object.keys(formats))('mean the same in %s', (name) => {
    expect(told.get(name)).toEqual(first());
  });
});
