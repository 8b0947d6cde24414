// One site's part of a round, and the one order in which parts are summed.
import { BugError } from '#base/coded-error.ts';
import { requireTensor } from '#federation/tensors/manifest.ts';
import type { TensorMap } from '#federation/tensors/tensor.ts';
import { badTensors } from '#federation/tensors/tensor-error.ts';

export interface SiteUpdate {
  readonly siteId: string;
  /** From the signed update statement. */
  readonly exampleCount: number;
  readonly payload: TensorMap;
}

/** By site id, in code-unit order: floating-point sums depend on their order, and arrival must not decide it. */
export function inSiteOrder(updates: readonly SiteUpdate[]): SiteUpdate[] {
  if (updates.length === 0) throw new BugError('a round without updates is not aggregated');
  if (new Set(updates.map(({ siteId }) => siteId)).size !== updates.length)
    throw new BugError('a site counted twice');
  return [...updates].sort((left, right) => (left.siteId < right.siteId ? -1 : 1));
}

/** Each site's share of all examples, in (0, 1]. @throws TensorError BAD_TENSORS when they are more than can be counted. */
export function exampleWeights(updates: readonly SiteUpdate[]): Map<string, number> {
  let total = 0;
  for (const { exampleCount } of updates) {
    if (!Number.isSafeInteger(exampleCount) || exampleCount < 1)
      throw new BugError('an example count below 1');
    total += exampleCount;
  }
  if (!Number.isSafeInteger(total)) throw badTensors('more examples than can be counted');
  return new Map(updates.map(({ siteId, exampleCount }) => [siteId, exampleCount / total]));
}

/** The single value of a payload's tensor as a whole number from 0. @throws TensorError BAD_TENSORS. */
export function countOf(payload: TensorMap, name: string): number {
  const value = scalarOf(payload, name);
  if (!Number.isSafeInteger(value) || value < 0) throw badTensors('not a count', { tensor: name });
  return value;
}

/** The single value of a payload's tensor. @throws TensorError BAD_TENSORS. */
export function scalarOf(payload: TensorMap, name: string): number {
  const [value, ...more] = requireTensor(payload, name).data;
  if (value === undefined || more.length > 0) throw badTensors('not a single value', { tensor: name });
  return value;
}
