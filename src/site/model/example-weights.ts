// What each example's loss counts: the plan's weight of its class, and its share of its subject's weight.

import { objectiveOf } from '#federation/network/objective.ts';
import type { ModelSpecification } from '#federation/records/model-specification.ts';

interface WeighedExamples {
  readonly labels: Float32Array;
  readonly count: number;
  /** Number of the subject of each example; absent: each is of another. */
  readonly subjects?: Uint32Array | undefined;
}

/**
 * One weight for each example, or null where all weigh the same. Class weights are taken as they are: a loss is the mean over
 * rows, not over weights. The shares of subjects have a mean of 1, so that a learning rate keeps its meaning.
 */
export function exampleWeights(model: ModelSpecification, examples: WeighedExamples): Float32Array | null {
  const objective = objectiveOf(model);
  const classWeights = 'classWeights' in objective ? objective.classWeights : undefined;
  const isShared = 'exampleWeighting' in model && model.exampleWeighting === 'per-subject';
  const shares = isShared && examples.subjects !== undefined ? subjectShares(examples.subjects) : null;
  if (classWeights === undefined && shares === null) return null;
  return Float32Array.from(
    { length: examples.count },
    (_, row) => (classWeights?.[examples.labels[row] ?? 0] ?? 1) * (shares?.[row] ?? 1),
  );
}

/** Each example's part of its subject, times the mean number of examples of a subject. */
function subjectShares(subjects: Uint32Array): Float32Array {
  const counts = new Map<number, number>();
  for (const subject of subjects) counts.set(subject, (counts.get(subject) ?? 0) + 1);
  const mean = subjects.length / counts.size;
  return Float32Array.from(subjects, (subject) => mean / (counts.get(subject) ?? 1));
}
