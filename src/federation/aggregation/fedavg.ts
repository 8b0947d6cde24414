// Federated averaging (McMahan et al. 2017): the base model plus the example-weighted mean of the sites' deltas.

import { weightNames } from '#federation/aggregation/payload-manifest.ts';
import { exampleWeights, inSiteOrder, type SiteUpdate } from '#federation/aggregation/site-update.ts';
import { requireTensor } from '#federation/tensors/manifest.ts';
import type { Tensor, TensorMap } from '#federation/tensors/tensor.ts';

/**
 * The next weights: for each weight `base + Σ share_i · delta_i`, summed over sites in id order in float64 and rounded once.
 * Gives `weights/*` only.
 */
export function federatedAverage(base: TensorMap, updates: readonly SiteUpdate[]): TensorMap {
  const ordered = inSiteOrder(updates);
  const shares = exampleWeights(ordered);
  return new Map(
    weightNames(base).map((name): [string, Tensor] => {
      const { shape, data } = requireTensor(base, name);
      const sums = new Float64Array(data.length);
      for (const { siteId, payload } of ordered) {
        addScaled(sums, requireTensor(payload, name), shares.get(siteId) ?? 0);
      }
      const next =
        data instanceof Float32Array ? new Float32Array(data.length) : new Float64Array(data.length);
      for (let index = 0; index < data.length; index += 1)
        next[index] = (data[index] ?? 0) + (sums[index] ?? 0);
      return [name, { shape, data: next }];
    }),
  );
}

function addScaled(sums: Float64Array, delta: Tensor, share: number): void {
  for (let index = 0; index < sums.length; index += 1) {
    sums[index] = (sums[index] ?? 0) + share * (delta.data[index] ?? 0);
  }
}
