import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { samplePlan } from '#support/sample-plan.ts';
import { researchStudyPlan } from './research-study-plan.ts';

const { minimumCohort, dataElements, limits } = samplePlan;
const cohort = (changes: object) => ({ minimumCohort: { ...minimumCohort, ...changes } });
const window = (windowDays: object) => ({ dataElements: { ...dataElements, windowDays } });
const limited = (changes: object) => ({ limits: { ...limits, ...changes } });
const accepts = (changes: object) => researchStudyPlan.safeParse({ ...samplePlan, ...changes }).success;

describe('a plan', () => {
  it.each<[string, object, object]>([
    ['training cohort', cohort({ training: 5 }), cohort({ training: 4 })],
    ['evaluation cohort', cohort({ evaluation: 5 }), cohort({ evaluation: 4 })],
    ['days before', window({ before: 36_500, after: 0 }), window({ before: 36_501, after: 0 })],
    ['days after', window({ before: 0, after: 36_500 }), window({ before: 0, after: 36_501 })],
    ['bytes', limited({ maxUpdateBytes: 2 ** 30 }), limited({ maxUpdateBytes: 2 ** 30 + 1 })],
    ['norm', limited({ maxUpdateNorm: 1_000_000 }), limited({ maxUpdateNorm: 1_000_001 })],
  ])('has a bound on its %s that no plan can lift', (_what, within, beyond) => {
    expect(accepts(within)).toBe(true);
    expect(accepts(beyond)).toBe(false);
  });

  it('may state the age of majority, in whole years that some law has', () => {
    const stating = (ageOfMajority: number) => accepts({ consent: { ageOfMajority } });
    expect([14, 15, 18, 18.5, 21, 22].map(stating)).toEqual([false, true, true, false, true, false]);
  });

  it('may ask that consents are verified', () => {
    const asking = (requiresVerification: unknown) => accepts({ consent: { requiresVerification } });
    expect([true, false, 'yes', null].map(asking)).toEqual([true, true, false, false]);
  });

  it('is what ships with the program', () => {
    const file = new URL('../../../assets/research-studies/heart/plan.json', import.meta.url);
    const shipped = JSON.parse(readFileSync(file, 'utf8')) as object;
    expect(
      researchStudyPlan.safeParse({ publishedAt: samplePlan.publishedAt, ...shipped }).error,
    ).toBeUndefined();
  });
});
