// The global models that this site holds, as tensors: their digest is checked again whenever they are read.
import { WEIGHTS } from '#federation/aggregation/payload-manifest.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { parseSafetensors } from '#federation/tensors/safetensors.ts';
import type { TensorMap } from '#federation/tensors/tensor.ts';
import type { GlobalModelTable, Store } from '#site/store/index.ts';
import { SiteError } from './site-error.ts';

export interface StoredModel {
  readonly researchStudyId: string;
  readonly round: number;
  readonly modelDigest: string;
  readonly tensors: TensorMap;
}

/** The model that a round starts from. @throws SiteError BASE_MODEL_MISSING before a sync brought it, BASE_MODEL_DAMAGED. */
export function loadBaseModel(
  store: Store,
  opening: { researchStudyId: string; baseModelDigest: string },
): StoredModel {
  const row = store.get(
    models(store, opening.researchStudyId)
      .where('model_digest', '=', opening.baseModelDigest)
      .orderBy('round', 'desc'),
  );
  if (row === undefined) {
    throw new SiteError('BASE_MODEL_MISSING', 'The model that this round starts from is not here yet.', {
      details: { expected: opening.baseModelDigest },
    });
  }
  return readModel(row);
}

/** The newest model of a research study that counts, undefined before the first. @throws SiteError BASE_MODEL_DAMAGED. */
export function loadLatestModel(store: Store, researchStudyId: string): StoredModel | undefined {
  const row = store.get(models(store, researchStudyId).orderBy('round', 'desc').limit(1));
  return row === undefined ? undefined : readModel(row);
}

/** `weights/*` of a model: what trains. */
export function weightsOf(tensors: TensorMap): TensorMap {
  return new Map([...tensors].filter(([name]) => name.startsWith(WEIGHTS)));
}

function models(store: Store, researchStudyId: string) {
  return store.query
    .selectFrom('model_in_force')
    .selectAll()
    .where('research_study_id', '=', researchStudyId);
}

function readModel(row: GlobalModelTable): StoredModel {
  // Stops a model that was exchanged in the store from being trained on or shown as the verified one.
  if (sha256Hex(row.tensors) !== row.model_digest) {
    throw new SiteError('BASE_MODEL_DAMAGED', 'The stored model is not the one that was verified.');
  }
  const tensors = parseSafetensors(row.tensors, { maxBytes: row.tensors.length });
  return { researchStudyId: row.research_study_id, round: row.round, modelDigest: row.model_digest, tensors };
}
