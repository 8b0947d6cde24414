// How many threads TensorFlow computes with: it reads that once, when its process starts, so each need has a process of its own.
import type { ModelSpecification } from '#federation/records/research-study-plan.ts';

export type EngineThreads = 'one' | 'all';

/** Models of rows take steps of microseconds, whose parts cost more to hand to other threads than to compute. */
const modelsOfRows: readonly string[] = ['logistic-regression', 'mlp', 'cox'];

export function engineThreads({ kind }: Pick<ModelSpecification, 'kind'>): EngineThreads {
  return modelsOfRows.includes(kind) ? 'one' : 'all';
}

/** What the environment of the training process says about it. @param most the settings' number of threads */
export function threadSettings(
  threads: EngineThreads,
  most: number | null,
): Readonly<Record<string, string>> {
  const count = threads === 'one' ? 1 : most;
  if (count === null) return {};
  return { TF_NUM_INTRAOP_THREADS: String(count), TF_NUM_INTEROP_THREADS: String(count) };
}
