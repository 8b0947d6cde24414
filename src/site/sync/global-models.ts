// Takes over the global models of a research study, from the last known to the newest, each verified before it is stored.
import { toHex } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { CodedError } from '#base/coded-error.ts';
import type { Checkpoint } from '#federation/log/checkpoint.ts';
import type { GlobalModel } from '#federation/records/global-model.ts';
import type { PublishedDigests } from '#federation/records/published-model.ts';
import type { VerifiedRecord } from '#federation/records/record.ts';
import { SyncError } from '#federation/sync-contract/sync-error.ts';
import type { Json } from '#site/audit/index.ts';
import type { Store } from '#site/store/index.ts';
import {
  loadSeenCheckpoint,
  needsConsistency,
  type SeenCheckpoint,
  saveSeenCheckpoint,
  verifyContinues,
  verifyPublished,
} from './consortium-log-view.ts';
import { type ModelExpectation, type OwnUpdate, verifyGlobalModel } from './global-model-check.ts';
import { PublishedError } from './published-error.ts';
import type { ExchangeContext, SyncContext } from './sync-context.ts';

interface StoredModel {
  readonly round: number;
  readonly model_digest: string;
}

/** The newest model of a research study that this site has verified and that counts. */
export function latestStoredModel({ store }: SyncContext, researchStudyId: string): StoredModel | undefined {
  const query = store.query
    .selectFrom('model_in_force')
    .select(['round', 'model_digest'])
    .where('research_study_id', '=', researchStudyId);
  return store.get(query.orderBy('round', 'desc').limit(1));
}

/**
 * Fetches, verifies and stores every model up to `latestRound`; gives the rounds that are new.
 * @throws PublishedError, RecordError, LogError, TensorError: the model is not stored and the refusal is logged.
 */
export async function fetchGlobalModels(
  context: ExchangeContext,
  researchStudyId: string,
  latestRound: number,
): Promise<number[]> {
  const known = latestStoredModel(context, researchStudyId);
  // Stops the consortium from taking back a model that this site has built on.
  if (known !== undefined && latestRound < known.round) {
    const error = new PublishedError('ROLLBACK', 'The consortium names an older model as its latest.', {
      details: { expected: known.round, found: latestRound },
    });
    throw logRefusal(context, { researchStudyId, round: latestRound }, error);
  }
  const added: number[] = [];
  for (let round = (known?.round ?? -1) + 1; round <= latestRound; round++) {
    await fetchGlobalModel(context, { researchStudyId, round, isLatest: round === latestRound });
    added.push(round);
  }
  return added;
}

interface ModelPlace {
  readonly researchStudyId: string;
  readonly round: number;
}

interface WantedModel extends ModelPlace {
  readonly isLatest: boolean;
}

async function fetchGlobalModel(context: ExchangeContext, wanted: WantedModel): Promise<void> {
  const { client } = context;
  const { researchStudyId, round } = wanted;
  const { plan } = context.agreement.currentPlan(researchStudyId);
  const envelope = await client.getModel(researchStudyId, round);
  const tensors = await client.getModelTensors(
    researchStudyId,
    round,
    maxModelBytes(plan.limits.maxUpdateBytes),
  );
  const proof = await client.getModelProof(researchStudyId, round);
  try {
    const record = verifyGlobalModel(envelope, tensors, expectationOf(context, wanted));
    const { subjectDigest: modelDigest, digest: statementDigest } = record;
    const logged = await verifyLogged(context, wanted, { modelDigest, statementDigest, proof });
    storeModel(context, wanted, { record, envelope, tensors, ...logged });
  } catch (error) {
    throw logRefusal(context, wanted, error);
  }
}

/** A model carries weights, means and scales: more than any one update, by a constant factor. */
function maxModelBytes(maxUpdateBytes: number): number {
  return 4 * maxUpdateBytes + 1024 * 1024;
}

function expectationOf(
  context: SyncContext,
  { researchStudyId, round, isLatest }: WantedModel,
): ModelExpectation {
  const { store, agreement, settings } = context;
  return {
    researchStudyId,
    round,
    plan: agreement.currentPlan(researchStudyId).plan,
    planDigests: loadPlanDigests(context, researchStudyId),
    baseModelDigest: latestStoredModel(context, researchStudyId)?.model_digest ?? null,
    remedies: agreement.remedies(researchStudyId),
    base: loadTensors(context, { researchStudyId, round: round - 1 }),
    openedUnder: loadOpenedUnder(context, { researchStudyId, round }),
    siteId: settings.siteId,
    ownUpdates: loadOwnUpdates(context, { researchStudyId, round }),
    isLatest,
    trust: agreement.trustedKeys(),
    nowMs: store.clock.nowMs(),
  };
}

function loadTensors({ store }: SyncContext, { researchStudyId, round }: ModelPlace): Uint8Array | undefined {
  const query = store.query
    .selectFrom('model_in_force')
    .select('tensors')
    .where('research_study_id', '=', researchStudyId)
    .where('round', '=', round);
  return store.get(query)?.tensors;
}

function loadPlanDigests({ store }: SyncContext, researchStudyId: string): Set<string> {
  const query = store.query
    .selectFrom('research_study')
    .select('plan_digest')
    .where('research_study_id', '=', researchStudyId);
  return new Set(store.all(query).map((row) => row.plan_digest));
}

/** By attempt of a round: the last remedy when it was opened. */
function loadOpenedUnder(
  { store }: SyncContext,
  { researchStudyId, round }: ModelPlace,
): Map<number, number> {
  const query = store.query
    .selectFrom('round')
    .select(['attempt', 'remedy'])
    .where('research_study_id', '=', researchStudyId)
    .where('round', '=', round);
  return new Map(store.all(query).map(({ attempt, remedy }) => [attempt, remedy]));
}

/** What this site put into its outbox for a round, by attempt. */
function loadOwnUpdates(
  { store }: SyncContext,
  { researchStudyId, round }: ModelPlace,
): Map<number, OwnUpdate> {
  const query = store.query
    .selectFrom('outbox')
    .innerJoin('model_update', 'model_update.update_id', 'outbox.update_id')
    .select(['model_update.attempt', 'model_update.update_id', 'model_update.payload', 'outbox.received_at'])
    .where('model_update.research_study_id', '=', researchStudyId)
    .where('model_update.round', '=', round);
  const own = new Map<number, OwnUpdate>();
  for (const row of store.all(query)) {
    const isReceived = row.received_at !== null;
    // Should an attempt have been built twice, the one with a receipt is the one to look for.
    if (own.get(row.attempt)?.isReceived === true) continue;
    // Emptied when one of its patients was erased.
    const payload = row.payload.length === 0 ? undefined : row.payload;
    own.set(row.attempt, { updateDigest: row.update_id, isReceived, payload });
  }
  return own;
}

interface LoggedModel extends PublishedDigests {
  readonly proof: unknown;
}

/** What of the consortium's log was seen before, and what continues it. */
interface LogStep {
  readonly seen: SeenCheckpoint | undefined;
  readonly checkpoint: Checkpoint;
}

/** The model's entry under a signed checkpoint, and that checkpoint as a continuation of the last one seen. */
async function verifyLogged(
  context: ExchangeContext,
  place: ModelPlace,
  { proof, ...digests }: LoggedModel,
): Promise<LogStep> {
  const { store, agreement, settings, client } = context;
  const source = {
    trust: agreement.trustedKeys(),
    rootPublicKey: settings.rootPublicKey,
    nowMs: store.clock.nowMs(),
  };
  const { researchStudyId, round } = place;
  const checkpoint = verifyPublished(proof, { researchStudyId, round, ...digests }, source);
  const seen = loadSeenCheckpoint(store);
  if (needsConsistency(seen, checkpoint)) {
    verifyContinues(seen, checkpoint, await client.getLogConsistency(seen.size, checkpoint.size));
  }
  return { seen, checkpoint };
}

interface VerifiedModel extends LogStep {
  readonly record: VerifiedRecord<GlobalModel>;
  readonly envelope: Uint8Array;
  readonly tensors: Uint8Array;
}

function storeModel({ store, auditLog, actor }: SyncContext, place: ModelPlace, model: VerifiedModel): void {
  const { record, envelope, tensors, seen, checkpoint } = model;
  const { researchStudyId, round } = place;
  store.transaction(() => {
    refuseOvertaken(store, seen);
    const row = {
      research_study_id: researchStudyId,
      remedy: record.predicate.remedy,
      round,
      model_digest: record.subjectDigest,
      envelope,
      tensors,
      verified_at: isoTime(store.clock.nowMs()),
    };
    store.run(store.query.insertInto('global_model').values(row));
    saveSeenCheckpoint(store, checkpoint);
    const included = record.predicate.included.map(({ siteId }) => siteId);
    auditLog.append({
      actor: actor.name,
      role: actor.role,
      action: 'global-model-verified',
      object: `global-model:${record.subjectDigest}`,
      researchStudyId,
      round,
      outcome: 'success',
      detail: {
        kind: record.predicate.kind,
        statementDigest: record.digest,
        included,
        logSize: checkpoint.size,
      },
    });
  });
}

/** Stops an older view of the log from replacing a newer one that came in while the proof of this one was fetched. */
function refuseOvertaken(store: Store, seen: SeenCheckpoint | undefined): void {
  const now = loadSeenCheckpoint(store);
  const isSame = now?.size === seen?.size && toHex(now?.rootHash ?? none) === toHex(seen?.rootHash ?? none);
  if (isSame) return;
  throw new PublishedError('SYNC_OVERTAKEN', 'Another sync has taken records over in the meantime.', {
    details: { expected: seen?.size ?? null, found: now?.size ?? null },
  });
}

const none = new Uint8Array();

/** Gives `error` back. A failed connection is no refusal of the model and is not logged as one. */
function logRefusal({ store, auditLog, actor }: SyncContext, place: ModelPlace, error: unknown): unknown {
  if (!(error instanceof CodedError) || error.code === 'BUG' || error instanceof SyncError) return error;
  const detail = error.details as Json;
  store.transaction(() =>
    auditLog.append({
      actor: actor.name,
      role: actor.role,
      action: 'global-model-refused',
      researchStudyId: place.researchStudyId,
      round: place.round,
      outcome: 'refused',
      reason: error.code,
      detail,
    }),
  );
  return error;
}
