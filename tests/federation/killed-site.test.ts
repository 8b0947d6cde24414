// kill -9 of a site while it trains, and between its steward's approval and the next sync.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyLogs } from '#bench/demo/verify-logs.ts';
import type { RoundEvent } from '#ipc/schema.ts';
import { childrenOf, hasProcessTree, waitUntilGone } from '#support/process-tree.ts';
import { readConsortiumStore, readSiteStore } from '#support/stored-profiles.ts';
import {
  researchStudyId,
  smallTraining,
  startTestFederation,
  type TestFederation,
} from '#support/test-federation.ts';

const killed = 'cleveland';
const other = 'switzerland';
/** Some seconds of training. */
const stepCount = 6_000;
let federation: TestFederation;

beforeAll(async () => {
  federation = await startTestFederation({
    siteIds: [killed, other],
    plan: {
      training: {
        ...smallTraining,
        optimizer: { kind: 'sgd', learningRate: 0.0001 },
        localUpdates: stepCount,
      },
      rounds: ['statistics', 'training', 'evaluation'],
    },
  });
});
afterAll(async () => {
  await federation.stop();
  federation.remove();
});

/** Starts the round and kills the site after the second report of its loss. */
async function killWhileTraining(): Promise<number[]> {
  const { reached, server } = federation.site(killed);
  const run = await reached.client.round.run({ researchStudyId });
  let reportCount = 0;
  let last: RoundEvent | undefined;
  while (reportCount < 2) {
    const next = await run.next();
    if (next.done === true) throw new Error('the round ended before it could be killed');
    last = next.value;
    if (last.kind === 'progress') reportCount += 1;
  }
  expect(last).toMatchObject({ kind: 'progress', stepCount });
  expect((last as { step: number }).step).toBeLessThan(stepCount);
  const children = hasProcessTree ? childrenOf(server.pid) : [];
  await federation.killSite(killed);
  return children;
}

const runsOf = () =>
  readSiteStore(federation.site(killed), (store) =>
    store
      .all(store.query.selectFrom('training_run').select(['round', 'state']).orderBy('started_at'))
      .map(({ round, state }) => `${round} ${state}`),
  );

describe('a site that is killed', () => {
  it('takes its training process with it', async () => {
    await federation.playRound();
    await federation.openRound();
    await federation.prepareUpdate(other);
    await federation.site(other).reached.client.sync();
    await federation.site(killed).reached.client.sync();
    const children = await killWhileTraining();
    if (hasProcessTree) expect(children).toHaveLength(1);
    await waitUntilGone(children);
    expect(runsOf()).toEqual(['1 done', '2 running']);
  });

  it('runs the round again from its start and sends one update', async () => {
    await federation.restartSite(killed);
    const { client } = federation.site(killed).reached;
    expect(await client.round.current({ researchStudyId })).toMatchObject({ round: 2, state: 'open' });
    await federation.prepareUpdate(killed);
    expect(runsOf()).toEqual(['1 done', '2 failed', '2 done']);
    expect((await client.updates.list()).filter(({ round }) => round === 2)).toHaveLength(1);
  });

  it('keeps an approval over a kill, and sends the approved update afterwards', async () => {
    await federation.killSite(killed);
    await federation.restartSite(killed);
    const { client } = federation.site(killed).reached;
    expect(await client.round.current({ researchStudyId })).toMatchObject({ round: 2, state: 'approved' });
    const { sent } = await client.sync();
    expect(sent).toMatchObject([{ outcome: 'received', code: null }]);
    await federation.finishRound();
  });

  it('finishes the research study; everything was counted once and every log verifies', async () => {
    await federation.playRound();
    const { rounds, models } = await federation.status();
    expect(rounds.map(({ round, attempt, state }) => `${round}.${attempt} ${state}`)).toEqual([
      '1.1 closed',
      '2.1 closed',
      '3.1 closed',
    ]);
    for (const { received } of rounds)
      expect(received.map(({ siteId }) => siteId).sort()).toEqual([killed, other]);
    expect(models.map(({ included }) => included.length)).toEqual([0, 2, 2, 2]);
    const { verified } = await verifyLogs(federation.current(), federation.processes);
    expect(verified).toBe(true);
    const { entries } = await federation.site(killed).reached.client.audit.list({
      search: '',
      action: 'crash-recovered',
      offset: 0,
      limit: 10,
    });
    expect(entries).toMatchObject([{ round: 2, outcome: 'failed', actor: 'system' }]);
    await federation.stop();
    const { events } = readConsortiumStore(federation.current());
    const taken = events.filter(({ action }) => action === 'update-received');
    expect(taken).toHaveLength(6);
    expect(taken.filter(({ outcome, reason }) => outcome !== 'success' || reason !== null)).toEqual([]);
  });
});
