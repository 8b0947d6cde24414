// Rounds one after another at one site: drafts, what a difference of two would tell, and what cannot be run.
import { describe, expect, it } from 'vitest';
import type { RoundKind } from '#federation/records/round.ts';
import { parseSafetensors } from '#federation/tensors/safetensors.ts';
import { sealApprovedUpdate } from '#site/signing/index.ts';
import { listUpdates, UpdateError } from '#site/update/index.ts';
import { ada } from '#support/enrolled-site.ts';
import { createRoundSite, type RoundSite, researchStudyId } from '#support/round-site.ts';
import { actor, approve, cohortOf, run } from '#support/run-round.ts';
import {
  addConsent,
  addFact,
  addSubject,
  codes,
  type FrozenMember,
  frozenCohorts,
} from '#support/stored-subjects.ts';
import { loadBaseModel } from './base-model.ts';

describe('the drafts of one round', () => {
  it('are one at a time: a new run blocks the older draft', async () => {
    const site = createRoundSite();
    site.open('training');
    const first = await run(site);
    site.clock.advance(1000);
    const second = await run(site);
    expect(listUpdates(site.store).map(({ updateId, state }) => [updateId, state])).toEqual([
      [second.row.update_id, 'draft'],
      [first.row.update_id, 'blocked'],
    ]);
    expect(() => approve(site, first.row.update_id)).toThrow(
      expect.objectContaining({ code: 'ALREADY_DECIDED' }),
    );
    site.close();
  });

  it('may be made again after a refusal, and not after an approval', async () => {
    const site = createRoundSite();
    site.open('training');
    approve(site, (await run(site)).row.update_id, 'refuse');
    site.clock.advance(1000);
    approve(site, (await run(site)).row.update_id);
    await expect(run(site)).rejects.toMatchObject({ code: 'ROUND_ANSWERED' });
    site.close();
  });

  it('may be made again after a withdrawal blocked the approved one, without the patient (C9)', async () => {
    const site = createRoundSite();
    site.open('training');
    const { row } = await run(site);
    approve(site, row.update_id);
    const cohortId = cohortOf(site);
    site.consents.withdraw({ subjectId: 'train-3', researchStudyId: null }, ada);
    const sealing = { ...site, updateId: row.update_id, signer: site.people.siteSigner(), actor };
    await expect(
      sealApprovedUpdate({ ...sealing, reevaluateConsent: () => site.cohorts.recheck(cohortId) }),
    ).rejects.toMatchObject({
      code: 'CONSENT_CHANGED',
    });
    site.clock.advance(1000);
    const again = await run(site);
    expect(again.update.predicate.exampleCount).toBe(19);
    approve(site, again.row.update_id);
    const reevaluateConsent = () => site.cohorts.recheck(cohortOf(site));
    await sealApprovedUpdate({ ...sealing, updateId: again.row.update_id, reevaluateConsent });
    expect(listUpdates(site.store)[0]?.state).toBe('sealed');
    site.close();
  });

  it('continue the chain from the last update that the consortium holds', async () => {
    const site = createRoundSite();
    site.open('statistics');
    const first = await run(site);
    site.store.run(site.store.query.updateTable('model_update').set({ state: 'received' }));
    site.open('training');
    const second = await run(site);
    expect(second.update.predicate.prevUpdateDigest).toBe(first.row.update_id);
    expect(second.report.sinceLast).toBeNull();
    site.close();
  });
});

describe('two updates of nearly the same patients (C14)', () => {
  interface Sent {
    readonly state: 'blocked' | 'received' | 'sealed';
    readonly attempts?: number;
  }
  const send = ({ store }: RoundSite, updateId: string, { state, attempts = 1 }: Sent): void => {
    const row = { update_id: updateId, sealed_file: new Uint8Array(), sealed_at: '2026-11-21T08:00:00.000Z' };
    store.run(store.query.insertInto('outbox').values({ ...row, attempt_count: attempts }));
    store.run(store.query.updateTable('model_update').set({ state }).where('update_id', '=', updateId));
  };
  const withdraw = (site: RoundSite, part: 'test' | 'train', count: number): void => {
    for (let index = 0; index < count; index += 1)
      site.consents.withdraw({ subjectId: `${part}-${index}`, researchStudyId: null }, ada);
  };
  /** The code with which the second answer is refused, or `built`. */
  const answerTwice = async (kind: RoundKind, sent: Sent, change: (site: RoundSite) => void) => {
    const site = createRoundSite();
    site.open(kind);
    send(site, (await run(site)).row.update_id, sent);
    change(site);
    site.open(kind, 2);
    try {
      return (await run(site)).row.state === 'draft' ? 'built' : 'none';
    } catch (error) {
      if (!(error instanceof UpdateError)) throw error;
      expect(listUpdates(site.store).filter(({ state }) => state === 'draft')).toEqual([]);
      expect(site.events()).toContain(`update-build-refused refused ${error.code}`);
      if (error.code === 'COHORT_DIFFERENCE') expect(error.details).toMatchObject({ found: null });
      return error.code;
    } finally {
      site.close();
    }
  };

  it.each<[RoundKind, 'test' | 'train', number, string]>([
    ['statistics', 'train', 0, 'built'],
    ['statistics', 'train', 1, 'COHORT_DIFFERENCE'],
    ['statistics', 'train', 4, 'COHORT_DIFFERENCE'],
    ['statistics', 'train', 5, 'STATISTICS_DIFFERENCE'],
    ['statistics', 'test', 1, 'built'],
    ['evaluation', 'test', 1, 'COHORT_DIFFERENCE'],
    ['evaluation', 'test', 4, 'COHORT_DIFFERENCE'],
    ['evaluation', 'test', 5, 'built'],
    ['evaluation', 'train', 1, 'built'],
    ['training', 'train', 1, 'built'],
  ])('for %s: after the %s part lost %i the second is %s', async (kind, part, count, outcome) => {
    expect(await answerTwice(kind, { state: 'received' }, (site) => withdraw(site, part, count))).toBe(
      outcome,
    );
  });

  const addTen = (site: RoundSite): void => {
    for (let index = 0; index < 10; index += 1)
      addSubject(site.store, `new-${index}`, { part: 'train', consent: { researchStudyId: null } });
  };
  const correctOne = ({ store }: RoundSite): void =>
    addFact(store, 'train-0', { code: codes.cholesterol, number: 300, unit: 'mg/dL' });

  it.each<[string, (site: RoundSite) => void, string]>([
    ['nothing changed', () => {}, 'built'],
    ['ten came', addTen, 'STATISTICS_DIFFERENCE'],
    ['a value was corrected', correctOne, 'STATISTICS_DIFFERENCE'],
    ['one of the other part went', (site) => withdraw(site, 'test', 1), 'built'],
  ])('of statistics: after %s, whether the second leaves', async (_, change, outcome) => {
    expect(await answerTwice('statistics', { state: 'received' }, change)).toBe(outcome);
  });

  it('counts who came as well as who went', async () => {
    const change = (site: RoundSite): void => {
      withdraw(site, 'train', 2);
      for (const name of ['new-1', 'new-2'])
        addSubject(site.store, name, { part: 'train', consent: { researchStudyId: null } });
    };
    expect(await answerTwice('statistics', { state: 'received' }, change)).toBe('COHORT_DIFFERENCE');
  });

  /** Of these nothing is known any more but that they were members. */
  const erase = ({ store }: RoundSite, members: readonly FrozenMember[]): void => {
    for (const { pseudonym } of members)
      store.run(store.query.deleteFrom('cohort_member').where('pseudonym', '=', pseudonym));
    store.run(store.query.updateTable('cohort').set({ erased_holdout: members.length }));
  };

  it.each([
    ['went and were erased', 4, 0, 'COHORT_DIFFERENCE'],
    ['went and were erased, enough of them', 5, 0, 'built'],
    ['were erased, and may be those who came', 5, 4, 'COHORT_DIFFERENCE'],
    ['were erased, and may be some of many who came', 5, 10, 'built'],
    // Nobody differs, or ten do: between them lies what must not be told.
    ['were erased, and may be all who came', 5, 5, 'COHORT_DIFFERENCE'],
  ])('counts members that %s', async (_case, gone, come, outcome) => {
    const change = (site: RoundSite): void => {
      const members = frozenCohorts(site.store)[0]?.members ?? [];
      const tested = members.filter(({ part }) => part === 'holdout').slice(0, gone);
      for (const { subjectId } of tested) site.consents.withdraw({ subjectId, researchStudyId: null }, ada);
      erase(site, tested);
      for (let index = 0; index < come; index += 1)
        addSubject(site.store, `new-${index}`, { part: 'test', consent: { researchStudyId: null } });
    };
    expect(await answerTwice('evaluation', { state: 'received' }, change)).toBe(outcome);
  });

  it.each<[string, Sent, string]>([
    ['is sealed and waits', { state: 'sealed', attempts: 0 }, 'COHORT_DIFFERENCE'],
    ['was offered and given up: who has its bytes is not known', { state: 'blocked' }, 'COHORT_DIFFERENCE'],
    ['was blocked before it left', { state: 'blocked', attempts: 0 }, 'built'],
  ])('looks at an earlier one that %s', async (_case, sent, outcome) => {
    expect(await answerTwice('statistics', sent, (site) => withdraw(site, 'train', 1))).toBe(outcome);
  });
});

describe('a round that cannot be run', () => {
  it('says that none is open', async () => {
    const site = createRoundSite();
    await expect(run(site)).rejects.toMatchObject({ code: 'NO_OPEN_ROUND' });
    site.close();
  });

  it('says that its base model is missing, or is not the one that was verified', async () => {
    const site = createRoundSite();
    site.open('training');
    site.store.run(site.store.query.updateTable('global_model').set({ tensors: new Uint8Array(8) }));
    await expect(run(site)).rejects.toMatchObject({ code: 'BASE_MODEL_DAMAGED' });
    site.store.run(site.store.query.deleteFrom('global_model'));
    await expect(run(site)).rejects.toMatchObject({ code: 'BASE_MODEL_MISSING' });
    site.close();
  });

  it('says that the cohort is too small, and nothing is trained', async () => {
    const site = createRoundSite({
      plan: { minimumCohort: { training: 21, evaluation: 5, reason: 'a test' } },
    });
    site.open('training');
    await expect(run(site)).rejects.toMatchObject({
      code: 'COHORT_TOO_SMALL',
      details: { expected: 21, found: 20 },
    });
    expect(site.trainingHost.jobs).toEqual([]);
    site.close();
  });

  it('leaves a withdrawn patient out of the matrix from the next run on', async () => {
    const site = createRoundSite();
    site.open('training');
    addConsent(site.store, 'train-0', { consentId: 'no', decision: 'deny', researchStudyId });
    await run(site);
    expect(site.trainingHost.jobs[0]?.examples.count).toBe(19);
    site.close();
  });
});

describe('the optimizer between rounds', () => {
  const nextRound = async (change: (site: RoundSite) => void) => {
    const site = createRoundSite({ plan: { rounds: ['statistics', 'training', 'training'] } });
    site.open('training');
    await run(site);
    site.store.run(site.store.query.updateTable('model_update').set({ state: 'received' }));
    change(site);
    const base = loadBaseModel(site.store, {
      researchStudyId,
      baseModelDigest: site.agreement.openRound(researchStudyId)?.baseModelDigest ?? '',
    });
    site.store.run(site.store.query.updateTable('global_model').set({ round: 2 }));
    const claims = {
      planDigest: site.planDigest,
      baseModelDigest: base.modelDigest,
      round: 3,
      kind: 'training',
    } as const;
    site.agreement.acceptRound(site.consortium.round(claims).envelope, actor);
    await run(site);
    const job = site.trainingHost.jobs[1];
    site.close();
    return job !== undefined && 'optimizerState' in job ? job.optimizerState : undefined;
  };

  it('goes on where it was, byte by byte, while the cohort is the same', async () => {
    const state = await nextRound(() => {});
    expect(parseSafetensors(state ?? new Uint8Array(), { maxBytes: 1000 }).get('order/counts')?.data).toEqual(
      Float64Array.of(1),
    );
  });

  it('starts anew once a patient is gone', async () => {
    expect(
      await nextRound((site) => site.consents.withdraw({ subjectId: 'train-1', researchStudyId: null }, ada)),
    ).toBeNull();
  });
});
