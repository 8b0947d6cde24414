// Closes a round: the sites' payloads become the next global model. Pure and the same bytes for any order of arrival.
import { collectEvaluations } from '#federation/aggregation/evaluation.ts';
import { federatedAverage } from '#federation/aggregation/fedavg.ts';
import { payloadManifest, weightNames } from '#federation/aggregation/payload-manifest.ts';
import { pooledNormalisation } from '#federation/aggregation/pooled-statistics.ts';
import { exampleWeights, inSiteOrder, type SiteUpdate } from '#federation/aggregation/site-update.ts';
import type { GlobalModel } from '#federation/records/global-model.ts';
import type { RoundKind } from '#federation/records/round.ts';
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
}

export interface RoundOutcome {
  /** The next global model: `weights/*` and, once known, `normalisation/*`. */
  readonly tensors: TensorMap;
  /** Each site's share of the examples, in site-id order. */
  readonly weights: Map<string, number>;
  readonly evaluation: GlobalModel['evaluation'];
}

/** @throws TensorError BAD_TENSORS when a payload is not what the round asks for or the sum overflows. */
export function aggregateRound(input: RoundInput): RoundOutcome {
  const updates = inSiteOrder(input.updates);
  const expected = payloadManifest(input.kind, input.base);
  for (const { payload } of updates) requireManifest(payload, expected);
  const changed = changedTensors(input.kind, input.base, updates);
  const tensors = inNameOrder(new Map([...input.base, ...changed]));
  if (!areFinite(tensors)) throw badTensors('the aggregate overflows');
  return {
    tensors,
    weights: exampleWeights(updates),
    evaluation: input.kind === 'evaluation' ? collectEvaluations(updates) : null,
  };
}

function changedTensors(kind: RoundKind, base: TensorMap, updates: readonly SiteUpdate[]): TensorMap {
  if (weightNames(base).length === 0) throw badTensors('a model without weights');
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
