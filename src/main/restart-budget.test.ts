import { describe, expect, it } from 'vitest';
import { createRestartBudget, usualLimits } from './restart-budget.ts';

describe('a restart budget', () => {
  it('waits twice as long each time, and then gives up', () => {
    const budget = createRestartBudget({ nowMs: () => 0 });
    expect([1, 2, 3, 4, 5].map(() => budget.next())).toEqual([500, 1000, 2000, 4000, 8000]);
    expect(budget.isSpent()).toBe(false);
    expect(budget.next()).toBeUndefined();
    expect([budget.count(), budget.isSpent()]).toEqual([6, true]);
  });

  it('forgets what lies behind its window', () => {
    let nowMs = 0;
    const budget = createRestartBudget({ nowMs: () => nowMs });
    for (let end = 0; end < 20; end += 1) {
      expect(budget.next()).toBe(500);
      nowMs += usualLimits.windowMs;
    }
    for (let end = 0; end < 6; end += 1) budget.next();
    expect(budget.isSpent()).toBe(true);
    nowMs += usualLimits.windowMs;
    expect([budget.isSpent(), budget.next()]).toEqual([false, 500]);
  });
});
