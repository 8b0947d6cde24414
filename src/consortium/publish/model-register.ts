// The global models: signed by the model key and logged, with a checkpoint over the entry, in the transaction that closes the round.
import { isoTime } from '#base/clock.ts';
import type { ConsortiumStore, Foundation, GlobalModelRow } from '#consortium/store/index.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import type { LeafProof } from '#federation/log/leaf-proof.ts';
import { type GlobalModel, globalModelRecord } from '#federation/records/global-model.ts';
import { MODEL_PUBLISHED_ACTION, publishedModelObject } from '#federation/records/published-model.ts';
import { encodeStatement, signStatement } from '#federation/records/record.ts';
import { tensorManifestDigest } from '#federation/tensors/manifest.ts';
import { encodeSafetensors } from '#federation/tensors/safetensors.ts';
import type { TensorMap } from '#federation/tensors/tensor.ts';

const MODEL_DAYS = 365;
const dayMs = 24 * 60 * 60 * 1000;

export type NewModel = Omit<GlobalModel, 'tensorManifestDigest' | 'createdAt' | 'expires'> & {
  readonly tensors: TensorMap;
};

/** Signs, stores and logs a global model inside the caller's transaction; gives the sha256 of its safetensors. */
export function publishModel({ store, signers, log }: Foundation, model: NewModel): string {
  const { tensors, ...claims } = model;
  const nowMs = store.clock.nowMs();
  const bytes = encodeSafetensors(tensors);
  const modelDigest = sha256Hex(bytes);
  const predicate: GlobalModel = {
    ...claims,
    tensorManifestDigest: tensorManifestDigest(tensors),
    createdAt: isoTime(nowMs),
    expires: isoTime(nowMs + MODEL_DAYS * dayMs),
  };
  const subjects = [{ name: 'global-model', digest: modelDigest }];
  const statement = encodeStatement(globalModelRecord, { subjects, predicate });
  const envelope = signStatement(statement, [signers.model]);
  const leafSeq = log.append({
    actor: 'system',
    action: MODEL_PUBLISHED_ACTION,
    outcome: 'success',
    object: publishedModelObject({ modelDigest, statementDigest: sha256Hex(statement) }),
    researchStudyId: predicate.researchStudyId,
    round: predicate.round,
    detail: {
      attempt: predicate.attempt,
      kind: predicate.kind,
      included: predicate.included.map(({ siteId }) => siteId),
    },
  });
  log.checkpoint();
  const row = {
    research_study_id: predicate.researchStudyId,
    remedy: predicate.remedy,
    round: predicate.round,
    model_digest: modelDigest,
    envelope,
    tensors: bytes,
    leaf_seq: leafSeq,
    published_at: predicate.createdAt,
  };
  store.run(store.query.insertInto('global_model').values(row));
  return modelDigest;
}

/** The model of the last closed round that counts, or undefined before a plan was published. */
export function latestModel(store: ConsortiumStore, researchStudyId: string): GlobalModelRow | undefined {
  const models = store.query
    .selectFrom('model_in_force')
    .selectAll()
    .where('research_study_id', '=', researchStudyId);
  return store.get(models.orderBy('round', 'desc').limit(1));
}

/** The model that counts for `round` (0: the initial one). */
export function findModel(
  store: ConsortiumStore,
  researchStudyId: string,
  round: number,
): GlobalModelRow | undefined {
  const models = store.query
    .selectFrom('model_in_force')
    .selectAll()
    .where('research_study_id', '=', researchStudyId);
  return store.get(models.where('round', '=', round));
}

/** Proof that the model's entry stands in the log under its latest checkpoint (E13). */
export function proveModel({ log }: Foundation, model: GlobalModelRow): LeafProof {
  return log.prove(model.leaf_seq);
}
