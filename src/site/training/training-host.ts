// The TrainingHost port over a process: started with the first job, kept for the whole run, replaced when it has died.
import { BugError, isCodedError } from '#base/coded-error.ts';
import type {
  EngineInfo,
  EngineSettings,
  EvaluationResult,
  TrainingGate,
  TrainingHost,
  TrainingJob,
  TrainingProgress,
  TrainingResult,
  TrainingRunOptions,
} from '#site/ports.ts';
import { type EngineThreads, engineThreads } from './engine-threads.ts';
import type { TrainingChannel } from './training-channel.ts';
import { openTrainingConnection, type TrainingConnection } from './training-connection.ts';
import { TrainingError } from './training-error.ts';
import type { TrainingWork } from './training-message.ts';

export interface TrainingHostOptions {
  /** Starts a training process that computes with so many threads, at most with `most`; its first message is `ready`. */
  readonly openChannel: (threads: EngineThreads, most: number | null) => TrainingChannel;
  /** How long a started process may take to load its engine. */
  readonly startTimeoutMs?: number;
  /** How long a process may go on after a cancel before it is killed. */
  readonly cancelTimeoutMs?: number;
  /** What a crash or a kill may cost of a run. */
  readonly checkpointIntervalMs?: number;
}

interface JobControl {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: TrainingProgress) => void;
  readonly onCheckpoint: (checkpoint: Uint8Array) => void;
  readonly gate: TrainingGate;
  readonly settings: EngineSettings;
}

interface ProcessThreads {
  readonly threads: EngineThreads;
  readonly most: number | null;
}

const alwaysOpen: TrainingGate = { waitsFor: () => null, onChange: () => () => {} };
const noSettings: EngineSettings = { threads: null, memoryLimitBytes: null, trainingHours: null };

/**
 * A host that runs one job at a time, in the order of the calls. A cancel is answered at once; the process stops behind it,
 * or is killed when it does not.
 */
export function createTrainingHost(options: TrainingHostOptions): TrainingHost {
  const { openChannel, startTimeoutMs = 60_000, cancelTimeoutMs = 700 } = options;
  const { checkpointIntervalMs = 10_000 } = options;
  const closing = new AbortController();
  let connection: TrainingConnection | null = null;
  let connected: ProcessThreads = { threads: 'one', most: null };
  let queue: Promise<unknown> = Promise.resolve();

  /** The living process if it computes with so many threads, else another one in its place. */
  const connect = async (wanted: ProcessThreads): Promise<TrainingConnection> => {
    const { threads, most } = wanted;
    const isOther = threads !== connected.threads || (threads === 'all' && most !== connected.most);
    if (connection?.isAlive() && isOther) {
      connection.kill();
      await connection.ended;
    }
    if (closing.signal.aborted) throw new BugError('the training host is closed');
    if (connection === null || !connection.isAlive()) {
      connection = openTrainingConnection(openChannel(threads, most), startTimeoutMs);
      connected = wanted;
    }
    return connection;
  };
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = queue.then(work);
    queue = result.catch(() => {});
    return result;
  };
  const run = (request: TrainingWork, control: JobControl) => {
    const either = AbortSignal.any([control.signal, closing.signal]);
    return orCancelled(
      either,
      inTurn(async () => {
        if (either.aborted) throw cancelled();
        const target = await connect({
          threads: engineThreads(request.job.model),
          most: control.settings.threads,
        });
        return work(target, request, { ...control, signal: either, cancelTimeoutMs });
      }),
    );
  };
  const unwatched: JobControl = {
    signal: closing.signal,
    onProgress: () => {},
    onCheckpoint: () => {},
    gate: alwaysOpen,
    settings: noSettings,
  };
  /** One run to its end: over pauses, and over the death of a process that had made a new checkpoint. */
  const train = async (job: TrainingJob, asked: TrainingRunOptions): Promise<TrainingResult> => {
    const { gate = alwaysOpen, settings = noSettings, onCheckpoint } = asked;
    let checkpoint = asked.checkpoint ?? null;
    const control: JobControl = {
      ...asked,
      gate,
      settings,
      onCheckpoint: (made) => {
        checkpoint = made;
        onCheckpoint?.(made);
      },
    };
    for (;;) {
      const from = checkpoint;
      const either = AbortSignal.any([asked.signal, closing.signal]);
      await orCancelled(either, opened(gate, either));
      const { memoryLimitBytes } = settings;
      try {
        const work = { job, checkpoint, checkpointIntervalMs, memoryLimitBytes };
        return (await run({ kind: 'train', ...work }, control)) as TrainingResult;
      } catch (error) {
        const goesOn = isCodedError(error, 'TRAINING_PAUSED') || isCodedError(error, 'TRAINING_CRASHED');
        if (!goesOn || checkpoint === from) throw error;
      }
    }
  };

  return {
    engine: async (model) => {
      if (model === undefined) return inTurn(async () => (await connect(connected)).ready);
      return (await run({ kind: 'choose', job: { model } }, unwatched)) as EngineInfo;
    },
    train,
    evaluate: async (job) => {
      return (await run({ kind: 'evaluate', job }, unwatched)) as EvaluationResult;
    },
    close: async () => {
      closing.abort();
      connection?.kill();
      await connection?.ended;
    },
  };
}

/** Runs one job; after a cancel it asks the process to stop, and kills it when it does not. */
async function work(
  target: TrainingConnection,
  request: TrainingWork,
  { signal, gate, cancelTimeoutMs, ...listeners }: JobControl & { readonly cancelTimeoutMs: number },
) {
  let killTimer: NodeJS.Timeout | undefined;
  const stop = () => {
    target.cancel();
    killTimer = setTimeout(() => target.kill(), cancelTimeoutMs);
  };
  const pause = () => {
    if (gate.waitsFor() !== null) target.pause();
  };
  signal.addEventListener('abort', stop, { once: true });
  const forgetGate = gate.onChange(pause);
  try {
    const answer = target.request(request, {
      onProgress: (progress) => {
        if (!signal.aborted) listeners.onProgress(progress);
      },
      onCheckpoint: (checkpoint) => {
        if (!signal.aborted) listeners.onCheckpoint(checkpoint);
      },
    });
    pause();
    return await answer;
  } finally {
    clearTimeout(killTimer);
    forgetGate();
    signal.removeEventListener('abort', stop);
  }
}

/** Settles when the gate lets a run compute, or when the signal ends the wait. */
function opened(gate: TrainingGate, signal: AbortSignal): Promise<void> {
  if (gate.waitsFor() === null) return Promise.resolve();
  return new Promise((resolve) => {
    const look = () => {
      if (gate.waitsFor() !== null && !signal.aborted) return;
      forget();
      signal.removeEventListener('abort', look);
      resolve();
    };
    const forget = gate.onChange(look);
    signal.addEventListener('abort', look);
  });
}

/** The answer, or TRAINING_CANCELLED as soon as the signal says so. */
function orCancelled<T>(signal: AbortSignal, answer: Promise<T>): Promise<T> {
  if (signal.aborted) {
    answer.catch(() => {});
    return Promise.reject(cancelled());
  }
  return new Promise((resolve, reject) => {
    const abort = () => reject(cancelled());
    signal.addEventListener('abort', abort, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function cancelled(): TrainingError {
  return new TrainingError('TRAINING_CANCELLED', 'training was cancelled');
}
