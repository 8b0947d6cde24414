// A run that is cut off anywhere and goes on from its checkpoint ends in the same bytes as one that was left alone.
import { describe, expect, it } from 'vitest';
import { createInitialWeights } from '#site/model/index.ts';
import type { TrainingJob, TrainingProgress } from '#site/ports.ts';
import { sampleExamples, sampleModel } from '#support/model-samples.ts';
import { loadEngine } from './engine.ts';
import { trainModel } from './train-model.ts';

const { tf } = await loadEngine(process.env.TFJS_NATIVE);
const model = sampleModel('mlp'); // with dropout

function job(localUpdates: number, optimizer: TrainingJob['training']['optimizer']): TrainingJob {
  return {
    model,
    training: { optimizer, batchSize: 16, localUpdates },
    weights: createInitialWeights(model),
    examples: sampleExamples(model, 90),
    seed: new Uint8Array(32).fill(9),
    optimizerState: null,
  };
}

/** A model of images, which computes with all threads. */
function imageJob(): TrainingJob {
  const images = sampleModel('cnn-2d');
  const examples = sampleExamples(images, 24);
  return { ...job(80, adam), model: images, weights: createInitialWeights(images), examples };
}

const adam = { kind: 'adam' as const, learningRate: 0.01 };
const momentum = { kind: 'sgd' as const, learningRate: 0.05, momentum: 0.9 };
const quiet = { onProgress: () => {}, isCancelled: () => false };

/** All checkpoints that a run of the job makes. */
async function checkpointsOf(asked: TrainingJob) {
  const made: Uint8Array[] = [];
  const onCheckpoint = (bytes: Uint8Array) => made.push(bytes);
  const whole = await trainModel(tf, asked, {
    ...quiet,
    checkpoints: { intervalMs: 0, onCheckpoint, from: null },
  });
  return { whole, made };
}

describe('a run that goes on from a checkpoint', () => {
  it.each([
    ['as graphs, with Adam', job(203, adam)],
    ['one operation after the other, with Adam', job(40, adam)],
    ['with momentum', job(203, momentum)],
    ['of images, with all threads', imageJob()],
    ['by plain descent', job(203, { kind: 'sgd', learningRate: 0.05 })],
  ])('ends in the bytes of an uninterrupted run, %s', async (_, asked) => {
    const { whole, made } = await checkpointsOf(asked);
    expect(made.length).toBeGreaterThan(8);
    const untouched = await trainModel(tf, asked, quiet);
    expect(untouched.weights).toEqual(whole.weights);
    for (const from of [made[0], made[Math.floor(made.length / 2)], made.at(-1)] as Uint8Array[]) {
      const checkpoints = { intervalMs: 1e9, onCheckpoint: () => {}, from };
      const resumed = await trainModel(tf, asked, { ...quiet, checkpoints });
      expect(resumed.weights).toEqual(whole.weights);
      expect(resumed.optimizerState).toEqual(whole.optimizerState);
      expect([resumed.lossBefore, resumed.lossAfter]).toEqual([whole.lossBefore, whole.lossAfter]);
    }
  });

  it('refuses the checkpoint of another job, and bytes that are none', async () => {
    const { made } = await checkpointsOf(job(40, adam));
    const last = made.at(-1) as Uint8Array;
    const other = { ...job(40, adam), seed: new Uint8Array(32) };
    const cut = last.subarray(0, last.length - 1);
    for (const [asked, from] of [
      [other, last],
      [job(41, adam), last],
      [job(40, adam), cut],
    ] as const) {
      const checkpoints = { intervalMs: 1e9, onCheckpoint: () => {}, from };
      await expect(trainModel(tf, asked, { ...quiet, checkpoints })).rejects.toMatchObject({
        code: 'BAD_TRAINING_JOB',
        details: { field: 'checkpoint' },
      });
    }
  });

  it('stops where it is paused, at a checkpoint, and leaves nothing on the engine', async () => {
    const before = tf.memory().numTensors;
    const asked = job(100_000, adam);
    const made: Uint8Array[] = [];
    const checkpoints = {
      intervalMs: 1e9,
      onCheckpoint: (bytes: Uint8Array) => made.push(bytes),
      from: null,
    };
    await expect(
      trainModel(tf, asked, { ...quiet, isPaused: () => true, checkpoints }),
    ).rejects.toMatchObject({ code: 'TRAINING_PAUSED' });
    expect(made).toHaveLength(1);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('a run with differential privacy', () => {
  const privacy = { clippingNorm: 1, noiseMultiplier: 1, samplingRate: 0.2 };
  const privateJob = { ...job(100, adam), privacy };

  it('stops where it is paused too, and goes on from there with the steps that are left', async () => {
    const made: Uint8Array[] = [];
    const checkpoints = {
      intervalMs: 0,
      onCheckpoint: (bytes: Uint8Array) => made.push(bytes),
      from: null,
    };
    await expect(
      trainModel(
        tf,
        { ...job(100_000, adam), privacy },
        { ...quiet, isPaused: () => true, isCancelled: () => made.length > 1_000, checkpoints },
      ),
    ).rejects.toMatchObject({ code: 'TRAINING_PAUSED' });
    made.length = 0;
    await trainModel(tf, privateJob, { ...quiet, checkpoints });
    const from = made[Math.floor(made.length / 2)] as Uint8Array;
    const reports: TrainingProgress[] = [];
    const resumed = await trainModel(tf, privateJob, {
      ...quiet,
      onProgress: (report) => reports.push(report),
      checkpoints: { intervalMs: 1e9, onCheckpoint: () => {}, from },
    });
    expect(reports[0]?.step).toBeGreaterThan(made.length / 2);
    expect(reports.at(-1)?.step).toBe(100);
    expect(resumed.weights).not.toEqual(privateJob.weights);
  });

  it('refuses the checkpoint of a run without, or with other noise', async () => {
    for (const other of [job(100, adam), { ...privateJob, privacy: { ...privacy, noiseMultiplier: 2 } }]) {
      const { made } = await checkpointsOf(other);
      const checkpoints = { intervalMs: 1e9, onCheckpoint: () => {}, from: made.at(-1) as Uint8Array };
      await expect(trainModel(tf, privateJob, { ...quiet, checkpoints })).rejects.toMatchObject({
        code: 'BAD_TRAINING_JOB',
        details: { field: 'checkpoint' },
      });
    }
  });
});

describe('a run', () => {
  it('says how fast it goes and what is left', async () => {
    const reports: TrainingProgress[] = [];
    await trainModel(tf, job(20_000, adam), { ...quiet, onProgress: (report) => reports.push(report) });
    expect(reports.length).toBeGreaterThan(1);
    for (const { examplesPerSecond } of reports) expect(examplesPerSecond).toBeGreaterThan(100);
    expect(reports[0]?.remainingMs).toBeGreaterThan(0);
    expect(reports.at(-1)).toMatchObject({ step: 20_000, remainingMs: 0 });
  });

  it('that diverges names the step and the weight', async () => {
    const asked = job(100, { kind: 'sgd', learningRate: 1e39 });
    await expect(trainModel(tf, asked, quiet)).rejects.toMatchObject({
      code: 'TRAINING_DIVERGED',
      details: { step: expect.any(Number), cause: expect.stringMatching(/^(?:loss|weights\/)/) },
    });
  });

  it('that holds more memory than the settings allow says so', async () => {
    await expect(
      trainModel(tf, job(100_000, adam), { ...quiet, memoryLimitBytes: 1e6 }),
    ).rejects.toMatchObject({
      code: 'TRAINING_OUT_OF_MEMORY',
      details: { memoryLimitBytes: 1e6 },
    });
  });
});
