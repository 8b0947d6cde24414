// kill -9 of the site in the middle of a training run: the next process goes on from the encrypted store to the same bytes.
import { fork } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { createTrainingHost, openForkedChannel } from '#site/training/index.ts';
import { killedSiteJob, openKilledSiteStore, trainInStore } from '#support/training-site-process.ts';

const entry = fileURLToPath(new URL('../support/training-site-process.ts', import.meta.url));

/** Starts a site and kills it right after it has said that it kept a checkpoint so many times. */
async function killAfterCheckpoints(file: string, count: number): Promise<string | null> {
  const child = fork(entry, [file], {
    execPath: process.execPath,
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  let heard = 0;
  child.on('message', (message) => {
    if (message === 'checkpoint') heard += 1;
    if (heard === count) child.kill('SIGKILL');
  });
  return new Promise((resolve) => child.on('exit', (_, signal) => resolve(signal)));
}

it('a run of a site that is killed twice ends in the bytes of one that was left alone', {
  timeout: 120_000,
}, async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'consilium-killed-'));
  const file = path.join(folder, 'site.killed.db');
  try {
    const made = openKilledSiteStore(file);
    const cohort = {
      cohort_id: 'cohort',
      research_study_id: 'heart-disease',
      round: 1,
      cohort_digest: 'd',
      consent_snapshot_digest: '',
    };
    made.run(made.query.insertInto('cohort').values({ ...cohort, selection: '{}', frozen_at: '' }));
    made.close();
    expect(await killAfterCheckpoints(file, 2)).toBe('SIGKILL');
    expect(await killAfterCheckpoints(file, 2)).toBe('SIGKILL');
    const store = openKilledSiteStore(file);
    const { result, seed, resumed } = await trainInStore(store, () => {});
    const rows = store.all(store.query.selectFrom('training_run').select(['state', 'tensors']));
    store.close();
    expect(resumed).toBe(true);
    expect(rows.map(({ state, tensors }) => [state, tensors === null])).toEqual([
      ['failed', true],
      ['failed', true],
      ['done', false],
    ]);
    const host = createTrainingHost({ openChannel: openForkedChannel });
    const whole = await host.train(killedSiteJob(seed), {
      onProgress: () => {},
      signal: new AbortController().signal,
    });
    await host.close();
    expect(result.weights).toEqual(whole.weights);
    expect(result.optimizerState).toEqual(whole.optimizerState);
    // Nothing readable: a checkpoint's own header stands in no file of the profile.
    for (const name of readdirSync(folder))
      expect(readFileSync(path.join(folder, name)).includes('run/state')).toBe(false);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
