// One round run as seen from this window: phases, steps and the loss curve, until a draft update or a problem ends it.
import type { RoundEvent } from '#ipc/schema.ts';
import { createExternalStore, type ExternalStore } from './external-store.ts';
import { type Problem, readProblem } from './problem.ts';
import type { SiteClient } from './site-client.ts';

const progressDelayMs = 80;
export type RoundPhase = Extract<RoundEvent, { kind: 'phase' }>['phase'];
export interface LossPoint {
  readonly step: number;
  readonly loss: number;
}

export interface RoundRunSnapshot {
  readonly state: 'idle' | 'running' | 'cancelling' | 'cancelled' | 'done' | 'failed';
  readonly researchStudyId: string | null;
  readonly phase: RoundPhase | null;
  readonly step: number;
  readonly stepCount: number;
  /** By step; grows in place, and `step` tells that it did. */
  readonly losses: readonly LossPoint[];
  readonly updateId: string | null;
  readonly problem: Problem | null;
}

export interface RoundRun {
  readonly store: ExternalStore<RoundRunSnapshot>;
  start(researchStudyId: string): Promise<void>;
  cancel(): Promise<void>;
}

const idle: RoundRunSnapshot = {
  state: 'idle',
  researchStudyId: null,
  phase: null,
  step: 0,
  stepCount: 0,
  losses: [],
  updateId: null,
  problem: null,
};

export function createRoundRun(client: SiteClient): RoundRun {
  const store = createExternalStore(idle);
  const patch = (change: Partial<RoundRunSnapshot>, delayMs?: number): void =>
    store.set({ ...store.get(), ...change }, delayMs);

  const take = (event: RoundEvent, losses: LossPoint[]): void => {
    if (event.kind === 'phase') patch({ phase: event.phase });
    if (event.kind === 'progress') {
      if (Number.isFinite(event.loss)) losses.push({ step: event.step, loss: event.loss });
      patch({ step: event.step, stepCount: event.stepCount }, progressDelayMs);
    }
    if (event.kind === 'done') patch({ state: 'done', updateId: event.updateId });
  };

  return {
    store,
    async start(researchStudyId) {
      const losses: LossPoint[] = [];
      store.set({ ...idle, state: 'running', researchStudyId, losses });
      try {
        for await (const event of await client.round.run({ researchStudyId })) take(event, losses);
        if (store.get().state === 'cancelling') patch({ state: 'cancelled' });
        else if (store.get().state === 'running')
          patch({ state: 'failed', problem: { code: 'CONNECTION_LOST', message: null } });
      } catch (error) {
        const isCancelled = store.get().state === 'cancelling';
        patch(isCancelled ? { state: 'cancelled' } : { state: 'failed', problem: readProblem(error) });
      }
    },
    async cancel() {
      const { researchStudyId, state } = store.get();
      if (researchStudyId === null || state !== 'running') return;
      patch({ state: 'cancelling' });
      try {
        await client.round.cancel({ researchStudyId });
      } catch (error) {
        if (store.get().state === 'cancelling') patch({ state: 'running', problem: readProblem(error) });
      }
    },
  };
}
