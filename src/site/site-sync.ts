// A sync as a site does it: seal what stewards approved, exchange with the consortium, try a new global model on the holdout.
import { CodedError, isCodedError } from '#base/coded-error.ts';
import type { Logger } from '#base/logger.ts';
import { type Actor, systemActor } from '#site/audit/index.ts';
import { evaluateGlobalModel } from '#site/evaluation/index.ts';
import type { Transport } from '#site/ports.ts';
import { sealApprovedUpdate } from '#site/signing/index.ts';
import { type SentUpdate, type SyncResult, syncOnce } from '#site/sync/index.ts';
import { listUpdates } from '#site/update/index.ts';
import { loadLatestModel, weightsOf } from './base-model.ts';
import { chooseNormalisation, createExamples } from './normalised-examples.ts';
import type { RoundStages } from './round.ts';

export interface SyncStages extends RoundStages {
  readonly transport: Transport;
  readonly logger: Logger;
}

/** @throws AgreementError NOT_ENROLLED, SyncError, and refusals of what the consortium sent. */
export async function syncSite(stages: SyncStages, actor: Actor): Promise<SyncResult> {
  const { store, auditLog, people, agreement, transport } = stages;
  agreement.requireSettings();
  // Sealed now and not at the approval; consent is evaluated here, and once more right before the bytes leave (C9).
  const blocked = await sealApproved(stages, actor);
  const reevaluateConsent = (updateId: string) => stages.cohorts.recheck(cohortOf(stages, updateId));
  const result = await syncOnce({ store, auditLog, people, agreement, transport, actor, reevaluateConsent });
  await evaluateReceived(stages, result);
  return { ...result, sent: [...blocked, ...result.sent] };
}

/** Seals every approved update; one that is refused is blocked and reported, and does not hold up the others. */
export async function sealApproved(stages: SyncStages, actor: Actor): Promise<SentUpdate[]> {
  const { store, auditLog, people, agreement } = stages;
  const refused: SentUpdate[] = [];
  for (const { updateId } of listUpdates(store).filter(({ state }) => state === 'approved')) {
    const reevaluateConsent = () => stages.cohorts.recheck(cohortOf(stages, updateId));
    try {
      await sealApprovedUpdate({
        store,
        auditLog,
        agreement,
        updateId,
        signer: people.siteSigner(),
        actor,
        reevaluateConsent,
      });
    } catch (error) {
      if (!(error instanceof CodedError) || error.code === 'BUG') throw error;
      refused.push({ updateId, outcome: 'refused', code: error.code, bytes: 0 });
    }
  }
  return refused;
}

/** The frozen cohort that an update was made from; empty for none. */
export function cohortOf({ store }: SyncStages, updateId: string): string {
  const row = store.get(
    store.query
      .selectFrom('model_update')
      .innerJoin('training_run', 'training_run.run_id', 'model_update.run_id')
      .select('training_run.cohort_id')
      .where('model_update.update_id', '=', updateId),
  );
  return row?.cohort_id ?? '';
}

/** Tries the newest model of each research study that a new one came of. */
export async function evaluateReceived(
  stages: SyncStages,
  { received }: Pick<SyncResult, 'received'>,
): Promise<void> {
  const models = received.filter(({ record }) => record === 'global-model');
  for (const researchStudyId of new Set(models.map((model) => model.researchStudyId)))
    if (researchStudyId !== null) await evaluateLatest(stages, researchStudyId);
}

/** Tries the newest model on this site's holdout. That it cannot be tried here (too few patients) is no fault of the sync. */
async function evaluateLatest(stages: SyncStages, researchStudyId: string): Promise<void> {
  const { store, auditLog, agreement, cohorts, trainingHost, logger } = stages;
  try {
    const model = loadLatestModel(store, researchStudyId);
    if (model === undefined) return;
    const { plan } = agreement.currentPlan(researchStudyId);
    const rows = cohorts.evaluationRows(plan);
    const trainingRows = () => rows.matrix('training');
    const normalisation = chooseNormalisation({ plan, model: model.tensors, trainingRows });
    await evaluateGlobalModel({ store, auditLog }, trainingHost, {
      model,
      specification: plan.model,
      weights: weightsOf(model.tensors),
      examples: createExamples(rows.matrix('holdout'), normalisation),
      actor: systemActor,
    });
  } catch (error) {
    if (!isCodedError(error) || error.code === 'BUG') throw error;
    logger.info('a global model was not evaluated here', { researchStudyId, code: error.code });
  }
}
