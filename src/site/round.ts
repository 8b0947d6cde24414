// One round at this site: freeze the cohort, compute what the round asks for, leave a draft update for a steward.
// A run that was killed leaves nothing in the way: a fresh run of the same round goes on from its last checkpoint, or starts over.
import { isoTime } from '#base/clock.ts';
import { isCodedError } from '#base/coded-error.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import type { RoundOpening } from '#federation/records/round.ts';
import type { Agreement } from '#site/agreement/index.ts';
import type { Actor, AuditLog } from '#site/audit/index.ts';
import type { Cohorts, FrozenCohort } from '#site/cohort/index.ts';
import type { People } from '#site/people/index.ts';
import type { TrainingGate, TrainingHost } from '#site/ports.ts';
import { refuseErasedMembers } from '#site/signing/index.ts';
import type { Store } from '#site/store/index.ts';
import { finishTrainingRun, startTrainingRun, TrainingError } from '#site/training/index.ts';
import { buildUpdate, refuseAnsweredRound } from '#site/update/index.ts';
import { loadBaseModel, type StoredModel } from './base-model.ts';
import { computeRound, type RoundWork } from './round-work.ts';
import { SiteError } from './site-error.ts';
import { software } from './software.ts';

/** The same shape as `roundEvent` of the site contract. */
export type RoundEvent =
  | { readonly kind: 'phase'; readonly phase: 'cohort' | 'statistics' | 'training' | 'evaluation' | 'update' }
  | { readonly kind: 'progress'; readonly step: number; readonly stepCount: number; readonly loss: number }
  | { readonly kind: 'done'; readonly updateId: string };

export interface RoundStages {
  readonly store: Store;
  readonly auditLog: AuditLog;
  readonly people: People;
  readonly agreement: Agreement;
  readonly cohorts: Cohorts;
  readonly trainingHost: TrainingHost;
}

export interface RoundRun {
  readonly researchStudyId: string;
  readonly actor: Actor;
  readonly signal: AbortSignal;
  readonly onEvent: (event: RoundEvent) => void;
  /** When the run may compute; absent: always. */
  readonly gate?: TrainingGate | undefined;
}

/** A round with what it stands on, verified. */
export interface PreparedRound {
  readonly opening: RoundOpening;
  readonly plan: ResearchStudyPlan;
  readonly base: StoredModel;
  readonly cohort: FrozenCohort;
}

/**
 * Runs the open round of a research study and gives the id of the draft update.
 * @throws SiteError NO_OPEN_ROUND, BASE_MODEL_MISSING, NORMALISATION_MISSING; CohortError COHORT_TOO_SMALL; UpdateError
 * ROUND_ANSWERED, COHORT_DIFFERENCE, STATISTICS_DIFFERENCE, UPDATE_TOO_LARGE; TrainingError TRAINING_CANCELLED when the signal aborts, and as the host does;
 * SigningError CONSENT_CHANGED when a member was erased meanwhile.
 */
export async function runRound(stages: RoundStages, run: RoundRun): Promise<{ readonly updateId: string }> {
  const { onEvent, actor } = run;
  const prepared = prepareRound(stages, run);
  onEvent({ kind: 'phase', phase: prepared.opening.kind });
  const work = await recordedRun(stages, run, prepared);
  onEvent({ kind: 'phase', phase: 'update' });
  const settings = stages.agreement.requireSettings();
  const { store, auditLog, people } = stages;
  const { siteId, consortium } = settings;
  const context = { store, auditLog, signer: people.siteSigner(), siteId, consortium, software };
  const { opening, plan, base, cohort } = prepared;
  const round = { opening, plan, base: base.tensors };
  const { updateId } = buildUpdate(context, { round, cohort, run: work, actor });
  onEvent({ kind: 'done', updateId });
  return { updateId };
}

function prepareRound(stages: RoundStages, { researchStudyId, actor, onEvent }: RoundRun): PreparedRound {
  const { store, agreement, cohorts } = stages;
  const opening = agreement.openRound(researchStudyId);
  if (opening === undefined) throw new SiteError('NO_OPEN_ROUND', 'No round is open for this site.');
  const { plan } = agreement.currentPlan(researchStudyId);
  refuseAnsweredRound(store, opening);
  const base = loadBaseModel(store, opening);
  onEvent({ kind: 'phase', phase: 'cohort' });
  const cohort = cohorts.freeze({ plan, round: opening.round, kind: opening.kind, actor });
  return { opening, plan, base, cohort };
}

/** Computes under a training_run row that says how it ended, whatever happens. */
async function recordedRun(stages: RoundStages, run: RoundRun, prepared: PreparedRound) {
  const { store, auditLog, trainingHost } = stages;
  const { opening, cohort } = prepared;
  const { kind, researchStudyId, round, attempt } = opening;
  const freshSeed = kind === 'training' ? systemRandom(32) : null;
  const engine = kind === 'statistics' ? null : await trainingHost.engine(prepared.plan.model);
  const record = { store, auditLog, actor: run.actor, kind };
  const startedAt = isoTime(store.clock.nowMs());
  const { runId, seed, checkpoint } = startTrainingRun({
    ...record,
    researchStudyId,
    round,
    attempt,
    cohortId: cohort.cohortId,
    seed: freshSeed,
    engine,
  });
  let work: RoundWork;
  try {
    work = await computeRound(stages, run, { ...prepared, runId, seed, checkpoint });
    if (run.signal.aborted) throw new TrainingError('TRAINING_CANCELLED', 'the round was cancelled');
    // A withdrawal during the run has emptied what there was; this comes after it.
    refuseErasedMembers(store, cohort.cohortId);
  } catch (error) {
    const isCancelled = isCodedError(error, 'TRAINING_CANCELLED');
    const code = isCodedError(error) ? error.code : 'BUG';
    finishTrainingRun({
      ...record,
      runId,
      outcome: isCancelled ? { state: 'cancelled' } : { state: 'failed', code },
    });
    throw error;
  }
  finishTrainingRun({
    ...record,
    runId,
    outcome: { state: 'done', tensors: work.tensors, result: work.result },
  });
  return { ...work, runId, seed, startedAt, finishedAt: isoTime(store.clock.nowMs()) };
}
