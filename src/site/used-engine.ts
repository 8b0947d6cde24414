// Says which engine a training host found, once it was used: asking the host itself would start its process.
import type { EngineInfo, TrainingHost } from '#site/ports.ts';

/** The same host; `usedEngine` is null until it was used. */
export function rememberEngine(host: TrainingHost): {
  trainingHost: TrainingHost;
  usedEngine: () => EngineInfo | null;
} {
  let used: EngineInfo | null = null;
  const trainingHost: TrainingHost = {
    engine: async (model) => {
      used = await host.engine(model);
      return used;
    },
    train: (job, control) => host.train(job, control),
    evaluate: (job) => host.evaluate(job),
    close: () => host.close(),
  };
  return { trainingHost, usedEngine: () => used };
}
