// Closes a round: the sites' payloads become the next global model. Pure and the same bytes for any order of arrival.
import { collectEvaluations } from '#federation/aggregation/evaluation.ts';
import { federatedAverage } from '#federation/aggregation/fedavg.ts';
import {
  payloadManifest,
  type RoundQuestion,
  weightNames,
} from '#federation/aggregation/payload-manifest.ts';
import { collectStatistics, releasedNormalisation } from '#federation/aggregation/released-normalisation.ts';
import { exampleWeights, inSiteOrder, type SiteUpdate } from '#federation/aggregation/site-update.ts';
import type { GlobalModel } from '#federation/records/global-model.ts';
import type { SiteStatistics } from '#federation/records/site-statistics.ts';
import { requireStatisticsLayout } from '#federation/statistics/statistics-layout.ts';
import { areFinite } from '#federation/tensors/delta.ts';
import { requireManifest } from '#federation/tensors/manifest.ts';
import { sortedNames, type Tensor, type TensorMap } from '#federation/tensors/tensor.ts';
import { badTensors } from '#federation/tensors/tensor-error.ts';

/** A round of this kind, the sites' answers to it, and for a statistics round the plan that says what they were asked for. */
export type RoundInput = RoundQuestion & RoundParts;

interface RoundParts {
  /** The global model the round started from. */
  readonly base: TensorMap;
  /** At most one for each site, at least one. */
  readonly updates: readonly SiteUpdate[];
}

export interface RoundOutcome {
  /** The next global model: `weights/*` and, once known, `normalisation/*`. */
  readonly tensors: TensorMap;
  /** Each site's share of the examples, in site-id order. */
  readonly weights: Map<string, number>;
  readonly evaluation: GlobalModel['evaluation'];
  /** In a statistics round. */
  readonly statistics: SiteStatistics[] | undefined;
}

/** @throws TensorError BAD_TENSORS when a payload is not what the round asks for or the sum overflows. */
export function aggregateRound(input: RoundInput): RoundOutcome {
  const { kind, base } = input;
  const updates = inSiteOrder(input.updates);
  const expected = payloadManifest(input, base);
  for (const { payload } of updates) requireManifest(payload, expected);
  if (weightNames(base).length === 0) throw badTensors('a model without weights');
  const layout = input.kind === 'statistics' ? requireStatisticsLayout(input.plan) : undefined;
  const statistics = layout === undefined ? undefined : collectStatistics(layout, updates);
  const changed =
    layout === undefined || statistics === undefined
      ? trainedTensors(input, updates)
      : releasedNormalisation(statistics, layout.columns.length);
  const tensors = inNameOrder(new Map([...base, ...changed]));
  if (!areFinite(tensors)) throw badTensors('the aggregate overflows');
  return {
    tensors,
    weights: exampleWeights(updates),
    evaluation: kind === 'evaluation' ? collectEvaluations(updates) : null,
    statistics,
  };
}

/** An evaluation leaves the model as it is. */
function trainedTensors({ kind, base }: RoundInput, updates: readonly SiteUpdate[]): TensorMap {
  return kind === 'training' ? federatedAverage(base, updates) : new Map();
}

function inNameOrder(tensors: TensorMap): TensorMap {
  return new Map(
    sortedNames(tensors).flatMap((name): [string, Tensor][] => {
      const tensor = tensors.get(name);
      return tensor === undefined ? [] : [[name, tensor]];
    }),
  );
}
