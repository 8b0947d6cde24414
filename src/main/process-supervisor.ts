// Keeps one process running: started again after it ended by itself, with growing pauses, until the budget is used up.
import type { RestartBudget } from './restart-budget.ts';

/** A process as it is supervised; Electron's UtilityProcess is one. */
export interface SupervisedProcess {
  once(event: 'exit', listener: (code: number) => void): unknown;
  kill(): boolean;
}

export interface Supervision<Child extends SupervisedProcess> {
  readonly start: () => Child;
  readonly budget: RestartBudget;
  /** Runs `work` later; setTimeout but in tests. Returns how to call it off. */
  readonly later: (work: () => void, delayMs: number) => () => void;
  /** After each restart, with the new process. */
  readonly onRestart: (child: Child) => void;
  /** Once, when it ended too often. @param ends within the budget's window. */
  readonly onGivenUp: (ends: number) => void;
}

export interface Supervisor<Child> {
  /** The process of now; undefined while none runs. */
  current(): Child | undefined;
  /** Ends it for good: the exit that follows is no crash. */
  close(): void;
}

export function superviseProcess<Child extends SupervisedProcess>(
  options: Supervision<Child>,
): Supervisor<Child> {
  const { start, budget, later, onRestart, onGivenUp } = options;
  let child: Child | undefined;
  let isClosed = false;
  let callOff = () => {};
  const watch = (started: Child): Child => {
    child = started;
    started.once('exit', () => {
      child = undefined;
      if (isClosed) return;
      const delayMs = budget.next();
      if (delayMs === undefined) onGivenUp(budget.count());
      else
        callOff = later(() => {
          onRestart(watch(start()));
        }, delayMs);
    });
    return started;
  };
  watch(start());
  return {
    current: () => child,
    close: () => {
      isClosed = true;
      callOff();
      child?.kill();
    },
  };
}
