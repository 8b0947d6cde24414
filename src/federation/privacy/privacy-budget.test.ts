import { describe, expect, it } from 'vitest';
import { pldEpsilon } from '#federation/privacy/pld-accountant.ts';
import {
  budgetPosition,
  epsilonAfter,
  type PrivacyBudget,
  requireSmallDelta,
} from '#federation/privacy/privacy-budget.ts';
import type { PrivacySpend } from '#federation/privacy/privacy-spend.ts';
import { rdpEpsilon } from '#federation/privacy/rdp-accountant.ts';
import { refusalCode } from '#support/refusal-code.ts';

const round: PrivacySpend = { noiseMultiplier: 1.2, samplingRate: 0.1, steps: 100 };
const budget: PrivacyBudget = { accountant: 'rdp', delta: 1e-3, epsilonBudget: 8 };

describe('a privacy budget', () => {
  it('is whole before anything was spent', () => {
    expect(budgetPosition([], budget)).toEqual({
      epsilon: 0,
      delta: 1e-3,
      unit: 'patient',
      adjacency: 'add-or-remove-one-patient',
      accountant: 'rdp',
      epsilonLeft: 8,
      isAboveWarning: false,
    });
  });

  it('is spent by all rounds together, by the accountant of the plan', () => {
    const later = { ...round, noiseMultiplier: 2 };
    expect(budgetPosition([round, later], budget).epsilon).toBe(rdpEpsilon([round, later], 1e-3).epsilon);
    expect(budgetPosition([round, later], { ...budget, accountant: 'pld' }).epsilon).toBe(
      pldEpsilon([round, later], 1e-3),
    );
  });

  it('takes rounds until the next would exceed it, and says where it stood', () => {
    const spends: PrivacySpend[] = [];
    const reached: number[] = [];
    while (refusalCode(() => epsilonAfter(spends, round, budget)) === 'none') {
      const { epsilon, epsilonLeft } = epsilonAfter(spends, round, budget);
      expect(epsilon + epsilonLeft).toBeCloseTo(8, 12);
      reached.push(epsilon);
      spends.push(round);
    }
    expect(reached).toEqual([100, 200, 300].map((steps) => rdpEpsilon([{ ...round, steps }], 1e-3).epsilon));
    expect(rdpEpsilon([{ ...round, steps: 400 }], 1e-3).epsilon).toBeGreaterThan(8);
    expect(refusalCode(() => epsilonAfter(spends, round, budget))).toBe('PRIVACY_BUDGET_SPENT');
    expect(budgetPosition(spends, budget).epsilon).toBe(reached.at(-1));
  });

  it('is exactly enough for what it is exactly enough for', () => {
    const { epsilon } = rdpEpsilon([round], 1e-3);
    expect(epsilonAfter([], round, { ...budget, epsilonBudget: epsilon }).epsilonLeft).toBe(0);
  });

  it('warns above 3, or above what the plan says', () => {
    expect(budgetPosition([round], budget).isAboveWarning).toBe(true);
    expect(budgetPosition([round], { ...budget, warnAboveEpsilon: 5 }).isAboveWarning).toBe(false);
    expect(budgetPosition([{ ...round, steps: 10 }], budget).isAboveWarning).toBe(false);
  });

  it('lets nothing train without noise', () => {
    expect(refusalCode(() => epsilonAfter([], { ...round, noiseMultiplier: 0 }, budget))).toBe('NO_NOISE');
  });

  it('is no less where more was spent than it held, as after a plan with a smaller one', () => {
    expect(budgetPosition([round, round, round, round], budget).epsilonLeft).toBe(0);
  });
});

describe('delta', () => {
  it.each([
    [1e-3, 999, 'none'],
    [1e-3, 1000, 'DELTA_TOO_LARGE'],
    [1e-3, 1001, 'DELTA_TOO_LARGE'],
    [1e-5, 5, 'none'],
    [0.5, 1, 'none'],
    [1, 1, 'BAD_PRIVACY_SETTING'],
    [0, 10, 'BAD_PRIVACY_SETTING'],
    [Number.NaN, 10, 'BAD_PRIVACY_SETTING'],
    [1e-3, 0, 'BAD_PRIVACY_SETTING'],
    [1e-3, 1.5, 'BAD_PRIVACY_SETTING'],
  ])('of %d with %d patients ends with %s', (delta, patientCount, code) => {
    expect(refusalCode(() => requireSmallDelta(delta, patientCount))).toBe(code);
  });
});
