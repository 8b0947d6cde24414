// Closes a round: the sites' payloads become the next global model. Pure and the same bytes for any order of arrival.
import { collectEvaluations } from '#federation/aggregation/evaluation.ts';
import { federatedAverage } from '#federation/aggregation/fedavg.ts';
import { featureCount, payloadManifest, weightNames } from '#federation/aggregation/payload-manifest.ts';
import { pooledNormalisation } from '#federation/aggregation/pooled-statistics.ts';
import { collectStatistics, releasedNormalisation } from '#federation/aggregation/released-normalisation.ts';
import { exampleWeights, inSiteOrder, type SiteUpdate } from '#federation/aggregation/site-update.ts';
import type { GlobalModel } from '#federation/records/global-model.ts';
import type { RoundKind } from '#federation/records/round.ts';
import type { SiteStatistics } from '#federation/records/site-statistics.ts';
import { type StatisticsPlan, statisticsLayout } from '#federation/statistics/statistics-layout.ts';
import { areFinite } from '#federation/tensors/delta.ts';
import { requireManifest } from '#federation/tensors/manifest.ts';
import { sortedNames, type Tensor, type TensorMap } from '#federation/tensors/tensor.ts';
import { badTensors } from '#federation/tensors/tensor-error.ts';

export interface RoundInput {
  readonly kind: RoundKind;
  /** The global model the round started from. */
  readonly base: TensorMap;
  /** At most one for each site, at least one. */
  readonly updates: readonly SiteUpdate[];
  /** Its plan, for what a statistics round is asked for; nothing but sums where it is not there. */
  readonly plan?: StatisticsPlan | undefined;
}

export interface RoundOutcome {
  /** The next global model: `weights/*` and, once known, `normalisation/*`. */
  readonly tensors: TensorMap;
  /** Each site's share of the examples, in site-id order. */
  readonly weights: Map<string, number>;
  readonly evaluation: GlobalModel['evaluation'];
  /** In a statistics round of a plan that asks for them. */
  readonly statistics: SiteStatistics[] | undefined;
}

/** @throws TensorError BAD_TENSORS when a payload is not what the round asks for or the sum overflows. */
export function aggregateRound(input: RoundInput): RoundOutcome {
  const { kind, base, plan } = input;
  const updates = inSiteOrder(input.updates);
  const layout = kind === 'statistics' && plan !== undefined ? statisticsLayout(plan) : undefined;
  const expected = payloadManifest(kind, base, layout);
  for (const { payload } of updates) requireManifest(payload, expected);
  if (weightNames(base).length === 0) throw badTensors('a model without weights');
  const statistics = layout === undefined ? undefined : collectStatistics(layout, updates);
  const changed =
    statistics === undefined
      ? changedTensors(kind, base, updates)
      : releasedNormalisation(statistics, featureCount(base));
  const tensors = inNameOrder(new Map([...base, ...changed]));
  if (!areFinite(tensors)) throw badTensors('the aggregate overflows');
  return {
    tensors,
    weights: exampleWeights(updates),
    evaluation: kind === 'evaluation' ? collectEvaluations(updates) : null,
    statistics,
  };
}

function changedTensors(kind: RoundKind, base: TensorMap, updates: readonly SiteUpdate[]): TensorMap {
  switch (kind) {
    case 'training':
      return federatedAverage(base, updates);
    case 'statistics':
      return pooledNormalisation(base, updates);
    case 'evaluation':
      return new Map();
  }
}

function inNameOrder(tensors: TensorMap): TensorMap {
  return new Map(
    sortedNames(tensors).flatMap((name): [string, Tensor][] => {
      const tensor = tensors.get(name);
      return tensor === undefined ? [] : [[name, tensor]];
    }),
  );
}
