import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createInitialWeights } from '#site/model/index.ts';
import type { EvaluationJob, Examples, TrainingHost, TrainingJob, TrainingProgress } from '#site/ports.ts';
import { createTrainingHost, openForkedChannel, type TrainingChannel } from '#site/training/index.ts';

const model = {
  kind: 'logistic-regression' as const,
  inputCount: 2,
  initialisation: { kind: 'zeros' as const },
};
const examples: Examples = {
  features: Float32Array.from({ length: 80 }, (_, at) => Math.sin(at * at)),
  labels: Float32Array.from({ length: 40 }, (_, row) => (Math.sin(4 * row * row) > 0 ? 1 : 0)),
  count: 40,
  shape: [2],
};
const job = (localUpdates: number, learningRate = 0.1): TrainingJob => ({
  model,
  training: { optimizer: { kind: 'sgd', learningRate }, batchSize: 8, localUpdates },
  weights: createInitialWeights(model),
  examples,
  seed: new Uint8Array(32).fill(7),
  optimizerState: null,
});
const endless = 1_000_000;
const never = new AbortController().signal;
const quiet = { onProgress: () => {}, signal: never };

let host: TrainingHost | undefined;
afterEach(async () => {
  await host?.close();
});

/** A host over real processes that keeps their channels for a test to look at. */
function openHost(): { host: TrainingHost; channels: TrainingChannel[] } {
  const channels: TrainingChannel[] = [];
  const openChannel = (threads: 'one' | 'all') => {
    const channel = openForkedChannel(threads);
    channels.push(channel);
    return channel;
  };
  host = createTrainingHost({ openChannel });
  return { host, channels };
}

describe('the training process', () => {
  it('is started without the secrets of the environment, and with the choice of the engine', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'consilium-training-'));
    const entry = join(folder, 'entry.mjs');
    writeFileSync(entry, 'process.send({ names: Object.keys(process.env) });');
    vi.stubEnv('CONSILIUM_SECRET', 'a secret of a person');
    vi.stubEnv('TFJS_NATIVE', 'wasm');
    try {
      const channel = openForkedChannel('one', null, pathToFileURL(entry));
      const reply = await new Promise<unknown>((resolve) => channel.onMessage(resolve));
      const { names } = reply as { names: string[] };
      expect(names).toContain('TFJS_NATIVE');
      expect(names.filter((name) => name.startsWith('CONSILIUM'))).toEqual([]);
      expect(names.filter((name) => name.startsWith('TF_NUM'))).toHaveLength(2);
      channel.kill();
      const many = openForkedChannel('all', null, pathToFileURL(entry));
      const manyReply = await new Promise<unknown>((resolve) => many.onMessage(resolve));
      expect((manyReply as { names: string[] }).names.join()).not.toContain('TF_NUM');
      many.kill();
      const limited = openForkedChannel('all', 3, pathToFileURL(entry));
      const limitedReply = await new Promise<unknown>((resolve) => limited.onMessage(resolve));
      expect((limitedReply as { names: string[] }).names.join()).toContain('TF_NUM_INTRAOP_THREADS');
      limited.kill();
    } finally {
      vi.unstubAllEnvs();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('the training host', () => {
  it('trains and evaluates in one process for the whole run, and says which engine and why', async () => {
    const { host: opened, channels } = openHost();
    const { name, reason } = await opened.engine();
    expect(['tensorflow', 'wasm']).toContain(name);
    expect(reason.length).toBeGreaterThan(10);
    const first = await opened.train(job(50), quiet);
    const second = await opened.train({ ...job(50), weights: first.weights }, quiet);
    const { probabilities, correctCount } = await opened.evaluate({
      model,
      weights: second.weights,
      examples,
    });
    expect(second.lossAfter).toBeLessThan(first.lossAfter);
    expect(first.lossAfter).toBeLessThan(first.lossBefore);
    expect(probabilities).toHaveLength(40);
    expect(correctCount).toBeGreaterThan(30);
    expect(channels).toHaveLength(1);
  });

  it('gives the same weights for the same seed and others for another', async () => {
    const { host: opened } = openHost();
    const [one, again, other] = await Promise.all([
      opened.train(job(20), quiet),
      opened.train(job(20), quiet),
      opened.train({ ...job(20), seed: new Uint8Array(32) }, quiet),
    ]);
    expect(again.weights).toEqual(one.weights);
    expect(other.weights).not.toEqual(one.weights);
  });

  it('stops within a second of a cancel, in the same process, and runs the next job', async () => {
    const { host: opened, channels } = openHost();
    await opened.engine();
    const controller = new AbortController();
    let cancelledAt = 0;
    const reports: TrainingProgress[] = [];
    const running = opened.train(job(endless), {
      onProgress: (progress) => {
        reports.push(progress);
        if (reports.length === 2) {
          cancelledAt = performance.now();
          controller.abort();
        }
      },
      signal: controller.signal,
    });
    await expect(running).rejects.toMatchObject({ code: 'TRAINING_CANCELLED' });
    await opened.evaluate({ model, weights: createInitialWeights(model), examples });
    expect(performance.now() - cancelledAt).toBeLessThan(1000);
    expect(reports).toHaveLength(2);
    expect(channels).toHaveLength(1);
  });

  it('refuses a job that was cancelled while it waited, without starting it', async () => {
    const { host: opened } = openHost();
    const controller = new AbortController();
    const running = opened.train(job(300), quiet);
    let reported = false;
    const onProgress = () => {
      reported = true;
    };
    const waiting = opened.train(job(300), { onProgress, signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'TRAINING_CANCELLED' });
    await running;
    await opened.engine();
    expect(reported).toBe(false);
  });

  it('turns a killed process into TRAINING_CRASHED and starts a new one for the next job', async () => {
    const { host: opened, channels } = openHost();
    const running = opened.train(job(endless), { onProgress: () => channels[0]?.kill(), signal: never });
    await expect(running).rejects.toMatchObject({ code: 'TRAINING_CRASHED', details: { signal: 'SIGKILL' } });
    await expect(opened.train(job(5), quiet)).resolves.toMatchObject({ stepCount: 5 });
    expect(channels).toHaveLength(2);
  });

  it('passes on a refusal with its code and goes on', async () => {
    const { host: opened, channels } = openHost();
    await expect(opened.train(job(50, 1e39), quiet)).rejects.toMatchObject({ code: 'TRAINING_DIVERGED' });
    const narrow = createInitialWeights({ ...model, inputCount: 1 });
    await expect(opened.train({ ...job(5), weights: narrow }, quiet)).rejects.toMatchObject({
      code: 'MODEL_WEIGHTS_MISMATCH',
    });
    await expect(opened.train(job(5), quiet)).resolves.toMatchObject({ stepCount: 5 });
    expect(channels).toHaveLength(1);
  });

  it('ends a running job as cancelled when it is closed, and takes no more', async () => {
    const { host: opened } = openHost();
    const started = Promise.withResolvers<void>();
    const running = opened.train(job(endless), { onProgress: () => started.resolve(), signal: never });
    const outcome = expect(running).rejects.toMatchObject({ code: 'TRAINING_CANCELLED' });
    await started.promise;
    await opened.close();
    await outcome;
    await expect(opened.train(job(5), quiet)).rejects.toMatchObject({ code: 'TRAINING_CANCELLED' });
  });
});

describe('the training host over a process that misbehaves', () => {
  it('kills a process that does not hear a cancel', async () => {
    let exit: () => void = () => {};
    let answer: Parameters<TrainingChannel['onMessage']>[0] = () => {};
    let killed = false;
    const deaf: TrainingChannel = {
      post: () => {},
      onMessage: (listener) => {
        answer = listener;
        queueMicrotask(() =>
          answer({
            kind: 'ready',
            engine: { name: 'wasm', version: '0', device: 'CPU', reason: 'a test', passedOver: [] },
          }),
        );
      },
      onExit: (listener) => {
        exit = () => listener({ code: null, signal: 'SIGKILL' });
      },
      kill: () => {
        killed = true;
        exit();
      },
    };
    host = createTrainingHost({ openChannel: () => deaf, cancelTimeoutMs: 10 });
    await host.engine();
    const controller = new AbortController();
    const running = host.train(job(5), { onProgress: () => {}, signal: controller.signal });
    await delay(1);
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: 'TRAINING_CANCELLED' });
    await expect.poll(() => killed).toBe(true);
  });

  it('replaces a process that computes with another number of threads than the model needs', async () => {
    const opened: string[] = [];
    const openChannel = (threads: 'one' | 'all'): TrainingChannel => {
      opened.push(threads);
      let answer: Parameters<TrainingChannel['onMessage']>[0] = () => {};
      let exit: () => void = () => {};
      return {
        post: (request) => {
          const counts = { lossSum: 0, correctCount: opened.length, metrics: {}, diceBySubject: null };
          const result = { probabilities: new Float32Array(), ...counts };
          queueMicrotask(() => answer({ kind: 'done', id: request.id, result }));
        },
        onMessage: (listener) => {
          answer = listener;
          const engine = {
            name: 'wasm',
            version: '0',
            device: 'CPU',
            reason: 'a test',
            passedOver: [],
          } as const;
          queueMicrotask(() => answer({ kind: 'ready', engine }));
        },
        onExit: (listener) => {
          exit = () => listener({ code: null, signal: 'SIGKILL' });
        },
        kill: () => {
          opened.push('killed');
          exit();
        },
      };
    };
    const other = createTrainingHost({ openChannel });
    host = other;
    const evaluation = (kind: string) =>
      ({ model: { ...model, kind }, weights: new Map(), examples }) as unknown as EvaluationJob;
    for (const kind of ['logistic-regression', 'u-net', 'u-net', 'logistic-regression']) {
      await other.evaluate(evaluation(kind));
    }
    expect(opened).toEqual(['one', 'killed', 'all', 'killed', 'one']);
  });

  it('kills a process that never loads its engine', async () => {
    let exit: () => void = () => {};
    const stuck: TrainingChannel = {
      post: () => {},
      onMessage: () => {},
      onExit: (listener) => {
        exit = () => listener({ code: null, signal: 'SIGKILL' });
      },
      kill: () => exit(),
    };
    host = createTrainingHost({ openChannel: () => stuck, startTimeoutMs: 10 });
    await expect(host.engine()).rejects.toMatchObject({ code: 'TRAINING_CRASHED' });
  });
});
