import { describe, expect, it } from 'vitest';
import { refusalCode } from '#support/refusal-code.ts';
import { samplePlan } from '#support/sample-plan.ts';
import { requireSuccessor } from './plan-successor.ts';
import type { ResearchStudyPlan } from './research-study-plan.ts';

const check = (changes: Partial<ResearchStudyPlan>, closedRounds = 1): string =>
  refusalCode(() =>
    requireSuccessor({ ...samplePlan, version: 2, ...changes }, { plan: samplePlan, closedRounds }),
  );

describe('a new version of a plan', () => {
  it('begins with 1 and skips none', () => {
    expect(refusalCode(() => requireSuccessor(samplePlan, undefined))).toBe('none');
    expect(refusalCode(() => requireSuccessor({ ...samplePlan, version: 2 }, undefined))).toBe(
      'PLAN_VERSION',
    );
    expect([1, 2, 3].map((version) => check({ version }))).toEqual(['PLAN_VERSION', 'none', 'PLAN_VERSION']);
  });

  it.each<[string, Partial<ResearchStudyPlan>]>([
    ['data elements', { dataElements: { ...samplePlan.dataElements, windowDays: { before: 1, after: 0 } } }],
    ['model', { model: { ...samplePlan.model, inputCount: 3 } }],
    ['normalisation', { normalisation: { scope: 'site' } }],
    ['statistics', { statistics: { minimumCell: 5, maximumCells: 9, histograms: [], noise: null } }],
    ['remedy after a withdrawal', { withdrawal: { remedy: 'keep-model' } }],
    ['closed rounds', { rounds: ['training', 'evaluation'] }],
  ])('keeps its %s', (_what, changes) => {
    expect(check(changes)).toBe('PLAN_INCOMPATIBLE');
  });

  it('may change the rounds that are still to come', () => {
    const rounds: ResearchStudyPlan['rounds'] = ['statistics', 'training', 'training', 'evaluation'];
    expect(check({ rounds }, 2)).toBe('none');
    expect(check({ rounds }, 3)).toBe('PLAN_INCOMPATIBLE');
  });
});
