// The plan's remedy after a withdrawal (security.md C11), seen from the consortium: it learns rounds, takes models back and runs the rounds
// again, and what was published can still be made again.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isoTime } from '#base/clock.ts';
import type { ResearchStudyStatus } from '#consortium/consortium.ts';
import { parseEnvelope } from '#federation/records/envelope.ts';
import { encodeStatement, signStatement } from '#federation/records/record.ts';
import { remedyRecord } from '#federation/records/remedy.ts';
import { answerTo, type RemedyAnswer, remedyAnswerRecord } from '#federation/records/remedy-answer.ts';
import { type RemedyRequest, remedyRequestRecord } from '#federation/records/remedy-request.ts';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import { parseStatement } from '#federation/records/statement.ts';
import type { WithdrawalRemedy } from '#federation/records/withdrawal-remedy.ts';
import {
  buildUpdate,
  type ConsortiumWorld,
  enrol,
  fetchOpening,
  openWorld,
  type SiteKeys,
  sendUpdate,
} from '#support/consortium-world.ts';
import { samplePlan } from '#support/sample-plan.ts';

const { researchStudyId } = samplePlan;
let world: ConsortiumWorld;
let sites: SiteKeys[];

beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

const rounds: ResearchStudyPlan['rounds'] = ['statistics', 'training', 'training', 'training', 'evaluation'];

async function begin(remedy: WithdrawalRemedy, siteIds = ['cleveland', 'hungary']): Promise<void> {
  sites = await enrolAll(world, siteIds);
  const participants = siteIds.map((siteId) => ({ siteId, name: siteId }));
  await world.consortium.operations.publishPlan({
    plan: { ...samplePlan, participants, rounds, withdrawal: { remedy } },
  });
}

async function enrolAll(to: ConsortiumWorld, siteIds: readonly string[]): Promise<SiteKeys[]> {
  const enrolled: SiteKeys[] = [];
  for (const siteId of siteIds) enrolled.push(await enrol(to, siteId));
  return enrolled;
}

async function study(of = world): Promise<ResearchStudyStatus> {
  const [found] = (await of.consortium.operations.status({})).researchStudies;
  if (found === undefined) throw new Error('no research study');
  return found;
}

const openRound = (of = world) => of.consortium.operations.openRound({ researchStudyId });
const carryOut = () => world.consortium.operations.carryOutRemedy({ researchStudyId });

async function send(site: SiteKeys, exampleCount: number, to = world) {
  const received = (await study(to)).rounds.flatMap((round) => round.received);
  const prevUpdateDigest = lastSent.get(site.siteId) ?? null;
  if (received.length === 0) lastSent.clear();
  const built = await buildUpdate(to, site, await fetchOpening(to, site), {
    exampleCount,
    prevUpdateDigest: received.length === 0 ? null : prevUpdateDigest,
  });
  const answer = await sendUpdate(to, site, built);
  if (answer.code === undefined) lastSent.set(site.siteId, built.updateDigest);
  return answer;
}
/** By site: the update that the next one names. */
const lastSent = new Map<string, string>();

/** @param exampleCount of the first site; the next one has three more */
async function playRound(exampleCount: number, to = world, by = sites): Promise<void> {
  await openRound(to);
  for (const [index, site] of by.entries())
    expect((await send(site, exampleCount + 3 * index, to)).code).toBeUndefined();
}

const planDigest = async () => (await study()).planDigest;

async function ask(site: SiteKeys, claims: Partial<RemedyRequest> = {}, signer = site.signing) {
  const predicate: RemedyRequest = {
    researchStudyId,
    siteId: site.siteId,
    planDigest: await planDigest(),
    remedy: 'rebuild-model',
    fromRound: 2,
    toRound: 2,
    requestedAt: isoTime(world.clock.nowMs()),
    ...claims,
  };
  const body = signStatement(encodeStatement(remedyRequestRecord, { predicate }), [signer]);
  return world.send(site, 'remedyRequest', { body });
}

const first = () => sites[0] ?? never();
const never = (): never => {
  throw new Error('no site');
};
const inForce = async () =>
  (await study()).models.filter((model) => model.isInForce).map(({ round }) => round);

describe('a model that is rebuilt', () => {
  it('goes back to the one before the first such round, and becomes what it had been without that round', async () => {
    await begin('rebuild-model');
    await playRound(10);
    await playRound(10);
    const before = await study();
    expect((await ask(first())).status).toBe(204);
    await expect(openRound()).rejects.toMatchObject({ code: 'REMEDY_PENDING' });
    expect(await carryOut()).toMatchObject({
      number: 1,
      kind: 'rebuild-model',
      fromRound: 2,
      requestCount: 1,
    });
    expect(await inForce()).toEqual([0, 1]);
    const opened = await openRound();
    expect(opened).toMatchObject({ round: 2, attempt: 2, baseModelDigest: before.models[1]?.modelDigest });
    for (const [index, site] of sites.entries())
      expect((await send(site, 90 + 3 * index)).code).toBeUndefined();
    await playRound(12);
    const { models, rounds } = await study();
    expect(models.map(({ round, isInForce }) => [round, isInForce])).toEqual([
      [0, true],
      [1, true],
      [2, false],
      [2, true],
      [3, true],
    ]);
    expect(rounds.map(({ round, attempt, state }) => `${round}.${attempt} ${state}`)).toEqual([
      '1.1 closed',
      '2.1 closed',
      '2.2 closed',
      '3.1 closed',
    ]);
    // Every model, taken back or not, can be made again.
    const audit = await world.consortium.operations.verifyAudit({});
    expect([audit.verified, audit.models.length]).toEqual([true, 5]);
    // A federation in which that round never was has the same models.
    const other = await openWorld();
    const others = await enrolAll(other, ['cleveland', 'hungary']);
    await other.consortium.operations.publishPlan({ plan: samplePlan });
    await playRound(10, other, others);
    await playRound(90, other, others);
    expect((await study(other)).models.at(-1)?.modelDigest).toBe(models[3]?.modelDigest);
    expect(models[3]?.modelDigest).not.toBe(models[2]?.modelDigest);
    await other.close();
  });

  it('ends an open round: what it received is not counted, and what comes late is refused', async () => {
    await begin('rebuild-model');
    await playRound(10);
    await openRound();
    await send(first(), 10);
    const late = sites[1] ?? never();
    const file = await buildUpdate(world, late, await fetchOpening(world, late), {
      prevUpdateDigest: lastSent.get(late.siteId) ?? null,
    });
    expect((await ask(first())).status).toBe(204);
    expect(await carryOut()).toMatchObject({ fromRound: 2 });
    expect((await sendUpdate(world, late, file)).code).toBe('STALE_ROUND');
    await openRound();
    expect((await sendUpdate(world, late, file)).code).toBe('STALE_ROUND');
    for (const site of sites) expect((await send(site, 12)).code).toBeUndefined();
    expect((await study()).models.at(-1)?.included.map(({ exampleCount }) => exampleCount)).toEqual([12, 12]);
  });

  it('goes back for all that wait at once, to the first of their rounds', async () => {
    await begin('rebuild-model', ['cleveland', 'hungary', 'switzerland']);
    for (let round = 1; round <= 3; round += 1) await playRound(10);
    for (const [index, site] of sites.slice(0, 2).entries())
      expect((await ask(site, { fromRound: 3 - index, toRound: 3 })).status).toBe(204);
    expect(await carryOut()).toMatchObject({ fromRound: 2, requestCount: 2 });
    expect(await inForce()).toEqual([0, 1]);
    await expect(carryOut()).rejects.toMatchObject({ code: 'NO_REMEDY_PENDING' });
    // Asked after it was taken back already: nothing is left to do, and the open round goes on.
    await openRound();
    expect((await ask(sites[2] ?? never(), { fromRound: 3, toRound: 3 })).status).toBe(204);
    expect(await carryOut()).toMatchObject({ number: 1, fromRound: null });
    const open = (await study()).rounds.filter((round) => round.state === 'open');
    expect(open).toMatchObject([{ round: 2, attempt: 2 }]);
  });
});

describe('the other remedies', () => {
  it('a site that leaves is in no later round, and others go on', async () => {
    await begin('leave-study', ['cleveland', 'hungary', 'switzerland']);
    await playRound(10);
    await playRound(10);
    expect((await ask(first(), { remedy: 'leave-study' })).status).toBe(204);
    expect((await openRound()).participants).toEqual(['hungary', 'switzerland']);
    await expect(carryOut()).rejects.toMatchObject({ code: 'NO_REMEDY_PENDING' });
  });

  it('the last two sites: one of them alone would hand its update to the other', async () => {
    await begin('leave-study');
    await playRound(10);
    await playRound(10);
    await ask(first(), { remedy: 'leave-study' });
    await expect(openRound()).rejects.toMatchObject({ code: 'TOO_FEW_PARTICIPANTS' });
  });

  it('a model that is retired has no further round', async () => {
    await begin('retire-model');
    await playRound(10);
    await playRound(10);
    await ask(first(), { remedy: 'retire-model' });
    expect(await carryOut()).toMatchObject({ kind: 'retire-model', fromRound: 2 });
    await expect(openRound()).rejects.toMatchObject({ code: 'RESEARCH_STUDY_RETIRED' });
    expect(await inForce()).toEqual([0, 1]);
  });
});

describe('a request', () => {
  beforeEach(async () => {
    await begin('rebuild-model');
    await playRound(10);
    await playRound(10);
  });

  const requests = async () => (await study()).remedyRequests;

  it('counts once, however often it is sent', async () => {
    await ask(first());
    await ask(first());
    expect(await requests()).toMatchObject([
      { siteId: 'cleveland', fromRound: 2, toRound: 2, carriedOutAt: null },
    ]);
    await carryOut();
    await ask(first());
    expect((await requests()).map(({ carriedOutAt }) => carriedOutAt === null)).toEqual([false]);
  });

  it.each<[string, Partial<RemedyRequest>, string]>([
    ['a remedy that the plan does not promise', { remedy: 'retire-model' }, 'OUT_OF_POLICY'],
    ['a plan that was not published', { planDigest: 'a'.repeat(64) }, 'WRONG_PLAN'],
    ['rounds that the plan does not have', { toRound: 6 }, 'OUT_OF_POLICY'],
    ['rounds that never were', { toRound: 4 }, 'OUT_OF_POLICY'],
    ['statistics, which run again would tell by subtraction', { fromRound: 1 }, 'OUT_OF_POLICY'],
    ['a round that teaches nothing', { fromRound: 5, toRound: 5 }, 'OUT_OF_POLICY'],
    ['another site', { siteId: 'hungary' }, 'KEY_NOT_TRUSTED'],
    ['no research study of ours', { researchStudyId: 'another' }, 'WRONG_PLAN'],
  ])('is refused for %s', async (_name, claims, code) => {
    expect((await ask(first(), claims)).code).toBe(code);
    expect(await requests()).toEqual([]);
  });

  it('is refused for rounds that hold no update of the site', async () => {
    await world.close();
    world = await openWorld();
    await begin('rebuild-model');
    await playRound(10);
    await openRound();
    await send(first(), 10);
    expect((await ask(sites[1] ?? never())).code).toBe('OUT_OF_POLICY');
    expect((await ask(first())).status).toBe(204);
  });

  it('is refused from a site that takes no part', async () => {
    const stranger = await enrol(world, 'stranger');
    expect((await ask(stranger)).code).toBe('NOT_A_PARTICIPANT');
  });

  it('is refused where somebody else signed it', async () => {
    expect((await ask(first(), {}, first().steward)).code).toBe('KEY_NOT_TRUSTED');
  });
});

describe('an answer', () => {
  const digests = async () => (await study()).remedyRequests.map(({ requestDigest }) => requestDigest);
  const dismiss = (requestDigest: string) =>
    world.consortium.operations.dismissRemedy({
      researchStudyId,
      requestDigest,
      reason: 'Asked by mistake.',
    });
  const fetchAnswer = (site: SiteKeys, requestDigest: string) =>
    world.send(site, 'remedyAnswer', { parameters: { requestDigest } });
  async function readAnswer(site: SiteKeys, requestDigest: string): Promise<RemedyAnswer> {
    const { body } = await fetchAnswer(site, requestDigest);
    return parseStatement(remedyAnswerRecord, parseEnvelope(body).payload).predicate;
  }

  it('that dismisses a request is for its site, and rounds go on', async () => {
    await begin('rebuild-model');
    await playRound(10);
    await playRound(10);
    await ask(first());
    const [digest = ''] = await digests();
    expect((await fetchAnswer(first(), digest)).status).toBe(204);
    expect(await dismiss(digest)).toMatchObject({ siteId: 'cleveland', requestDigest: digest });
    expect(await readAnswer(first(), digest)).toMatchObject({
      ...{ siteId: 'cleveland', requestDigest: digest },
      ...{ outcome: 'dismissed', reason: 'Asked by mistake.' },
    });
    expect((await fetchAnswer(sites[1] ?? never(), digest)).code).toBe('NOT_FOUND');
    await expect(dismiss(digest)).rejects.toMatchObject({ code: 'REMEDY_REQUEST_UNKNOWN' });
    await expect(carryOut()).rejects.toMatchObject({ code: 'NO_REMEDY_PENDING' });
    expect(await inForce()).toEqual([0, 1, 2]);
    expect(await openRound()).toMatchObject({ round: 3 });
    expect((await world.consortium.operations.verifyAudit({})).verified).toBe(true);
  });

  it('lets a site find its request in the remedy, and nobody another one or how many there were', async () => {
    await begin('rebuild-model', ['cleveland', 'hungary', 'switzerland']);
    await playRound(10);
    await playRound(10);
    for (const site of sites.slice(0, 2)) await ask(site);
    const asked = await digests();
    await carryOut();
    const { body } = await world.send(sites[2] ?? never(), 'remedy', {
      parameters: { researchStudyId, remedy: 1 },
    });
    const { answers } = parseStatement(remedyRecord, parseEnvelope(body).payload).predicate;
    expect(answers).toHaveLength(16);
    expect(answers).toEqual(answers.toSorted());
    expect(answers.filter((one) => asked.includes(one))).toEqual([]);
    for (const site of sites.slice(0, 2)) {
      const own = await Promise.all(asked.map((digest) => fetchAnswer(site, digest)));
      expect(own.filter(({ status }) => status === 200)).toHaveLength(1);
      const digest = asked.find((_, at) => own[at]?.status === 200) ?? '';
      const answer = await readAnswer(site, digest);
      if (answer.outcome !== 'carried-out') throw new Error('carried out');
      expect(answer.remedy).toBe(1);
      expect(answers).toContain(answerTo(digest, answer.nonce ?? ''));
      expect(answers).not.toContain(
        answerTo(asked.find((other) => other !== digest) ?? '', answer.nonce ?? ''),
      );
    }
  });

  it('comes at once to a site that leaves', async () => {
    await begin('leave-study', ['cleveland', 'hungary', 'switzerland']);
    await playRound(10);
    await playRound(10);
    await ask(first(), { remedy: 'leave-study' });
    const [digest = ''] = await digests();
    expect(await readAnswer(first(), digest)).toMatchObject({
      outcome: 'carried-out',
      remedy: null,
      nonce: null,
    });
    await expect(dismiss(digest)).rejects.toMatchObject({ code: 'REMEDY_REQUEST_UNKNOWN' });
  });
});
