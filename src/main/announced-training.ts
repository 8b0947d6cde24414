// A training host that says when it computes, so that the shell can keep the machine awake. Nothing of a job is said.
import type { TrainingHost } from '#site/site.ts';

/** @param announce called with true before the first of several jobs and with false after the last. */
export function announceTraining(host: TrainingHost, announce: (isTraining: boolean) => void): TrainingHost {
  let running = 0;
  const during = async <T>(work: () => Promise<T>): Promise<T> => {
    running += 1;
    if (running === 1) announce(true);
    try {
      return await work();
    } finally {
      running -= 1;
      if (running === 0) announce(false);
    }
  };
  return {
    engine: () => host.engine(),
    train: (job, control) => during(() => host.train(job, control)),
    evaluate: (job) => during(() => host.evaluate(job)),
    close: () => host.close(),
  };
}
