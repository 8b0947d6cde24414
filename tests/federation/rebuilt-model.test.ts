// After a withdrawal the model goes back to before the first round that held the patient, and the rounds are run again without them. The
// consortium carries it out and never learns who it was (security.md C11): real processes, the plan that ships.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyLogs } from '#bench/demo/verify-logs.ts';
import { consortiumBytes, readSiteStore } from '#support/stored-profiles.ts';
import { frozenCohorts } from '#support/stored-subjects.ts';
import {
  researchStudyId,
  smallTraining,
  startTestFederation,
  type TestFederation,
} from '#support/test-federation.ts';

const siteIds = ['cleveland', 'switzerland'];
const asked = 'cleveland';
let federation: TestFederation;
let subjectId: string;
let pseudonym: string;

beforeAll(async () => {
  federation = await startTestFederation({
    siteIds,
    plan: { training: smallTraining, rounds: ['statistics', 'training', 'training', 'training'] },
  });
});
afterAll(async () => {
  await federation.stop();
  federation.remove();
});

const client = () => federation.site(asked).reached.client;
const rounds = async () =>
  (await client().consent.rounds({ subjectId })).map(({ round, departure, remedyState }) => [
    round,
    departure,
    remedyState,
  ]);
const consortium = (...words: string[]) =>
  federation.processes.run([
    'consortium',
    ...words,
    '--research-study',
    researchStudyId,
    ...federation.current().consortium,
  ]);

describe('a patient who withdraws after two rounds of training', () => {
  it('was in both, and the plan promises to rebuild the model', async () => {
    await federation.playRound();
    await federation.playRound();
    await federation.playRound();
    const member = readSiteStore(federation.site(asked), frozenCohorts)
      .at(-1)
      ?.members.find(({ part }) => part === 'training');
    ({ subjectId, pseudonym } = member ?? { subjectId: '', pseudonym: '' });
    await client().consent.withdraw({ subjectId, researchStudyId });
    expect(await rounds()).toEqual([
      [1, 'received', 'none'],
      [2, 'received', 'none'],
      [3, 'received', 'none'],
    ]);
    expect(await client().consent.requestRemedy({ subjectId, researchStudyId })).toMatchObject({
      remedy: 'rebuild-model',
      fromRound: 2,
      toRound: 3,
    });
    await client().sync();
  });

  it('is taken back by the consortium, which knows rounds and a site', async () => {
    await expect(federation.openRound()).rejects.toThrow();
    expect(await consortium('remedy', 'list')).toMatchObject({
      remedyRequests: [
        { siteId: asked, kind: 'rebuild-model', fromRound: 2, toRound: 3, carriedOutAt: null },
      ],
    });
    expect(await consortium('remedy', 'carry-out')).toMatchObject({ number: 1, fromRound: 2 });
    const { models } = await federation.status();
    expect(models.map(({ round, isInForce }) => [round, isInForce])).toEqual([
      [0, true],
      [1, true],
      [2, false],
      [3, false],
    ]);
  });

  it('is in none of the rounds that are run again, at the end of which all logs are good', async () => {
    for (let round = 2; round <= 4; round += 1) await federation.playRound();
    const status = await federation.status();
    expect(status.rounds.map(({ round, attempt, state }) => `${round}.${attempt} ${state}`)).toEqual([
      '1.1 closed',
      '2.1 closed',
      '2.2 closed',
      '3.1 closed',
      '3.2 closed',
      '4.1 closed',
    ]);
    expect(await rounds()).toEqual([
      [1, 'received', 'none'],
      [2, 'received', 'carried-out'],
      [3, 'received', 'carried-out'],
    ]);
    const cohorts = readSiteStore(federation.site(asked), frozenCohorts);
    expect(cohorts.map(({ round }) => round)).toEqual([1, 2, 3, 2, 3, 4]);
    expect(cohorts.flatMap(({ members }) => members).some((one) => one.subjectId === subjectId)).toBe(false);
    // Both sites hold the same model, and the one before the withdrawal counts at neither.
    const held = siteIds.map((siteId) =>
      readSiteStore(federation.site(siteId), (store) =>
        store.all(
          store.query
            .selectFrom('model_in_force')
            .select(['round', 'remedy', 'model_digest'])
            .orderBy('round'),
        ),
      ),
    );
    expect(held[0]).toEqual(held[1]);
    expect(held[0]?.map(({ round, remedy }) => [round, remedy])).toEqual([
      [0, 0],
      [1, 0],
      [2, 1],
      [3, 1],
      [4, 1],
    ]);
    expect(held[0]?.at(-1)?.model_digest).toBe(status.models.at(-1)?.modelDigest);
    expect((await verifyLogs(federation.current(), federation.processes)).verified).toBe(true);
  });

  it('is nowhere in what the consortium holds', () => {
    const bytes = consortiumBytes(federation.current());
    expect(bytes.includes(Buffer.from(asked))).toBe(true);
    expect([subjectId, pseudonym].filter((name) => name === '' || bytes.includes(Buffer.from(name)))).toEqual(
      [],
    );
  });
});
