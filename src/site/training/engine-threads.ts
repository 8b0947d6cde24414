// How many threads TensorFlow computes with: it reads that once, when its process starts, so each need has a process of its own.
import type { ModelSpecification } from '#federation/records/research-study-plan.ts';

export type EngineThreads = 'one' | 'all';

/** Models of rows take steps of microseconds, whose parts cost more to hand to other threads than to compute. */
const modelsOfRows: readonly string[] = ['logistic-regression', 'mlp', 'cox'];

export function engineThreads({ kind }: Pick<ModelSpecification, 'kind'>): EngineThreads {
  return modelsOfRows.includes(kind) ? 'one' : 'all';
}

/** What the environment of the training process says about it. */
export function threadSettings(threads: EngineThreads): Readonly<Record<string, string>> {
  return threads === 'one' ? { TF_NUM_INTRAOP_THREADS: '1', TF_NUM_INTEROP_THREADS: '1' } : {};
}
