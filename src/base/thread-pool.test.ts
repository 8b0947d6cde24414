// A pool's threads: one request at a time, refused when one hangs or dies, replaced, and told nothing of the process around them.
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { ThreadPool } from './thread-pool.ts';

type Request = 'answer' | 'hang' | 'die' | 'die-later' | 'secret';
type Reply = { readonly kind: 'done'; readonly value: unknown };

const entry = new URL(
  `data:text/javascript,${encodeURIComponent(`
  import { parentPort, threadId } from 'node:worker_threads';
  parentPort.on('message', (request) => {
    if (request === 'hang') for (;;) {}
    if (request === 'die') process.exit(1);
    if (request === 'die-later') setTimeout(() => process.exit(1), 20);
    const value = request === 'secret' ? process.env.CONSILIUM_SECRET ?? null : threadId;
    parentPort.postMessage({ kind: 'done', value });
  });
  parentPort.postMessage({ kind: 'ready' });`)}`,
);

let pool: ThreadPool<Request, Reply>;
const open = (threadCount = 1): ThreadPool<Request, Reply> => {
  pool = new ThreadPool({
    entry,
    threadCount,
    resourceLimits: {},
    limitMs: () => 200,
    startLimitMs: 30_000,
    refusalOf: (failure) => new Error(failure),
  });
  return pool;
};
afterEach(() => pool.close());

describe('a pool of threads', () => {
  it('works at as many requests at once as it has threads', async () => {
    open(2);
    const replies = await Promise.all(Array.from({ length: 6 }, () => pool.run('answer')));
    expect(new Set(replies.map(({ value }) => value)).size).toBeLessThanOrEqual(2);
  });

  it.each<[Request, string]>([
    ['hang', 'timed-out'],
    ['die', 'died'],
  ])('refuses what a thread should do that comes to %s, and goes on with another', async (fault, failure) => {
    open();
    const [first, second] = [pool.run(fault), pool.run('answer')];
    await expect(first).rejects.toThrow(failure);
    expect((await second).kind).toBe('done');
  });

  it('gives no work to a thread that died while it had none', async () => {
    open();
    const before = (await pool.run('die-later')).value;
    await wait(200);
    expect((await pool.run('answer')).value).not.toBe(before);
  });

  it('tells its threads no secret of the process', async () => {
    process.env.CONSILIUM_SECRET = 'a secret';
    try {
      expect((await open().run('secret')).value).toBeNull();
    } finally {
      delete process.env.CONSILIUM_SECRET;
    }
  });

  it('refuses what waits, what is under way and what comes when it is closed', async () => {
    open();
    const asked = [pool.run('hang'), pool.run('answer')];
    const settled = Promise.allSettled(asked);
    await pool.close();
    expect((await settled).map((one) => one.status === 'rejected' && String(one.reason))).toEqual([
      'Error: closed',
      'Error: closed',
    ]);
    await expect(pool.run('answer')).rejects.toThrow('closed');
  });
});
