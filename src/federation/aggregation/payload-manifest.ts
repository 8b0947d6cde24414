// What the payload of an update must hold, by kind of round and by the model it starts from.
import type { RoundKind } from '#federation/records/round.ts';
import { requireStatisticsLayout, type StatisticsPlan } from '#federation/statistics/statistics-layout.ts';
import { statisticsManifest } from '#federation/statistics/statistics-tensors.ts';
import {
  dtypeOf,
  requireTensor,
  type TensorDescription,
  type TensorManifest,
} from '#federation/tensors/manifest.ts';
import { sortedNames, type TensorMap } from '#federation/tensors/tensor.ts';

/** What a round asks its sites for. */
export type RoundQuestion =
  | { readonly kind: 'statistics'; readonly plan: StatisticsPlan }
  | { readonly kind: Exclude<RoundKind, 'statistics'>; readonly plan?: StatisticsPlan };

/** Prefix of the tensors that training changes. */
export const WEIGHTS = 'weights/';

/** Names of the weights of a global model, in order. */
export function weightNames(model: TensorMap): string[] {
  return sortedNames(model).filter((name) => name.startsWith(WEIGHTS));
}

/** The manifest every payload of that round must have (security.md E16: absent, extra or reshaped tensors). */
export function payloadManifest(question: RoundQuestion, base: TensorMap): TensorManifest {
  switch (question.kind) {
    case 'training':
      return weightNames(base).map((name) => {
        const tensor = requireTensor(base, name);
        return { dtype: dtypeOf(tensor), name, shape: tensor.shape };
      });
    case 'statistics':
      return statisticsManifest(requireStatisticsLayout(question.plan));
    case 'evaluation':
      return [
        scalar('evaluation/correctCount'),
        scalar('evaluation/exampleCount'),
        scalar('evaluation/lossSum'),
      ];
  }
}

function scalar(name: string): TensorDescription {
  return { dtype: 'F64', name, shape: [1] };
}
