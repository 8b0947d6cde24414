// The record of a run: that it began, and how it ended, each in one transaction with its audit event.
// A run that a killed process left behind is marked failed before another one starts, which goes on from its last checkpoint.
import { toHex } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import type { RoundKind } from '#federation/records/round.ts';
import { type Actor, type AuditAction, type AuditLog, type Json, systemActor } from '#site/audit/index.ts';
import type { EngineInfo } from '#site/ports.ts';
import type { Store } from '#site/store/index.ts';
import { TrainingError } from './training-error.ts';

export interface NewTrainingRun {
  readonly store: Store;
  readonly auditLog: AuditLog;
  readonly actor: Actor;
  readonly kind: RoundKind;
  readonly researchStudyId: string;
  readonly round: number;
  readonly attempt: number;
  readonly cohortId: string;
  /** 32 random bytes, or null where nothing is random. */
  readonly seed: Uint8Array | null;
  /** Null where no engine computes (statistics). */
  readonly engine: EngineInfo | null;
}

export type RunOutcome =
  /** `tensors`: safetensors of what the run made, before the base is subtracted. `result`: losses, steps, seconds. */
  | {
      readonly state: 'done';
      readonly tensors: Uint8Array;
      readonly result: { readonly [name: string]: Json };
    }
  | { readonly state: 'failed'; readonly code: string }
  | { readonly state: 'cancelled' };

export interface FinishedTrainingRun {
  readonly store: Store;
  readonly auditLog: AuditLog;
  readonly actor: Actor;
  readonly kind: RoundKind;
  readonly runId: string;
  readonly outcome: RunOutcome;
}

const startActions: Readonly<Record<RoundKind, AuditAction>> = {
  statistics: 'statistics-started',
  training: 'training-started',
  evaluation: 'evaluation-started',
};
const endActions: Readonly<Record<RoundKind, Readonly<Record<RunOutcome['state'], AuditAction>>>> = {
  statistics: { done: 'statistics-computed', failed: 'statistics-failed', cancelled: 'statistics-failed' },
  training: { done: 'training-finished', failed: 'training-failed', cancelled: 'training-cancelled' },
  evaluation: { done: 'evaluation-finished', failed: 'evaluation-failed', cancelled: 'evaluation-failed' },
};

/** Runs that this process started on a store: all others in state `running` belong to a process that is gone. */
const ownRuns = new WeakMap<Store, Set<string>>();

function ownRunsOf(store: Store): Set<string> {
  const known = ownRuns.get(store) ?? new Set();
  ownRuns.set(store, known);
  return known;
}

export interface StartedTrainingRun {
  readonly runId: string;
  /** That of the interrupted run where there is a checkpoint, else the one given. */
  readonly seed: Uint8Array | null;
  /** What a killed run of the same round, over the same cohort and on the same engine, came to. */
  readonly checkpoint: Uint8Array | null;
}

/** Records the start of a run. Marks runs of a killed process failed first, and takes over what one of them came to. */
export function startTrainingRun(run: NewTrainingRun): StartedTrainingRun {
  const { store, auditLog, actor } = run;
  const runId = toHex(systemRandom(16));
  const engine = run.engine === null ? null : `${run.engine.name} ${run.engine.version}`;
  const started = store.transaction(() => {
    recoverTrainingRuns({ store, auditLog });
    const interrupted = takeInterruptedRun({ ...run, engine });
    const seed = interrupted?.seed ?? run.seed;
    const checkpoint = interrupted?.checkpoint ?? null;
    store.run(
      store.query.insertInto('training_run').values({
        run_id: runId,
        research_study_id: run.researchStudyId,
        round: run.round,
        attempt: run.attempt,
        cohort_id: run.cohortId,
        seed,
        engine,
        state: 'running',
        result: null,
        tensors: checkpoint,
        started_at: isoTime(store.clock.nowMs()),
        finished_at: null,
      }),
    );
    auditLog.append({
      actor: actor.name,
      role: actor.role,
      action: startActions[run.kind],
      object: `training-run:${runId}`,
      researchStudyId: run.researchStudyId,
      round: run.round,
      outcome: 'success',
      detail: {
        attempt: run.attempt,
        cohortId: run.cohortId,
        engine: run.engine?.name ?? null,
        ...(interrupted === undefined ? {} : { resumedFrom: interrupted.runId }),
      },
    });
    return { runId, seed, checkpoint };
  });
  ownRunsOf(store).add(runId);
  return started;
}

interface InterruptedRun {
  readonly runId: string;
  readonly seed: Uint8Array;
  readonly checkpoint: Uint8Array;
}

/** The last run that the new one can go on from. Checkpoints of a study's other failed runs are of no more use: all are emptied. */
function takeInterruptedRun({
  store,
  ...run
}: Omit<NewTrainingRun, 'engine'> & { readonly engine: string | null }): InterruptedRun | undefined {
  if (run.seed === null) return undefined;
  const find = store.prepare(
    `SELECT run_id AS runId, seed, tensors AS checkpoint FROM training_run JOIN cohort USING (cohort_id)
    WHERE state = 'failed' AND tensors IS NOT NULL AND seed IS NOT NULL AND engine = ?
      AND training_run.research_study_id = ? AND training_run.round = ? AND attempt = ?
      AND cohort_digest = (SELECT cohort_digest FROM cohort WHERE cohort_id = ?)
    ORDER BY started_at DESC, training_run.rowid DESC LIMIT 1`,
  );
  const { researchStudyId, round, attempt, cohortId, engine } = run;
  const found = find.get(engine, researchStudyId, round, attempt, cohortId) as InterruptedRun | undefined;
  store
    .prepare(`UPDATE training_run SET tensors = NULL WHERE state = 'failed' AND research_study_id = ?`)
    .run(researchStudyId);
  return found;
}

/** Keeps what a running run came to, over what it kept before; not once a member of its cohort was erased (security.md C10). */
export function saveTrainingCheckpoint(store: Store, runId: string, checkpoint: Uint8Array): void {
  store
    .prepare(
      `UPDATE training_run SET tensors = ? WHERE run_id = ? AND state = 'running' AND cohort_id IN
      (SELECT cohort_id FROM cohort WHERE erased_training = 0 AND erased_holdout = 0)`,
    )
    .run(checkpoint, runId);
}

/** Records how a run ended. @throws TrainingError TRAINING_RUN_NOT_RUNNING when it has ended before. */
export function finishTrainingRun({
  store,
  auditLog,
  actor,
  kind,
  runId,
  outcome,
}: FinishedTrainingRun): void {
  store.transaction(() => {
    const finished = store.get(
      store.query
        .updateTable('training_run')
        .set({
          state: outcome.state,
          result: outcome.state === 'done' ? JSON.stringify(outcome.result) : null,
          ...(keepsCheckpoint(outcome) ? {} : { tensors: outcome.state === 'done' ? outcome.tensors : null }),
          finished_at: isoTime(store.clock.nowMs()),
        })
        .where('run_id', '=', runId)
        .where('state', '=', 'running')
        .returning(['research_study_id', 'round']),
    );
    if (finished === undefined) {
      throw new TrainingError('TRAINING_RUN_NOT_RUNNING', 'this run has ended before', {
        details: { runId },
      });
    }
    auditLog.append({
      actor: actor.name,
      role: actor.role,
      action: endActions[kind][outcome.state],
      object: `training-run:${runId}`,
      researchStudyId: finished.research_study_id,
      round: finished.round,
      outcome: outcome.state === 'done' ? 'success' : 'failed',
      reason:
        outcome.state === 'done'
          ? undefined
          : outcome.state === 'failed'
            ? outcome.code
            : 'TRAINING_CANCELLED',
      detail: outcome.state === 'done' ? outcome.result : undefined,
    });
  });
  ownRunsOf(store).delete(runId);
}

/** Of a run whose engine died again and again: the next one goes on from there. */
function keepsCheckpoint(outcome: RunOutcome): boolean {
  return outcome.state === 'failed' && outcome.code === 'TRAINING_CRASHED';
}

/** Marks every run that a killed process left `running` as failed. Called at start-up and before each run; gives how many there were. */
export function recoverTrainingRuns({ store, auditLog }: Pick<NewTrainingRun, 'store' | 'auditLog'>): number {
  return store.transaction(() => {
    const running = store.all(
      store.query
        .selectFrom('training_run')
        .select(['run_id', 'research_study_id', 'round'])
        .where('state', '=', 'running'),
    );
    const abandoned = running.filter((run) => !ownRunsOf(store).has(run.run_id));
    for (const run of abandoned) {
      const end = { state: 'failed' as const, finished_at: isoTime(store.clock.nowMs()) };
      store.run(store.query.updateTable('training_run').set(end).where('run_id', '=', run.run_id));
      auditLog.append({
        actor: systemActor.name,
        role: systemActor.role,
        action: 'crash-recovered',
        object: `training-run:${run.run_id}`,
        researchStudyId: run.research_study_id,
        round: run.round,
        outcome: 'failed',
        reason: 'TRAINING_CRASHED',
      });
    }
    return abandoned.length;
  });
}
