import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Logger, silentLogger } from '#base/logger.ts';
import { createConsortiumSigners, openConsortiumLog, openConsortiumStore } from '#consortium/store/index.ts';
import { parseLeaf } from '#federation/log/leaf.ts';
import { sharedKeys, startMs } from '#support/consortium-world.ts';
import { createUnknownSenders } from './unknown-senders.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: startMs });
});
afterEach(() => {
  vi.useRealTimers();
});

async function openFoundation() {
  const keys = await sharedKeys();
  const store = openConsortiumStore({
    file: ':memory:',
    key: keys.storeKey,
    clock: { nowMs: () => Date.now() },
  });
  const signers = createConsortiumSigners(keys);
  const log = openConsortiumLog({
    store,
    signer: signers.log,
    origin: 'log',
    bootId: 'b',
    softwareVersion: 't',
  });
  const entries = () =>
    store
      .all(store.query.selectFrom('log_leaf').select('line').orderBy('seq'))
      .map(({ line }) => parseLeaf(line));
  const details = () =>
    store
      .all(store.query.selectFrom('log_detail').select('detail').orderBy('seq'))
      .map(({ detail }) => JSON.parse(detail) as unknown);
  return { foundation: { store, log, signers }, entries, details };
}

it('writes one entry for each reason when the minute ends, with how many there were', async () => {
  const { foundation, entries, details } = await openFoundation();
  const senders = createUnknownSenders(foundation, silentLogger);
  for (let count = 0; count < 1000; count += 1) senders.count('BAD_REQUEST_SIGNATURE');
  vi.advanceTimersByTime(30_000);
  senders.count('BAD_REQUEST_SIGNATURE');
  senders.count('KEY_NOT_TRUSTED');
  expect(entries()).toEqual([]);
  vi.advanceTimersByTime(30_000);
  expect(entries().map(({ actor, action, outcome, reason }) => [actor, action, outcome, reason])).toEqual([
    ['unknown', 'update-received', 'refused', 'BAD_REQUEST_SIGNATURE'],
    ['unknown', 'update-received', 'refused', 'KEY_NOT_TRUSTED'],
  ]);
  const [first, later] = ['2026-11-21T08:00:00.000Z', '2026-11-21T08:00:30.000Z'];
  expect(details()).toEqual([
    { count: 1001, firstAt: first, lastAt: later },
    { count: 1, firstAt: later, lastAt: later },
  ]);
});

it('writes nothing in a quiet minute, and goes on in the next', async () => {
  const { foundation, entries } = await openFoundation();
  const senders = createUnknownSenders(foundation, silentLogger);
  senders.count('STALE_REQUEST');
  vi.advanceTimersByTime(10 * 60_000);
  expect(entries()).toHaveLength(1);
  senders.count('STALE_REQUEST');
  senders.flush();
  senders.flush();
  expect(entries()).toHaveLength(2);
});

it('keeps the counts, and the process, when the log cannot be written', async () => {
  const { foundation, entries } = await openFoundation();
  const failures: string[] = [];
  const logger: Logger = { ...silentLogger, error: (message) => failures.push(message) };
  let isFull = true;
  const log = {
    ...foundation.log,
    append: (event: Parameters<typeof foundation.log.append>[0]) => {
      if (isFull) throw new Error('the disk is full');
      return foundation.log.append(event);
    },
  };
  const senders = createUnknownSenders({ ...foundation, log }, logger);
  senders.count('STALE_REQUEST');
  vi.advanceTimersByTime(60_000);
  expect(failures).toEqual(['refused requests not logged']);
  isFull = false;
  senders.count('STALE_REQUEST');
  vi.advanceTimersByTime(60_000);
  expect(entries()).toHaveLength(1);
});
