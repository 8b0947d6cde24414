// What the payload of an update must hold, by kind of round and by the model it starts from.
import type { RoundKind } from '#federation/records/round.ts';
import type { StatisticsLayout } from '#federation/statistics/statistics-layout.ts';
import { statisticsManifest } from '#federation/statistics/statistics-tensors.ts';
import {
  dtypeOf,
  requireTensor,
  type TensorDescription,
  type TensorManifest,
} from '#federation/tensors/manifest.ts';
import { sortedNames, type TensorMap } from '#federation/tensors/tensor.ts';
import { badTensors } from '#federation/tensors/tensor-error.ts';

/** Prefix of the tensors that training changes. */
export const WEIGHTS = 'weights/';

/** Names of the weights of a global model, in order. */
export function weightNames(model: TensorMap): string[] {
  return sortedNames(model).filter((name) => name.startsWith(WEIGHTS));
}

/** Number of features: rows of the kernel. @throws TensorError BAD_TENSORS when the model has no kernel. */
export function featureCount(model: TensorMap): number {
  const [rows, columns, ...more] = requireTensor(model, 'weights/kernel').shape;
  if (rows === undefined || columns === undefined || more.length > 0) throw badTensors('kernel shape');
  return rows;
}

/**
 * The manifest every payload of that round must have (security.md E16: absent, extra or reshaped tensors).
 * @param layout of a plan that asks for statistics
 */
export function payloadManifest(kind: RoundKind, base: TensorMap, layout?: StatisticsLayout): TensorManifest {
  switch (kind) {
    case 'training':
      return weightNames(base).map((name) => {
        const tensor = requireTensor(base, name);
        return { dtype: dtypeOf(tensor), name, shape: tensor.shape };
      });
    case 'statistics': {
      if (layout !== undefined) return statisticsManifest(layout);
      const perFeature = [featureCount(base)];
      return [
        float64('statistics/count', [1]),
        float64('statistics/sum', perFeature),
        float64('statistics/sumOfSquares', perFeature),
      ];
    }
    case 'evaluation':
      return [
        float64('evaluation/correctCount', [1]),
        float64('evaluation/exampleCount', [1]),
        float64('evaluation/lossSum', [1]),
      ];
  }
}

function float64(name: string, shape: readonly number[]): TensorDescription {
  return { dtype: 'F64', name, shape };
}
