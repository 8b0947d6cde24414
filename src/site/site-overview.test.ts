import { describe, expect, it } from 'vitest';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import { researchStudy } from '#ipc/schema.ts';
import { samplePlan } from '#support/sample-plan.ts';
import { summarisePlan } from './site-overview.ts';

const plain = { includesDeceased: false, ageOfMajority: 18, requiresVerification: false };

describe('what a plan says of consent, death and withdrawal', () => {
  it.each<[string, Partial<ResearchStudyPlan>, object]>([
    ['nothing: the usual', { withdrawal: { remedy: 'keep-model' } }, { ...plain, remedy: 'keep-model' }],
    [
      'all of it',
      {
        dataElements: { ...samplePlan.dataElements, includesDeceased: true },
        consent: { ageOfMajority: 16, requiresVerification: true },
        withdrawal: { remedy: 'retire-model' },
      },
      { includesDeceased: true, ageOfMajority: 16, requiresVerification: true, remedy: 'retire-model' },
    ],
  ])('is shown where it says %s', (_, change, expected) => {
    const accepted = { plan: { ...samplePlan, ...change }, planDigest: 'a'.repeat(64) };
    expect(researchStudy.parse(summarisePlan(accepted as Parameters<typeof summarisePlan>[0]))).toMatchObject(
      expected,
    );
  });
});
