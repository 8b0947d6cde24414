// kill -9 around a remedy (security.md C11): of the site that asks, of the consortium while it takes the request in and while it carries
// it out. The request counts once, one remedy answers it, and nobody is left waiting.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { utf8 } from '#base/bytes.ts';
import { verifyLogs } from '#bench/demo/verify-logs.ts';
import { sha256 } from '#federation/crypto/digest.ts';
import { createKeystream } from '#federation/crypto/keystream.ts';
import { readSiteStore } from '#support/stored-profiles.ts';
import { frozenCohorts } from '#support/stored-subjects.ts';
import {
  researchStudyId,
  smallTraining,
  startTestFederation,
  type TestFederation,
} from '#support/test-federation.ts';

const asking = 'cleveland';
const killsOfEach = 3;
/** About what the consortium takes for either. */
const longestDelayMs = 60;
const random = createKeystream(sha256(utf8('kills around a remedy')));

let federation: TestFederation;
let subjectId: string;
beforeAll(async () => {
  federation = await startTestFederation({
    siteIds: [asking, 'switzerland'],
    plan: { training: smallTraining, rounds: ['statistics', 'training', 'training'] },
  });
});
afterAll(async () => {
  await federation.stop();
  federation.remove();
});

const client = () => federation.site(asking).reached.client;
const states = async () => {
  const rounds = await client().consent.rounds({ subjectId });
  return rounds.map(({ round, remedyState }) => `${round} ${remedyState}`);
};
const carryOut = () =>
  federation.processes.run([
    ...['consortium', 'remedy', 'carry-out', '--research-study', researchStudyId],
    ...federation.current().consortium,
  ]);
const heardOf = async () => {
  const { remedyRequests, remedies } = await federation.status();
  return { requests: remedyRequests.length, remedies: remedies.map(({ number }) => number) };
};

/** Whatever becomes of the work is seen afterwards. */
async function killConsortiumDuring(work: () => Promise<unknown>): Promise<void> {
  const done = work().catch(() => undefined);
  await pause(random.nextBelow(longestDelayMs));
  await federation.killConsortium();
  await done;
  await federation.restartConsortium();
}

describe('a remedy', () => {
  it('is still asked for by a site that was killed before it could send the request', async () => {
    await federation.playRound();
    await federation.playRound();
    const [cohort] = readSiteStore(federation.site(asking), frozenCohorts).slice(-1);
    subjectId = cohort?.members.find(({ part }) => part === 'training')?.subjectId ?? '';
    await client().consent.withdraw({ subjectId, researchStudyId });
    await client().consent.requestRemedy({ subjectId, researchStudyId });
    await federation.killSite(asking);
    await federation.restartSite(asking);
    expect(await states()).toEqual(['1 none', '2 requested']);
  });

  it(`counts once after ${killsOfEach} kills of the consortium that takes it in`, async () => {
    for (let kill = 0; kill < killsOfEach; kill += 1) await killConsortiumDuring(() => client().sync());
    await client().sync();
    await client().sync();
    expect(await heardOf()).toEqual({ requests: 1, remedies: [] });
    expect(await states()).toEqual(['1 none', '2 requested']);
  });

  it(`is carried out once after ${killsOfEach} kills of the consortium that does it, and its site is told`, async () => {
    for (let kill = 0; kill < killsOfEach; kill += 1) await killConsortiumDuring(carryOut);
    await carryOut().catch((error: unknown) => expect(String(error)).toContain('NO_REMEDY_PENDING'));
    expect(await heardOf()).toEqual({ requests: 1, remedies: [1] });
    await client().sync();
    await federation.killSite(asking);
    await federation.restartSite(asking);
    expect(await states()).toEqual(['1 none', '2 carried-out']);
    const { verified } = await verifyLogs(federation.current(), federation.processes);
    expect(verified).toBe(true);
  });
});
