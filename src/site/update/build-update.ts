// Turns what a run made into a signed draft: payload, statement, disclosure report, row and audit event in one transaction.
// Nothing leaves by it; a steward decides first.
import { toHex } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { CodedError } from '#base/coded-error.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import type { SigningKey } from '#federation/crypto/signing-key.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import { type ModelUpdate, modelUpdateRecord } from '#federation/records/model-update.ts';
import { encodeStatement, signStatement } from '#federation/records/record.ts';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import type { RoundKind, RoundOpening } from '#federation/records/round.ts';
import { tensorManifestDigest } from '#federation/tensors/manifest.ts';
import type { TensorMap } from '#federation/tensors/tensor.ts';
import type { Actor, AuditLog } from '#site/audit/index.ts';
import type { SelectionReport } from '#site/cohort/index.ts';
import type { Store } from '#site/store/index.ts';
import { refuseCohortDifference } from './cohort-difference.ts';
import { createDisclosureReport, encodeReport } from './disclosure-report.ts';
import { createPayload, type Payload } from './payload.ts';
import { chargePrivacy, isPrivate } from './privacy-ledger.ts';
import { refuseStatisticsDifference } from './statistics-difference.ts';
import { lastReceivedUpdate, refuseAnsweredRound } from './stored-updates.ts';

export interface UpdateContext {
  readonly store: Store;
  readonly auditLog: AuditLog;
  /** The site's key, role site-signing. */
  readonly signer: SigningKey;
  readonly siteId: string;
  /** Printed name of the consortium. */
  readonly consortium: string;
  readonly software: { readonly name: string; readonly version: string };
}

/** The round, its plan and its base as this site verified them. */
export interface UpdateRound {
  readonly opening: RoundOpening;
  readonly plan: ResearchStudyPlan;
  readonly base: TensorMap;
}

export interface UpdateCohort {
  readonly cohortId: string;
  readonly cohortDigest: string;
  readonly consentSnapshotDigest: string;
  readonly frozenAt: string;
  readonly selection: SelectionReport;
}

export interface UpdateRun {
  readonly runId: string;
  /** 32 bytes; null where nothing is random. */
  readonly seed: Uint8Array | null;
  readonly made: TensorMap;
  /** Rows, which are patients: one row each. */
  readonly exampleCount: number;
  /** Mean loss in nats; null in rounds that do not train. */
  readonly lossBefore: number | null;
  readonly lossAfter: number | null;
  readonly startedAt: string;
  readonly finishedAt: string;
}

export interface NewUpdate {
  readonly round: UpdateRound;
  readonly cohort: UpdateCohort;
  readonly run: UpdateRun;
  readonly actor: Actor;
}

/** What was done to identities and dates before a fact was stored (security.md D2, D4, D10). */
const deidProfile = 'ehr-1: keyed pseudonyms, shifted dates, no free text, ages above 89 as 90';

const updateKinds = { training: 'delta', statistics: 'statistics', evaluation: 'evaluation' } as const;

/**
 * Builds the draft of a round and gives its id. An older draft of the same attempt is blocked: a steward sees one.
 * @throws PrivacyError PRIVACY_BUDGET_SPENT; UpdateError COHORT_DIFFERENCE, STATISTICS_DIFFERENCE and UPDATE_TOO_LARGE (as an audit event too), ROUND_ANSWERED.
 */
export function buildUpdate(context: UpdateContext, update: NewUpdate): { readonly updateId: string } {
  const { opening, plan, base } = update.round;
  let payload: Payload;
  try {
    payload = createPayload({ kind: opening.kind, made: update.run.made, base, limits: plan.limits });
    const { cohortId } = update.cohort;
    refuseCohortDifference(context.store, { opening, plan, cohortId });
    refuseStatisticsDifference(context.store, { opening, payload: payload.bytes });
  } catch (error) {
    if (error instanceof CodedError && error.code !== 'BUG') logRefusal(context, update, error.code);
    throw error;
  }
  return context.store.transaction(() => storeDraft(context, update, payload));
}

function storeDraft(
  context: UpdateContext,
  update: NewUpdate,
  payload: Payload,
): { readonly updateId: string } {
  const { store, signer, consortium } = context;
  const { opening, plan } = update.round;
  refuseAnsweredRound(store, opening);
  blockOlderDrafts(context, update);
  const privacy =
    opening.kind === 'training' && isPrivate(plan)
      ? chargePrivacy(store, { plan, opening, runId: update.run.runId })
      : null;
  if (privacy !== null) {
    // Detail on purpose: the log is where the site's promise can be checked afterwards.
    const detail = { ...privacy.statement, epsilonLeft: privacy.position.epsilonLeft };
    const object = `training-run:${update.run.runId}`;
    log(context, update, { action: 'privacy-spend', object, outcome: 'success', detail });
  }
  const predicate = createPredicate(context, update, { payload, privacy: privacy?.statement ?? null });
  const subjects = [{ name: 'payload', digest: sha256Hex(payload.bytes) }];
  const statement = encodeStatement(modelUpdateRecord, { subjects, predicate });
  const updateId = sha256Hex(statement);
  const { kind } = opening;
  const report = encodeReport(
    createDisclosureReport({
      update: predicate,
      updateDigest: updateId,
      plan,
      kind,
      payload,
      selection: update.cohort.selection,
      previous: lastReceivedUpdate(store, opening.researchStudyId, kind)?.report,
      consortium,
    }),
  );
  const row = {
    update_id: updateId,
    research_study_id: opening.researchStudyId,
    round: opening.round,
    attempt: opening.attempt,
    run_id: update.run.runId,
    envelope: signStatement(statement, [signer]),
    payload: payload.bytes,
    report: report.text,
    report_digest: report.digest,
    state: 'draft',
    built_at: isoTime(store.clock.nowMs()),
  } as const;
  store.run(store.query.insertInto('model_update').values(row));
  const detail = {
    kind,
    payloadDigest: sha256Hex(payload.bytes),
    bytes: payload.bytes.length,
    reportDigest: report.digest,
  };
  log(context, update, { action: 'update-built', object: `update:${updateId}`, outcome: 'success', detail });
  return { updateId };
}

function createPredicate(
  context: UpdateContext,
  { round, cohort, run }: NewUpdate,
  { payload, privacy }: { readonly payload: Payload; readonly privacy: ModelUpdate['privacy'] },
): ModelUpdate {
  const { opening } = round;
  const { size, rootHash } = context.auditLog.checkpoint();
  return {
    researchStudyId: opening.researchStudyId,
    recipientKeyId: opening.recipientKeyId,
    planDigest: opening.planDigest,
    round: opening.round,
    attempt: opening.attempt,
    siteId: context.siteId,
    baseModelDigest: opening.baseModelDigest,
    tensorManifestDigest: tensorManifestDigest(payload.tensors),
    updateKind: updateKinds[opening.kind satisfies RoundKind],
    exampleCount: run.exampleCount,
    // One row for each patient in this release.
    patientCount: run.exampleCount,
    cohortDigest: cohort.cohortDigest,
    consentSnapshotDigest: cohort.consentSnapshotDigest,
    consentEvaluatedAt: cohort.frozenAt,
    optOutListDigest: null,
    deidProfile,
    privacy,
    metrics: { before: run.lossBefore, after: run.lossAfter, calibration: null },
    secagg: null,
    // Binds the site to the randomness it used, without telling it.
    seedCommitment: run.seed === null ? null : sha256Hex(run.seed),
    software: { ...context.software, buildDigest: null, sbomDigest: null },
    trainedFrom: run.startedAt,
    trainedAt: run.finishedAt,
    auditCheckpoint: { size, rootHash },
    prevUpdateDigest: lastReceivedUpdate(context.store, opening.researchStudyId)?.updateId ?? null,
    nonce: toHex(systemRandom(32)),
    expires: opening.closesAt,
  };
}

/** Stops a steward from approving a draft whose cohort or weights were replaced by a later run. */
function blockOlderDrafts(context: UpdateContext, update: NewUpdate): void {
  const { store } = context;
  const { researchStudyId, round, attempt } = update.round.opening;
  const blocked = store.all(
    store.query
      .updateTable('model_update')
      .set({ state: 'blocked' })
      .where('research_study_id', '=', researchStudyId)
      .where('round', '=', round)
      .where('attempt', '=', attempt)
      .where('state', '=', 'draft')
      .returning('update_id'),
  );
  for (const { update_id } of blocked) {
    log(context, update, {
      action: 'update-blocked',
      object: `update:${update_id}`,
      outcome: 'success',
      reason: 'REPLACED',
    });
  }
}

function logRefusal(context: UpdateContext, update: NewUpdate, reason: string): void {
  const object = `training-run:${update.run.runId}`;
  context.store.transaction(() =>
    log(context, update, { action: 'update-build-refused', object, outcome: 'refused', reason }),
  );
}

type UpdateEvent = Omit<Parameters<AuditLog['append']>[0], 'actor' | 'role' | 'researchStudyId' | 'round'>;

function log({ auditLog }: UpdateContext, { round, actor }: NewUpdate, event: UpdateEvent): void {
  const { researchStudyId, round: number } = round.opening;
  auditLog.append({ actor: actor.name, role: actor.role, researchStudyId, round: number, ...event });
}
