import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { systemActor } from '#site/audit/index.ts';
import { createCohortPlan } from './cohort-plan.ts';
import { openBenchCohorts, openCohortStore, writeCohortStore } from './cohort-store.ts';

it('makes subjects who are all in the cohort, with every feature', () => {
  const profile = mkdtempSync(path.join(tmpdir(), 'consilium-bench-test-'));
  writeCohortStore(profile, { subjectCount: 80, featureCount: 3 });
  const store = openCohortStore(profile);
  const cohort = openBenchCohorts(store, profile).freeze({
    plan: createCohortPlan(3),
    round: 1,
    kind: 'training',
    actor: systemActor,
  });
  const training = cohort.matrix('training');
  expect([training.count, training.width, cohort.matrix('holdout').count]).toEqual([60, 3, 20]);
  expect(training.values.every((value) => value >= 50 && value < 150)).toBe(true);
  store.close();
  rmSync(profile, { recursive: true });
});
