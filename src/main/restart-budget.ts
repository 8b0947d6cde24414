// How often a process that ends by itself is started again, and after how long: a fault that stays must not become a loop.
import type { Clock } from '#base/clock.ts';

export interface RestartBudget {
  /** Milliseconds to wait before the next start, or undefined when it has ended too often lately. */
  next(): number | undefined;
  /** Ends within the window. */
  count(): number;
  /** Whether it has ended too often lately. */
  isSpent(): boolean;
}

export interface RestartLimits {
  /** Restarts within `windowMs`; the end after that is the last. */
  readonly maxRestarts: number;
  readonly windowMs: number;
  /** Before the first restart; twice as long before each further one. */
  readonly firstDelayMs: number;
}

export const usualLimits: RestartLimits = { maxRestarts: 5, windowMs: 10 * 60_000, firstDelayMs: 500 };

/** Counts what lies within the window only: a fault once a week is restarted each time. */
export function createRestartBudget(clock: Clock, limits: RestartLimits = usualLimits): RestartBudget {
  let ends: number[] = [];
  const recent = () => ends.filter((endMs) => clock.nowMs() - endMs < limits.windowMs);
  return {
    next: () => {
      ends = [...recent(), clock.nowMs()];
      if (ends.length > limits.maxRestarts) return undefined;
      return limits.firstDelayMs * 2 ** (ends.length - 1);
    },
    count: () => recent().length,
    isSpent: () => recent().length > limits.maxRestarts,
  };
}
