// The TrainingHost port over a process: started with the first job, kept for the whole run, replaced when it has died.
import { BugError } from '#base/coded-error.ts';
import type { EvaluationResult, TrainingHost, TrainingProgress, TrainingResult } from '#site/ports.ts';
import { type EngineThreads, engineThreads } from './engine-threads.ts';
import type { TrainingChannel } from './training-channel.ts';
import { openTrainingConnection, type TrainingConnection } from './training-connection.ts';
import { TrainingError } from './training-error.ts';
import type { TrainingWork } from './training-message.ts';

export interface TrainingHostOptions {
  /** Starts a training process that computes with so many threads; its first message is `ready`. */
  readonly openChannel: (threads: EngineThreads) => TrainingChannel;
  /** How long a started process may take to load its engine. */
  readonly startTimeoutMs?: number;
  /** How long a process may go on after a cancel before it is killed. */
  readonly cancelTimeoutMs?: number;
}

interface JobControl {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: TrainingProgress) => void;
}

/**
 * A host that runs one job at a time, in the order of the calls. A cancel is answered at once; the process stops behind it,
 * or is killed when it does not.
 */
export function createTrainingHost(options: TrainingHostOptions): TrainingHost {
  const { openChannel, startTimeoutMs = 60_000, cancelTimeoutMs = 700 } = options;
  const closing = new AbortController();
  let connection: TrainingConnection | null = null;
  let connectedThreads: EngineThreads = 'one';
  let queue: Promise<unknown> = Promise.resolve();

  /** The living process if it computes with so many threads, else another one in its place. */
  const connect = async (threads: EngineThreads): Promise<TrainingConnection> => {
    if (connection?.isAlive() && threads !== connectedThreads) {
      connection.kill();
      await connection.ended;
    }
    if (closing.signal.aborted) throw new BugError('the training host is closed');
    if (connection === null || !connection.isAlive()) {
      connection = openTrainingConnection(openChannel(threads), startTimeoutMs);
      connectedThreads = threads;
    }
    return connection;
  };
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = queue.then(work);
    queue = result.catch(() => {});
    return result;
  };
  const run = (request: TrainingWork, { signal, onProgress }: JobControl) => {
    const either = AbortSignal.any([signal, closing.signal]);
    return orCancelled(
      either,
      inTurn(async () => {
        if (either.aborted) throw cancelled();
        const target = await connect(engineThreads(request.job.model));
        return work(target, request, { signal: either, onProgress, cancelTimeoutMs });
      }),
    );
  };

  return {
    engine: () => inTurn(async () => (await connect(connectedThreads)).ready),
    train: async (job, control) => (await run({ kind: 'train', job }, control)) as TrainingResult,
    evaluate: async (job) => {
      const control = { signal: closing.signal, onProgress: () => {} };
      return (await run({ kind: 'evaluate', job }, control)) as EvaluationResult;
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
  { signal, onProgress, cancelTimeoutMs }: JobControl & { readonly cancelTimeoutMs: number },
) {
  let killTimer: NodeJS.Timeout | undefined;
  const stop = () => {
    target.cancel();
    killTimer = setTimeout(() => target.kill(), cancelTimeoutMs);
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await target.request(request, (progress) => {
      if (!signal.aborted) onProgress(progress);
    });
  } finally {
    clearTimeout(killTimer);
    signal.removeEventListener('abort', stop);
  }
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
