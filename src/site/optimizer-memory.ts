// Carries the optimizer from one training round to the next, inside the run's own record: as long as the cohort is the same
// and the consortium holds what the earlier run made. A withdrawn patient's share in the slots is dropped with the change.
import { encodeSafetensors, parseSafetensors } from '#federation/tensors/safetensors.ts';
import type { TensorMap } from '#federation/tensors/tensor.ts';
import type { Store } from '#site/store/index.ts';

const prefix = 'optimizer-state/';

/** Weights and optimizer state of a run in one safetensors, for `training_run.tensors`. */
export function encodeTrainedRun(weights: TensorMap, optimizerState: Uint8Array): Uint8Array {
  const state = parseSafetensors(optimizerState, { maxBytes: optimizerState.length });
  const renamed = [...state].map(([name, tensor]) => [`${prefix}${name}`, tensor] as const);
  return encodeSafetensors(new Map([...weights, ...renamed]));
}

/** The state that a training round goes on from, null to start anew. */
export function loadOptimizerState(
  store: Store,
  { researchStudyId, round, cohortDigest }: { researchStudyId: string; round: number; cohortDigest: string },
): Uint8Array | null {
  const row = store.get(
    store.query
      .selectFrom('model_update')
      .innerJoin('training_run', 'training_run.run_id', 'model_update.run_id')
      .innerJoin('cohort', 'cohort.cohort_id', 'training_run.cohort_id')
      // What a remedy took back was trained from a model that counts no longer.
      .innerJoin('round_in_force', (join) =>
        join
          .onRef('round_in_force.research_study_id', '=', 'model_update.research_study_id')
          .onRef('round_in_force.round', '=', 'model_update.round')
          .onRef('round_in_force.attempt', '=', 'model_update.attempt'),
      )
      .select(['training_run.tensors', 'cohort.cohort_digest'])
      .where('model_update.research_study_id', '=', researchStudyId)
      .where('model_update.round', '<', round)
      .where('model_update.state', '=', 'received')
      .where('training_run.seed', 'is not', null)
      .orderBy('model_update.round', 'desc')
      .orderBy('model_update.attempt', 'desc')
      .limit(1),
  );
  if (row === undefined || row.tensors === null || row.cohort_digest !== cohortDigest) return null;
  const stored = parseSafetensors(row.tensors, { maxBytes: row.tensors.length });
  const state = [...stored].filter(([name]) => name.startsWith(prefix));
  if (state.length === 0) return null;
  return encodeSafetensors(new Map(state.map(([name, tensor]) => [name.slice(prefix.length), tensor])));
}
