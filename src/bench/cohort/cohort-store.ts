// A site's store with generated subjects for `consilium bench cohort`: an index event, a fact for each feature, a label and a consent
// each, written straight into the tables. How records come in is what `consilium bench ingest` measures.
import path from 'node:path';
import { utf8 } from '#base/bytes.ts';
import { systemClock } from '#base/clock.ts';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import { openAnalyses } from '#site/analyses.ts';
import { openAuditLog } from '#site/audit/index.ts';
import { openCohorts } from '#site/cohort/index.ts';
import { openConsents } from '#site/consent/index.ts';
import { derivePseudonym, openSubjectRegistry } from '#site/deidentify/index.ts';
import { openStore, type Store } from '#site/store/index.ts';
import { Sequence } from '../ingest/fhir-export.ts';
import { benchCodes } from './cohort-plan.ts';

/** One key for all: two processes open the same store, and nothing in it is anybody's. */
const benchKey = new Uint8Array(32).fill(7);
const keys = { subjectKey: benchKey, linkageKey: benchKey };
const subjectsInTransaction = 2_000;
const indexDay = 20_000;

export function openCohortStore(profile: string): Store {
  return openStore({ file: path.join(profile, 'site.db'), key: benchKey, clock: systemClock });
}

export function openBenchCohorts(store: Store, profile: string) {
  const auditLog = openBenchLog(store);
  const registry = openSubjectRegistry({ store, keys });
  const door = { file: path.join(profile, 'site.db'), key: benchKey };
  const consents = openConsents({ store, auditLog, days: registry, linkageKey: keys.linkageKey });
  return openCohorts({ store, auditLog, consents, ages: registry, pseudonymKey: () => benchKey, door });
}

export function openBenchAnalyses(store: Store, profile: string) {
  const auditLog = openBenchLog(store);
  const door = { file: path.join(profile, 'site.db'), key: benchKey };
  return openAnalyses({ store, auditLog, keys, pseudonymKey: () => benchKey, door });
}

function openBenchLog(store: Store) {
  const signer = createSigningKey(benchKey);
  return openAuditLog({ store, signer, origin: 'bench', bootId: 'bench', softwareVersion: '0' });
}

export interface CohortStoreSize {
  readonly subjectCount: number;
  readonly featureCount: number;
}

/** The facts lie subject by subject, as an export brings them. The same numbers for the same size. */
export function writeCohortStore(profile: string, { subjectCount, featureCount }: CohortStoreSize): void {
  const store = openCohortStore(profile);
  const sequence = new Sequence(5_040);
  const concepts = addConcepts(store, featureCount);
  const statements = prepareStatements(store, featureCount + 2);
  for (let first = 1; first <= subjectCount; first += subjectsInTransaction) {
    store.transaction(() => {
      const last = Math.min(subjectCount, first + subjectsInTransaction - 1);
      for (let subjectNo = first; subjectNo <= last; subjectNo += 1) {
        const subjectId = derivePseudonym(benchKey, ['bench', String(subjectNo)]);
        statements.subject.run(subjectNo, subjectId);
        statements.consent.run(subjectId, subjectId, utf8(subjectId));
        const part = subjectNo % 4 === 0 ? concepts.holdout : concepts.training;
        let factId = (subjectNo - 1) * (concepts.measured.length + 1) + 1;
        const values: (number | null)[] = [concepts.split, factId, subjectNo, subjectNo, null, part];
        for (const conceptId of concepts.measured) {
          factId += 1;
          values.push(conceptId, factId, subjectNo, subjectNo);
          values.push(50 + sequence.below(1_000) / 10, concepts.unit);
        }
        statements.facts.run(...values);
      }
    }, 'with-the-next');
  }
  store.checkpoint();
  store.close();
}

interface BenchConcepts {
  readonly split: number;
  readonly training: number;
  readonly holdout: number;
  readonly unit: number;
  /** Of the label and the features. */
  readonly measured: readonly number[];
}

function addConcepts(store: Store, featureCount: number): BenchConcepts {
  const statement = store.prepare(
    'INSERT INTO concept (kind, system, code) VALUES (?, ?, ?) RETURNING concept_id',
  );
  const add = (kind: string, code: string, system: string = benchCodes.system): number =>
    (statement.get(kind, system, code) as { readonly concept_id: number }).concept_id;
  const features = Array.from({ length: featureCount }, (_, index) => benchCodes.feature(index));
  return {
    split: add('measurement', benchCodes.split),
    training: add('answer', benchCodes.training),
    holdout: add('answer', benchCodes.holdout),
    unit: add('unit', 'mg/dL', 'http://unitsofmeasure.org'),
    measured: [benchCodes.label, ...features].map((code) => add('measurement', code)),
  };
}

function prepareStatements(store: Store, factCount: number) {
  const fact = `(?, ?, ?, 0, ?, ?, ?, ${indexDay})`;
  return {
    subject: store.prepare(
      `INSERT INTO subject (subject_no, subject_id, sex, added_at) VALUES (?, ?, 'female', '2026-11-01T00:00:00.000Z')`,
    ),
    consent: store.prepare(
      `INSERT INTO consent (consent_id, version, subject_id, research_study_id, status, decision, stated_day, source,
      content_digest, recorded_at) VALUES (?, 1, ?, 'bench', 'active', 'permit', ${indexDay - 1_000}, 'csv', ?, '2026-11-01T00:00:00.000Z')`,
    ),
    facts: store.prepare(
      `INSERT INTO fact (concept_id, fact_id, record_key, record_check, subject_no, number, value_id, day)
      VALUES ${Array.from({ length: factCount }, () => fact).join(', ')}`,
    ),
  };
}
