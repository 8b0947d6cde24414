// Makes every published global model again from the sealed files as they came in, and compares digests: whoever holds the
// consortium's store can show that each model is the aggregate of exactly the updates it names.

import { equalBytes } from '#base/bytes.ts';
import { BugError, CodedError } from '#base/coded-error.ts';
import type { SignedTrust } from '#consortium/enrolment/index.ts';
import { findPlan, listResearchStudies } from '#consortium/publish/index.ts';
import type { ConsortiumStore, Foundation, GlobalModelRow } from '#consortium/store/index.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { encodeCanonicalJson } from '#federation/records/canonical-json.ts';
import { type GlobalModel, globalModelRecord } from '#federation/records/global-model.ts';
import { type VerifiedRecord, verifyRecord } from '#federation/records/record.ts';
import { openSealedUpdate } from '#federation/records/sealed-update.ts';
import { createInitialWeights } from '#federation/tensors/initial-weights.ts';
import { encodeSafetensors } from '#federation/tensors/safetensors.ts';
import { aggregateUpdates, type CountedUpdate, listReceivedUpdates } from './aggregate-updates.ts';

export type AggregateCode = 'MODEL_DIFFERS' | 'UPDATE_CHANGED';

class RecomputeError extends CodedError<AggregateCode> {}

export interface ModelCheck {
  readonly researchStudyId: string;
  readonly round: number;
  /** As published. */
  readonly modelDigest: string;
  /** Null where it could not be made again; `problem` says why. */
  readonly recomputedDigest: string | null;
  /** MODEL_DIFFERS, UPDATE_CHANGED, or the code with which a record or sealed file was refused. */
  readonly problem: string | null;
}

export interface RecomputedModels {
  readonly verified: boolean;
  readonly models: readonly ModelCheck[];
}

/** Recomputes all models of all research studies. Never throws for a bad one. */
export async function recomputeModels(foundation: Foundation, trust: SignedTrust): Promise<RecomputedModels> {
  const models: ModelCheck[] = [];
  for (const researchStudyId of listResearchStudies(foundation.store)) {
    for (const model of listModels(foundation.store, researchStudyId))
      models.push(await check(foundation, trust, model));
  }
  return { verified: models.every(({ problem }) => problem === null), models };
}

function listModels(store: ConsortiumStore, researchStudyId: string): GlobalModelRow[] {
  const query = store.query
    .selectFrom('global_model')
    .selectAll()
    .where('research_study_id', '=', researchStudyId);
  return store.all(query.orderBy('remedy').orderBy('round'));
}

async function check(foundation: Foundation, trust: SignedTrust, model: GlobalModelRow): Promise<ModelCheck> {
  const { research_study_id: researchStudyId, round, model_digest: modelDigest } = model;
  const place = { researchStudyId, round, modelDigest };
  try {
    const atMs = Date.parse(model.published_at);
    const record = verifyRecord(globalModelRecord, model.envelope, { trust: trust.keys, atMs });
    const isConsistent = record.subjectDigest === modelDigest && sha256Hex(model.tensors) === modelDigest;
    const recomputed =
      round === 0
        ? initialModel(foundation, trust, researchStudyId)
        : await aggregateAgain(foundation, trust, record);
    const recomputedDigest = sha256Hex(recomputed);
    const isSame = isConsistent && recomputedDigest === modelDigest;
    const problem: AggregateCode | null = isSame ? null : 'MODEL_DIFFERS';
    return { ...place, recomputedDigest, problem };
  } catch (error) {
    if (!(error instanceof CodedError) || error instanceof BugError) throw error;
    return { ...place, recomputedDigest: null, problem: error.code };
  }
}

function initialModel({ store }: Foundation, trust: SignedTrust, researchStudyId: string): Uint8Array {
  const published = findPlan(store, trust, researchStudyId);
  return published === undefined
    ? new Uint8Array()
    : encodeSafetensors(createInitialWeights(published.plan.model));
}

async function aggregateAgain(
  foundation: Foundation,
  trust: SignedTrust,
  { predicate }: VerifiedRecord<GlobalModel>,
): Promise<Uint8Array> {
  const { store } = foundation;
  const { researchStudyId, round, attempt, kind } = predicate;
  const base = findBase(store, predicate);
  if (base === undefined || kind === 'initial') return new Uint8Array();
  const updates = await openReceived(foundation, trust, {
    research_study_id: researchStudyId,
    round,
    attempt,
  });
  if (updates.length !== predicate.included.length) return new Uint8Array();
  const published = findPlan(store, trust, researchStudyId);
  if (published === undefined) return new Uint8Array();
  const { tensors, included, evaluation, statistics } = aggregateUpdates(
    { kind, base: base.tensors, plan: published.plan },
    updates,
  );
  // The statement's own list counts too: the same tensors under other names would be another claim.
  const claimOf = (made: Pick<GlobalModel, 'included' | 'evaluation' | 'statistics'>) =>
    encodeCanonicalJson([made.included, made.evaluation, made.statistics ?? null]);
  const isSameClaim = equalBytes(claimOf({ included, evaluation, statistics }), claimOf(predicate));
  return isSameClaim ? encodeSafetensors(tensors) : new Uint8Array();
}

/** Also one that a remedy has taken back since. */
function findBase(
  store: ConsortiumStore,
  { researchStudyId, round, baseModelDigest }: GlobalModel,
): GlobalModelRow | undefined {
  const query = store.query
    .selectFrom('global_model')
    .selectAll()
    .where('research_study_id', '=', researchStudyId)
    .where('round', '=', round - 1);
  return store.get(query.where('model_digest', '=', baseModelDigest ?? '').limit(1));
}

/** The updates of an attempt as their sealed files say, signatures checked as of the moment they came in. */
async function openReceived(
  { store, signers }: Foundation,
  trust: SignedTrust,
  place: Parameters<typeof listReceivedUpdates>[1],
): Promise<CountedUpdate[]> {
  const opened: CountedUpdate[] = [];
  for (const row of listReceivedUpdates(store, place)) {
    const atMs = Date.parse(row.received_at);
    const { update, payload } = await openSealedUpdate({
      file: row.sealed_file,
      receivingKey: signers.receiving,
      trust: trust.keys,
      atMs,
    });
    const { siteId, exampleCount } = update.predicate;
    // What stands beside the sealed file came out of it; whatever differs was changed after intake.
    const isAsReceived =
      equalBytes(payload, row.payload) &&
      update.digest === row.update_digest &&
      siteId === row.site_id &&
      exampleCount === row.example_count;
    if (!isAsReceived)
      throw new RecomputeError('UPDATE_CHANGED', 'A received update differs from its sealed file.');
    opened.push({ site_id: siteId, update_digest: update.digest, example_count: exampleCount, payload });
  }
  return opened;
}
