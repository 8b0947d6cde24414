// Received updates, sorted by site id -> the tensors of the next global model. The order of arrival changes no byte.

import { BugError } from '#base/coded-error.ts';
import type { ConsortiumStore, ReceivedUpdateRow, RoundRow } from '#consortium/store/index.ts';
import { aggregateRound } from '#federation/aggregation/aggregate-round.ts';
import type { GlobalModel } from '#federation/records/global-model.ts';
import type { RoundKind } from '#federation/records/round.ts';
import type { StatisticsPlan } from '#federation/statistics/statistics-layout.ts';
import { parseSafetensors } from '#federation/tensors/safetensors.ts';
import type { TensorMap } from '#federation/tensors/tensor.ts';

export interface Aggregate {
  readonly tensors: TensorMap;
  readonly evaluation: GlobalModel['evaluation'];
  /** Absent where the round is of another kind. */
  readonly statistics?: NonNullable<GlobalModel['statistics']>;
  /** Sorted by site id. */
  readonly included: GlobalModel['included'];
}

/** What an aggregate is made of. */
export type CountedUpdate = Pick<
  ReceivedUpdateRow,
  'site_id' | 'update_digest' | 'example_count' | 'payload'
>;

export interface AggregatedRound {
  readonly kind: RoundKind;
  /** safetensors of the round's base model. */
  readonly base: Uint8Array;
  readonly plan: StatisticsPlan;
}

export function aggregateUpdates(
  { kind, base, plan }: AggregatedRound,
  updates: readonly CountedUpdate[],
): Aggregate {
  const sorted = updates.toSorted((left, right) => (left.site_id < right.site_id ? -1 : 1));
  const { tensors, weights, evaluation, statistics } = aggregateRound({
    kind,
    plan,
    base: parseSafetensors(base, { maxBytes: base.length }),
    updates: sorted.map((update) => ({
      siteId: update.site_id,
      exampleCount: update.example_count,
      payload: parseSafetensors(update.payload, { maxBytes: update.payload.length }),
    })),
  });
  const included = sorted.map((update) => {
    const weight = weights.get(update.site_id);
    if (weight === undefined) throw new BugError('an included update has no weight');
    const { site_id: siteId, update_digest: updateDigest, example_count: exampleCount } = update;
    return { siteId, updateDigest, exampleCount, weight };
  });
  return { tensors, evaluation, included, ...(statistics === undefined ? {} : { statistics }) };
}

/** Updates that a round's attempt has received, sorted by site id. */
export function listReceivedUpdates(
  store: ConsortiumStore,
  {
    research_study_id: researchStudyId,
    round,
    attempt,
  }: Pick<RoundRow, 'research_study_id' | 'round' | 'attempt'>,
): ReceivedUpdateRow[] {
  return store.all(
    store.query
      .selectFrom('received_update')
      .selectAll()
      .where('research_study_id', '=', researchStudyId)
      .where('round', '=', round)
      .where('attempt', '=', attempt)
      .orderBy('site_id'),
  );
}
