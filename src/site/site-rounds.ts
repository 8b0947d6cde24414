// The rounds of a site as people see and start them: one run at a time for each research study.

import { isCodedError } from '#base/coded-error.ts';
import type { Logger } from '#base/logger.ts';
import type { RoundKind } from '#federation/records/round.ts';
import type { Actor } from '#site/audit/index.ts';
import { createTrainingGate, type PausableGate } from '#site/training/index.ts';
import type { UpdateSummary } from '#site/update/index.ts';
import { latestUpdateOf } from '#site/update/index.ts';
import { loadEngineSettings } from './engine-settings.ts';
import { createEventQueue } from './event-queue.ts';
import { type RoundEvent, type RoundStages, runRound } from './round.ts';
import { SiteError } from './site-error.ts';
import { loadTimeZone } from './site-time-zone.ts';

/** The same shape as `roundState` of the site contract. */
export interface RoundState {
  readonly researchStudyId: string;
  /** null: no round is open. */
  readonly round: number | null;
  readonly roundCount: number;
  readonly kind: RoundKind | null;
  readonly closesAt: string | null;
  readonly state: 'none' | 'open' | 'running' | UpdateSummary['state'];
  readonly updateId: string | null;
}

export interface SiteRounds {
  /** @throws AgreementError PLAN_NOT_ACCEPTED, NOT_ENROLLED. */
  current(researchStudyId: string): RoundState;
  /**
   * Starts the open round and streams its events. The run goes on when the reader leaves; `cancel` ends it.
   * @throws SiteError ROUND_RUNNING, and as `runRound` while the stream is read.
   */
  run(researchStudyId: string, actor: Actor): AsyncGenerator<RoundEvent, void, undefined>;
  /** Ends a running round; does nothing when none runs. */
  cancel(researchStudyId: string): void;
  /** A paused run stops at a checkpoint and holds no processor until it is resumed or cancelled. Does nothing when none runs. */
  pause(researchStudyId: string): void;
  resume(researchStudyId: string): void;
  /** Cancels all runs and waits for their records. */
  close(): Promise<void>;
}

interface ActiveRun {
  readonly abort: AbortController;
  readonly ended: Promise<void>;
  readonly gate: PausableGate;
}

export function openRounds(stages: RoundStages, logger: Logger): SiteRounds {
  const active = new Map<string, ActiveRun>();
  return {
    current: (researchStudyId) => currentState(stages, researchStudyId, active.has(researchStudyId)),
    run: (researchStudyId, actor) => {
      if (active.has(researchStudyId)) {
        throw new SiteError('ROUND_RUNNING', 'A run of this research study is under way already.');
      }
      const queue = createEventQueue<RoundEvent>();
      const abort = new AbortController();
      const { store } = stages;
      const hours = loadEngineSettings(store).trainingHours;
      const gate = createTrainingGate({ hours, clock: store.clock, zone: loadTimeZone(store) });
      const work = async () =>
        runRound(stages, { researchStudyId, actor, signal: abort.signal, onEvent: queue.push, gate });
      const ended = work()
        .then(
          () => queue.end(),
          (error: unknown) => {
            logger.warn('a round ended without an update', {
              researchStudyId,
              code: isCodedError(error) ? error.code : 'BUG',
            });
            queue.end(error);
          },
        )
        .finally(() => active.delete(researchStudyId));
      active.set(researchStudyId, { abort, ended, gate });
      return queue.read();
    },
    cancel: (researchStudyId) => active.get(researchStudyId)?.abort.abort(),
    pause: (researchStudyId) => active.get(researchStudyId)?.gate.pause(),
    resume: (researchStudyId) => active.get(researchStudyId)?.gate.resume(),
    close: async () => {
      for (const { abort } of active.values()) abort.abort();
      await Promise.all([...active.values()].map(({ ended }) => ended));
    },
  };
}

function currentState(
  { store, agreement }: RoundStages,
  researchStudyId: string,
  isRunning: boolean,
): RoundState {
  const { plan } = agreement.currentPlan(researchStudyId);
  const roundCount = plan.rounds.length;
  const opening = agreement.openRound(researchStudyId);
  if (opening === undefined) {
    return {
      researchStudyId,
      round: null,
      roundCount,
      kind: null,
      closesAt: null,
      state: 'none',
      updateId: null,
    };
  }
  const { round, kind, closesAt } = opening;
  const update = latestUpdateOf(store, opening);
  const state = isRunning ? 'running' : (update?.state ?? 'open');
  return { researchStudyId, round, roundCount, kind, closesAt, state, updateId: update?.updateId ?? null };
}
