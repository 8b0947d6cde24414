// Runs over real processes that are killed, paused and cancelled: what comes out of them, and what they leave behind.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import os, { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { createInitialWeights } from '#site/model/index.ts';
import type { TrainingHost, TrainingJob } from '#site/ports.ts';
import { createTrainingHost, openForkedChannel, type TrainingChannel } from '#site/training/index.ts';
import { sampleExamples, sampleModel } from '#support/model-samples.ts';
import { createTrainingGate } from './training-gate.ts';

const model = sampleModel('mlp');
const job = (localUpdates: number): TrainingJob => ({
  model,
  training: { optimizer: { kind: 'adam', learningRate: 0.01 }, batchSize: 16, localUpdates },
  weights: createInitialWeights(model),
  examples: sampleExamples(model, 90),
  seed: new Uint8Array(32).fill(5),
  optimizerState: null,
});
const never = new AbortController().signal;
const noHours = {
  hours: null,
  clock: { nowMs: () => 0 },
  zone: { localTime: () => ({ day: 0, second: 0 }) },
};

let host: TrainingHost | undefined;
afterEach(async () => {
  await host?.close();
});

function openHost(checkpointIntervalMs = 20) {
  const channels: TrainingChannel[] = [];
  const openChannel = (threads: 'one' | 'all', most: number | null) => {
    const channel = openForkedChannel(threads, most);
    channels.push(channel);
    return channel;
  };
  host = createTrainingHost({ openChannel, checkpointIntervalMs });
  return { opened: host, channels };
}

describe('a run whose process is killed', () => {
  it('goes on in another one and ends in the bytes of an uninterrupted run', async () => {
    const { opened, channels } = openHost();
    const asked = job(8000);
    let kills = 0;
    const onCheckpoint = () => {
      if (kills >= 2) return;
      kills += 1;
      channels.at(-1)?.kill();
    };
    const interrupted = await opened.train(asked, { onProgress: () => {}, signal: never, onCheckpoint });
    expect(kills).toBe(2);
    expect(channels).toHaveLength(3);
    const whole = await opened.train(asked, { onProgress: () => {}, signal: never });
    expect(interrupted.weights).toEqual(whole.weights);
    expect(interrupted.optimizerState).toEqual(whole.optimizerState);
  });
});

describe('a paused run', () => {
  it('takes no step and no time of a processor, frees the engine for others, and ends in the same bytes', async () => {
    const { opened } = openHost();
    const gate = createTrainingGate(noHours);
    let reports = 0;
    const asked = job(8000);
    const paused = opened.train(asked, {
      onProgress: () => {
        reports += 1;
        if (reports === 2) gate.pause();
      },
      signal: never,
      gate,
    });
    await expect.poll(() => reports, { timeout: 20_000 }).toBeGreaterThanOrEqual(2);
    // Another job has its turn meanwhile: the paused run holds no engine.
    const whole = await opened.train(asked, { onProgress: () => {}, signal: never });
    const [seen, before] = [reports, processorTime()];
    await delay(1000);
    expect(reports).toBe(seen);
    if (before === null) process.stderr.write('processor time is not measured: /proc is not there\n');
    else expect((processorTime() ?? before) - before).toBeLessThanOrEqual(10); // of 100 ticks
    gate.resume();
    expect((await paused).weights).toEqual(whole.weights);
  });

  it('hears a cancel at once', async () => {
    const { opened } = openHost();
    const gate = createTrainingGate(noHours);
    gate.pause();
    const abort = new AbortController();
    const waiting = opened.train(job(5), { onProgress: () => {}, signal: abort.signal, gate });
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'TRAINING_CANCELLED' });
  });

  it('waits for the hours of the settings, and goes on in them by itself', async () => {
    const { opened, channels } = openHost();
    let minute = 12 * 60;
    const gate = createTrainingGate({
      hours: { fromMinute: 22 * 60, toMinute: 6 * 60 },
      clock: { nowMs: () => 0 },
      zone: { localTime: () => ({ day: 0, second: 60 * minute }) },
      lookEveryMs: 10,
    });
    const waiting = opened.train(job(5), { onProgress: () => {}, signal: never, gate });
    await delay(50);
    expect(channels).toHaveLength(0);
    minute = 22 * 60;
    await expect(waiting).resolves.toMatchObject({ stepCount: 5 });
  });
});

describe('the training process', () => {
  it('runs below the priority of the user’s own work, with all its threads', async () => {
    const { opened } = openHost();
    await opened.train(job(5), { onProgress: () => {}, signal: never });
    const [child] = children();
    if (child === undefined) {
      process.stderr.write('priorities are not looked at: /proc is not there\n');
      return;
    }
    const nice = readdirSync(`/proc/${child}/task`).map((task) =>
      Number(readFileSync(`/proc/${child}/task/${task}/stat`, 'utf8').split(') ')[1]?.split(' ')[16]),
    );
    const own = os.getPriority();
    expect(nice.length).toBeGreaterThan(5);
    expect(nice.filter((value) => value <= own)).toEqual([]);
  });
});

describe('a hundred runs that are started and cancelled', () => {
  it('leave no process, file or handle behind', async () => {
    const { opened } = openHost();
    await opened.train(job(5), { onProgress: () => {}, signal: never });
    const before = traces();
    for (let cycle = 0; cycle < 100; cycle += 1) {
      const abort = new AbortController();
      const onProgress = () => abort.abort();
      const running = opened.train(job(1_000_000), { onProgress, signal: abort.signal });
      if (cycle % 2 === 0) abort.abort(); // before it has started
      await expect(running).rejects.toMatchObject({ code: 'TRAINING_CANCELLED' });
    }
    await opened.engine();
    expect(traces()).toEqual(before);
    await opened.close();
    await expect.poll(() => children().length).toBe(0);
  }, 60_000);
});

/** Ids of the processes that this one started and that still live; none where there is no /proc. */
function children(): string[] {
  try {
    return readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8')
      .split(' ')
      .filter((id) => id !== '' && readFileSync(`/proc/${id}/cmdline`, 'utf8').includes('training-process'));
  } catch {
    return [];
  }
}

/** User and system time of the training processes in ticks; null where there is no /proc. */
function processorTime(): number | null {
  const [child] = children();
  if (child === undefined) return null;
  const fields = readFileSync(`/proc/${child}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

/** Processes, their open files, this process's handles, and our files in the folder for temporary ones. */
function traces() {
  const files = children().map((id) =>
    readdirSync(`/proc/${id}/fd`)
      .map((fd) => readlinkSync(`/proc/${id}/fd/${fd}`).replace(/\d+/g, ''))
      .sort(),
  );
  const handles = process
    .getActiveResourcesInfo()
    .filter((name) => name !== 'Timeout' && name !== 'Immediate');
  const left = readdirSync(tmpdir()).filter((name) => name.startsWith('consilium-graph-'));
  return { children: children(), files, handles: handles.sort(), left: left.length };
}
