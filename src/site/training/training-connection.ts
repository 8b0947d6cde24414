// One living training process: loads its engine once, works on one request at a time, and turns its death into an answer.
import { BugError } from '#base/coded-error.ts';
import { type ModelCode, ModelError } from '#site/model/index.ts';
import type { EngineInfo, TrainingProgress } from '#site/ports.ts';
import type { ProcessExit, TrainingChannel } from './training-channel.ts';
import { type TrainingCode, TrainingError } from './training-error.ts';
import type { TrainingAnswer, TrainingFailure, TrainingReply, TrainingWork } from './training-message.ts';

export interface TrainingConnection {
  /** @throws TrainingError TRAINING_CRASHED when the process ends or hangs before its engine is loaded. */
  readonly ready: Promise<EngineInfo>;
  /** When the process has ended, for whatever reason. */
  readonly ended: Promise<void>;
  isAlive(): boolean;
  /** @throws TrainingError as the job was refused, or TRAINING_CRASHED; ModelError. */
  request(work: TrainingWork, listeners: RequestListeners): Promise<TrainingAnswer>;
  /** Asks the process to stop what it works on. */
  cancel(): void;
  /** Asks it to stop at a checkpoint: the request ends with TRAINING_PAUSED. */
  pause(): void;
  kill(): void;
}

export interface RequestListeners {
  readonly onProgress: (progress: TrainingProgress) => void;
  readonly onCheckpoint: (checkpoint: Uint8Array) => void;
}

interface Pending extends RequestListeners {
  readonly id: number;
  readonly resolve: (result: TrainingAnswer) => void;
  readonly reject: (error: Error) => void;
}

/** Takes over a channel whose process has just been started. */
export function openTrainingConnection(channel: TrainingChannel, startTimeoutMs: number): TrainingConnection {
  const ready = Promise.withResolvers<EngineInfo>();
  const ended = Promise.withResolvers<void>();
  ready.promise.catch(() => {}); // whoever waits for it hears of it; nobody may be waiting
  const startTimer = setTimeout(() => channel.kill(), startTimeoutMs);
  let alive = true;
  let pending: Pending | null = null;
  let nextId = 1;

  channel.onMessage((reply: TrainingReply) => {
    if (reply.kind === 'ready') {
      clearTimeout(startTimer);
      ready.resolve(reply.engine);
    } else if (pending?.id === reply.id) {
      if (reply.kind === 'progress') return pending.onProgress(reply.progress);
      if (reply.kind === 'checkpoint') return pending.onCheckpoint(reply.checkpoint);
      if (reply.kind === 'done') pending.resolve(reply.result);
      else pending.reject(revive(reply.failure));
      pending = null;
    }
  });
  channel.onExit((exit) => {
    clearTimeout(startTimer);
    alive = false;
    ready.reject(crashed(exit));
    pending?.reject(crashed(exit));
    pending = null;
    ended.resolve();
  });

  const tell = (kind: 'cancel' | 'pause') => {
    if (pending !== null) channel.post({ kind, id: pending.id });
  };

  return {
    ready: ready.promise,
    ended: ended.promise,
    isAlive: () => alive,
    request: async (work, listeners) => {
      await ready.promise;
      if (pending !== null) throw new BugError('a training process works on one request at a time');
      const id = nextId;
      nextId += 1;
      return new Promise((resolve, reject) => {
        pending = { id, ...listeners, resolve, reject };
        channel.post({ ...work, id });
      });
    },
    cancel: () => tell('cancel'),
    pause: () => tell('pause'),
    kill: () => channel.kill(),
  };
}

function crashed({ code, signal }: ProcessExit): TrainingError {
  return new TrainingError('TRAINING_CRASHED', 'the training process ended by itself', {
    details: { exitCode: code, signal },
  });
}

const modelCodes: readonly string[] = [
  'MODEL_WEIGHTS_MISMATCH',
  'MODEL_EXAMPLES_MISMATCH',
  'RISK_SET_TOO_LARGE',
] satisfies ModelCode[];
const trainingCodes: readonly string[] = [
  'TRAINING_CANCELLED',
  'ENGINE_LACKS_KERNEL',
  'TRAINING_DIVERGED',
  'TRAINING_OUT_OF_MEMORY',
  'TRAINING_PAUSED',
  'BAD_TRAINING_JOB',
] satisfies TrainingCode[];

function revive({ code, message, details }: TrainingFailure): Error {
  if (trainingCodes.includes(code)) return new TrainingError(code as TrainingCode, message, { details });
  if (modelCodes.includes(code)) return new ModelError(code as ModelCode, message, { details });
  return new BugError(message, { details });
}
