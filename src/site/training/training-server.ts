// The training process's side of the conversation: one job after the other, a refusal is an answer and never an exit.
import { isCodedError } from '#base/coded-error.ts';
import type { EngineLadder } from './engine-ladder.ts';
import { evaluateModel } from './evaluate-model.ts';
import { trainModel } from './train-model.ts';
import type {
  TrainingFailure,
  TrainingReply,
  TrainingRequest,
  TrainingWorkRequest,
} from './training-message.ts';

/** Answers requests with the ladder's engines. Returns the function to hand each incoming message to. */
export function serveTraining(
  ladder: EngineLadder,
  post: (reply: TrainingReply) => void,
): (request: TrainingRequest) => void {
  const cancelled = new Set<number>();
  const paused = new Set<number>();
  let queue: Promise<void> = Promise.resolve();

  const compute = async (request: TrainingWorkRequest) => {
    const { job: asked } = request;
    const isPrivate = 'privacy' in asked && asked.privacy !== undefined;
    const { tf, info } = await ladder.engineFor(asked.model, { isPrivate });
    if (request.kind === 'choose') return info;
    if (request.kind === 'evaluate') return evaluateModel(tf, request.job);
    const { id, job } = request;
    return trainModel(tf, job, {
      onProgress: (progress) => post({ kind: 'progress', id, progress }),
      isCancelled: () => cancelled.has(id),
      isPaused: () => paused.has(id),
      memoryLimitBytes: request.memoryLimitBytes,
      checkpoints: {
        intervalMs: request.checkpointIntervalMs,
        onCheckpoint: (checkpoint) => post({ kind: 'checkpoint', id, checkpoint }),
        from: request.checkpoint,
      },
    });
  };
  const answer = async (request: TrainingWorkRequest) => {
    const { id } = request;
    try {
      post({ kind: 'done', id, result: await compute(request) });
    } catch (error) {
      post({ kind: 'failed', id, failure: describe(error) });
    } finally {
      cancelled.delete(id);
      paused.delete(id);
    }
  };

  post({ kind: 'ready', engine: ladder.info });
  return (request) => {
    if (request.kind === 'cancel') cancelled.add(request.id);
    else if (request.kind === 'pause') paused.add(request.id);
    else queue = queue.then(() => answer(request));
  };
}

/** What tf.js says of an operation or a gradient that an engine does not have. */
const missingKernel = /[Kk]ernel '(\w+)' not registered for backend '(\w+)'/;

/** An unknown error's own message may quote values or paths: it is not passed on. */
function describe(error: unknown): TrainingFailure {
  if (isCodedError(error)) return { code: error.code, message: error.message, details: error.details };
  const kernel = error instanceof Error ? missingKernel.exec(error.message) : null;
  if (kernel !== null) {
    const message = 'the engine cannot compute a part of this model';
    return { code: 'ENGINE_LACKS_KERNEL', message, details: { kernel: kernel[1], engine: kernel[2] } };
  }
  return {
    code: 'BUG',
    message: 'the engine failed',
    details: { error: error instanceof Error ? error.name : typeof error },
  };
}
