// kill -9 of the consortium while it takes updates in: before the request has arrived, at any moment of the work, and after the
// update was counted but before its receipt is out. CONSILIUM_KILLS sets how often; hundreds make a soak.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { utf8 } from '#base/bytes.ts';
import { verifyLogs } from '#bench/demo/verify-logs.ts';
import { sha256 } from '#federation/crypto/digest.ts';
import { createKeystream } from '#federation/crypto/keystream.ts';
import { type RequestProxy, startRequestProxy } from '#support/request-proxy.ts';
import { readConsortiumStore } from '#support/stored-profiles.ts';
import { smallTraining, startTestFederation, type TestFederation } from '#support/test-federation.ts';

const siteIds = ['cleveland', 'switzerland'];
const wantedKills = Number(process.env.CONSILIUM_KILLS ?? 6);
const roundCount = Math.min(20, Math.max(3, Math.ceil(wantedKills / siteIds.length)));
const killsPerUpdate = Math.ceil(wantedKills / (roundCount * siteIds.length));
/** About twice what the consortium takes for an update. */
const longestDelayMs = 60;
const giveUpMs = 10_000;
const moments = ['before the request arrived', 'at any moment', 'before the receipt is out'] as const;
type Moment = (typeof moments)[number];

const random = createKeystream(sha256(utf8('kills of the consortium')));
let federation: TestFederation;
let proxy: RequestProxy;

beforeAll(async () => {
  proxy = await startRequestProxy();
  const training = Array.from({ length: roundCount - 2 }, () => 'training' as const);
  federation = await startTestFederation({
    siteIds,
    plan: { training: smallTraining, rounds: ['statistics', ...training, 'evaluation'] },
    consortiumUrl: proxy.url,
    onConsortium: (url) => {
      proxy.target = Number(new URL(url).port);
    },
  });
});
afterAll(async () => {
  await federation.stop();
  await proxy.close();
  federation.remove();
});

/** Syncs a site with an approved update, and kills the consortium when the update is on its way. */
async function killDuringIntake(siteId: string, moment: Moment): Promise<void> {
  const killed = new Promise<void>((resolve, reject) => {
    const kill = () => void federation.killConsortium().then(resolve, reject);
    proxy.watch = {
      onUpdate: () => {
        if (moment === 'before the request arrived') kill();
        if (moment === 'at any moment') void pause(random.nextBelow(longestDelayMs)).then(kill);
        return moment !== 'before the request arrived';
      },
      onAnswer: () => {
        if (moment === 'before the receipt is out') kill();
      },
    };
  });
  const syncing = federation.site(siteId).reached.client.sync();
  const synced = syncing.catch(() => ({ sent: [] }));
  const late = synced.then(() => pause(giveUpMs)).then(() => Promise.reject(new Error('no update was sent')));
  await Promise.race([killed, late]);
  proxy.watch = undefined;
  // The site has no receipt, whatever became of its update: it keeps it and says so.
  for (const { outcome } of (await synced).sent) expect(outcome).toBe('retry');
  await federation.restartConsortium();
}

describe('a consortium that is killed during intake', () => {
  let killCount = 0;
  let lostReceipts = 0;

  it(`goes on after each of ${wantedKills} kills; sites sync again and every round closes`, async () => {
    for (let round = 1; round <= roundCount; round += 1) {
      await federation.openRound();
      for (const siteId of siteIds) {
        await federation.prepareUpdate(siteId);
        for (let kill = 0; kill < killsPerUpdate; kill += 1) {
          const moment = moments[killCount % moments.length] ?? 'at any moment';
          await killDuringIntake(siteId, moment);
          killCount += 1;
          if (moment === 'before the receipt is out') lostReceipts += 1;
        }
        const { sent } = await federation.site(siteId).reached.client.sync();
        expect(sent).toMatchObject([{ outcome: 'received', code: null }]);
      }
      await federation.finishRound();
    }
    expect(killCount).toBeGreaterThanOrEqual(wantedKills);
  }, 3_600_000);

  it('has counted every update once, and makes every model again', async () => {
    const { rounds, models } = await federation.status();
    expect(rounds.map(({ round, attempt, state }) => `${round}.${attempt} ${state}`)).toEqual(
      Array.from({ length: roundCount }, (_, index) => `${index + 1}.1 closed`),
    );
    for (const { received } of rounds) expect(received.map(({ siteId }) => siteId).sort()).toEqual(siteIds);
    expect(models).toHaveLength(roundCount + 1);
    const { verified } = await verifyLogs(federation.current(), federation.processes);
    expect(verified).toBe(true);
  });

  it('has logged each update once, and each repetition as one', async () => {
    await federation.stop();
    const { events, sealedFiles } = readConsortiumStore(federation.current());
    const taken = events.filter(({ action }) => action === 'update-received');
    const counted = taken.filter(({ reason }) => reason === null);
    const replays = taken.filter(({ reason }) => reason === 'REPLAY');
    expect(taken).toHaveLength(counted.length + replays.length);
    const named = counted.map(({ round, actor }) => `${round} ${actor}`);
    expect(new Set(named).size).toBe(roundCount * siteIds.length);
    expect(named).toHaveLength(roundCount * siteIds.length);
    expect(sealedFiles).toHaveLength(named.length);
    // A receipt that did not get through: the update was in, and came again.
    expect(lostReceipts).toBeGreaterThan(0);
    expect(replays.length).toBeGreaterThanOrEqual(lostReceipts);
    const started = events.filter(({ action }) => action === 'consortium-started');
    expect(started).toHaveLength(killCount + 1);
  });
});
