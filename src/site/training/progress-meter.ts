// How far a run is, how fast it goes and how long it will take: since it started or went on.
import type { TrainingProgress } from '#site/ports.ts';
import { sum } from './resident-examples.ts';

export interface ProgressMeterOptions {
  readonly stepCount: number;
  /** Steps that an earlier part of the run took. */
  readonly doneBefore: number;
  /** At least so long from one report to the next, but for the last. */
  readonly intervalMs: number;
  readonly nowMs?: () => number;
}

export interface ProgressMeter {
  /** Takes the losses of the next steps and the number of their examples. Gives a report when one is due. */
  add(losses: Float32Array, exampleCount: number): TrainingProgress | null;
}

export function createProgressMeter(options: ProgressMeterOptions): ProgressMeter {
  const { stepCount, doneBefore, intervalMs, nowMs = () => performance.now() } = options;
  const startedAt = nowMs();
  let reportAt = startedAt + intervalMs;
  let [step, exampleTotal] = [doneBefore, 0];
  let [lossSum, lossCount] = [0, 0];
  return {
    add: (losses, exampleCount) => {
      step += losses.length;
      exampleTotal += exampleCount;
      // A step of no example has no loss.
      const finite = losses.filter(Number.isFinite);
      lossSum += sum(finite);
      lossCount += finite.length;
      const now = nowMs();
      if (now < reportAt && step < stepCount) return null;
      const loss = lossCount === 0 ? 0 : lossSum / lossCount;
      [lossSum, lossCount, reportAt] = [0, 0, now + intervalMs];
      const elapsedMs = Math.max(now - startedAt, 1e-3);
      return {
        step,
        stepCount,
        loss,
        examplesPerSecond: (1000 * exampleTotal) / elapsedMs,
        remainingMs: (elapsedMs * (stepCount - step)) / (step - doneBefore),
      };
    },
  };
}
