// A patient who withdraws is in no later cohort, and what was made with their record does not leave (security.md C9).
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyLogs } from '#bench/demo/verify-logs.ts';
import { readSiteStore } from '#support/stored-profiles.ts';
import { type FrozenMember, frozenCohorts } from '#support/stored-subjects.ts';
import {
  researchStudyId,
  smallTraining,
  startTestFederation,
  type TestFederation,
} from '#support/test-federation.ts';

const siteIds = ['cleveland', 'switzerland'];
const asked = 'cleveland';
let federation: TestFederation;

beforeAll(async () => {
  federation = await startTestFederation({
    siteIds,
    plan: { training: smallTraining, rounds: ['statistics', 'training', 'training', 'evaluation'] },
  });
});
afterAll(async () => {
  await federation.stop();
  federation.remove();
});

/** The frozen cohorts of the site, oldest first. */
const cohorts = () => readSiteStore(federation.site(asked), frozenCohorts);

const subjectsOf = (members: readonly FrozenMember[] = []): string[] =>
  members.map(({ subjectId }) => subjectId).sort();

/** Somebody of the newest cohort. */
const someTrainingPatient = (): string => {
  const found = cohorts()
    .at(-1)
    ?.members.find(({ part }) => part === 'training');
  if (found === undefined) throw new Error('nobody in the training part');
  return found.subjectId;
};

const client = () => federation.site(asked).reached.client;

describe('a patient who withdraws', () => {
  it('is in no cohort any more, and everybody else still is', async () => {
    await federation.playRound();
    const withdrawn = someTrainingPatient();
    const members = subjectsOf(cohorts()[0]?.members);
    await client().consent.withdraw({ subjectId: withdrawn, researchStudyId });
    await federation.playRound();
    const [first, second] = cohorts();
    expect([first?.round, second?.round]).toEqual([1, 2]);
    const others = members.filter((subjectId) => subjectId !== withdrawn);
    expect(members).toHaveLength(others.length + 1);
    expect([subjectsOf(first?.members), subjectsOf(second?.members)]).toEqual([others, others]);
  });

  it('stops an update that was approved with their record: nothing leaves, and the refusal is logged', async () => {
    await federation.openRound();
    const { summary } = await federation.prepareUpdate(asked);
    const withdrawn = someTrainingPatient();
    await client().consent.withdraw({ subjectId: withdrawn, researchStudyId });
    const { sent, bytesSent } = await client().sync();
    expect(sent).toEqual([
      { updateId: summary.updateId, outcome: 'refused', code: 'CONSENT_CHANGED', bytes: 0 },
    ]);
    expect(bytesSent.update ?? 0).toBe(0);
    expect(await client().round.current({ researchStudyId })).toMatchObject({ round: 3, state: 'blocked' });
    const query = { search: '', action: 'update-blocked', offset: 0, limit: 10 };
    expect((await client().audit.list(query)).entries).toMatchObject([
      { outcome: 'refused', reason: 'CONSENT_CHANGED', object: `update:${summary.updateId}`, round: 3 },
    ]);
    const outbox = readSiteStore(federation.site(asked), (store) =>
      store.all(store.query.selectFrom('outbox').select('update_id')),
    );
    expect(outbox.map(({ update_id }) => update_id)).not.toContain(summary.updateId);
    const { rounds } = await federation.status();
    expect(rounds.at(-1)).toMatchObject({ round: 3, state: 'open', received: [] });
  });

  it('leaves the others a round: run again without the record, it goes through', async () => {
    const blocked = cohorts().at(-1);
    await Promise.all(siteIds.map(federation.prepareUpdate));
    const again = cohorts().at(-1);
    expect(again?.round).toBe(3);
    expect(again?.members).toEqual(blocked?.members);
    await federation.finishRound();
    await federation.playRound();
    const { rounds } = await federation.status();
    expect(rounds.map(({ round, attempt, state }) => `${round}.${attempt} ${state}`)).toEqual([
      '1.1 closed',
      '2.1 closed',
      '3.1 closed',
      '4.1 closed',
    ]);
    expect((await verifyLogs(federation.current(), federation.processes)).verified).toBe(true);
  });
});
