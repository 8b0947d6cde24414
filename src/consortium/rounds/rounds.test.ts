import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toHex, utf8 } from '#base/bytes.ts';
import { openTrustRegister } from '#consortium/enrolment/index.ts';
import { receiveUpdate } from '#consortium/intake/index.ts';
import {
  createConsortiumSigners,
  type Foundation,
  openConsortiumLog,
  openConsortiumStore,
} from '#consortium/store/index.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { verifyLeafProof } from '#federation/log/leaf-proof.ts';
import { parseEnvelope } from '#federation/records/envelope.ts';
import {
  consortiumLogOrigin,
  MODEL_PUBLISHED_ACTION,
  publishedModelObject,
} from '#federation/records/published-model.ts';
import { parseSafetensors } from '#federation/tensors/safetensors.ts';
import {
  beginSampleStudy,
  buildUpdate,
  type ConsortiumWorld,
  createTestClock,
  enrol,
  fetchOpening,
  openWorld,
  type SiteKeys,
  sendUpdate,
} from '#support/consortium-world.ts';
import { samplePlan } from '#support/sample-plan.ts';
import { closeCompleteRound } from './close-round.ts';

const { researchStudyId } = samplePlan;
const dayMs = 24 * 60 * 60 * 1000;

let folder: string;
let storeFile: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'consilium-rounds-'));
  storeFile = join(folder, 'consortium.db');
});

afterEach(() => rmSync(folder, { recursive: true }));

async function statusOf(world: ConsortiumWorld) {
  const [researchStudy] = (await world.consortium.operations.status({})).researchStudies;
  if (researchStudy === undefined) throw new Error('no research study');
  return researchStudy;
}

async function lastDigest(world: ConsortiumWorld, siteId: string): Promise<string | null> {
  const all = (await statusOf(world)).rounds.flatMap((round) => round.received);
  return all.filter((update) => update.siteId === siteId).at(-1)?.updateDigest ?? null;
}

/** The update that a site would send now. */
async function nextUpdate(world: ConsortiumWorld, site: SiteKeys, exampleCount = 10) {
  const prevUpdateDigest = await lastDigest(world, site.siteId);
  return buildUpdate(world, site, await fetchOpening(world, site), { exampleCount, prevUpdateDigest });
}

async function runRound(world: ConsortiumWorld, sites: readonly SiteKeys[]): Promise<void> {
  await world.consortium.operations.openRound({ researchStudyId });
  for (const site of sites) {
    const answer = await sendUpdate(world, site, await nextUpdate(world, site, 10 + site.siteId.length));
    expect(answer.code).toBeUndefined();
  }
}

/** The stages over the same store, as a process would have them that dies before it gets to the next step. */
function openStages(world: ConsortiumWorld): Foundation {
  const store = openConsortiumStore({ file: storeFile, key: world.keys.storeKey, clock: world.clock });
  const signers = createConsortiumSigners(world.keys);
  const origin = consortiumLogOrigin(signers.root.keyId);
  const log = openConsortiumLog({
    store,
    signer: signers.log,
    origin,
    bootId: toHex(utf8('other')),
    softwareVersion: 'test',
  });
  return { store, signers, log };
}

describe('the rounds of a plan', () => {
  it('close by themselves, one after the other, until the plan is done', async () => {
    const world = await openWorld();
    const { cleveland, hungary } = await beginSampleStudy(world);
    for (const _round of samplePlan.rounds) await runRound(world, [cleveland, hungary]);
    const { models, rounds } = await statusOf(world);
    expect(rounds.map(({ kind, state }) => [kind, state])).toEqual([
      ['statistics', 'closed'],
      ['training', 'closed'],
      ['evaluation', 'closed'],
    ]);
    expect(models.map(({ kind }) => kind)).toEqual(['initial', 'statistics', 'training', 'evaluation']);
    expect(models[3]?.modelDigest).toBe(models[2]?.modelDigest);
    expect(models[3]?.evaluation?.map(({ siteId }) => siteId)).toEqual(['cleveland', 'hungary']);
    expect(models[2]?.included.map(({ weight }) => weight)).toEqual([19 / 36, 17 / 36]);
    await expect(world.consortium.operations.openRound({ researchStudyId })).rejects.toMatchObject({
      code: 'ROUNDS_DONE',
    });
    const audit = await world.consortium.operations.verifyAudit({});
    expect([audit.verified, audit.models.length]).toEqual([true, 4]);
    await world.close();
  });

  it('give the same models whatever the order of arrival', async () => {
    const sites = ['cleveland', 'hungary', 'switzerland', 'long-beach'];
    const participants = sites.map((siteId) => ({ siteId, name: siteId }));
    const digests = new Set<string>();
    for (const order of [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [2, 0, 3, 1],
    ]) {
      const world = await openWorld();
      const keys: SiteKeys[] = [];
      for (const siteId of sites) keys.push(await enrol(world, siteId));
      await world.consortium.operations.publishPlan({ plan: { ...samplePlan, participants } });
      const arriving = order.flatMap((index) => keys[index] ?? []);
      for (const _round of samplePlan.rounds) await runRound(world, arriving);
      digests.add((await statusOf(world)).models.map(({ modelDigest }) => modelDigest).join(' '));
      await world.close();
    }
    expect(digests.size).toBe(1);
  });

  it('publish what a site can verify: tensors by digest, log proof, consistency', async () => {
    const world = await openWorld();
    const { cleveland, hungary } = await beginSampleStudy(world);
    await runRound(world, [cleveland, hungary]);
    const place = { parameters: { researchStudyId, round: 1 } };
    const tensors = await world.send(cleveland, 'modelTensors', place);
    const parsed = parseSafetensors(tensors.body, { maxBytes: 10_000 });
    expect([...parsed.keys()]).toEqual([
      'normalisation/mean',
      'normalisation/scale',
      'weights/bias',
      'weights/kernel',
    ]);
    const { body: envelope } = await world.send(cleveland, 'model', place);
    const proof = await world.send(cleveland, 'modelProof', place);
    const signers = createConsortiumSigners(world.keys);
    const key = { name: consortiumLogOrigin(signers.root.keyId), publicKey: signers.log.publicKey };
    const { leaf, checkpoint } = verifyLeafProof(JSON.parse(new TextDecoder().decode(proof.body)), key);
    expect(leaf).toMatchObject({
      action: MODEL_PUBLISHED_ACTION,
      object: publishedModelObject({
        modelDigest: sha256Hex(tensors.body),
        statementDigest: sha256Hex(parseEnvelope(envelope).payload),
      }),
      round: 1,
    });
    const consistency = { parameters: { oldSize: 3, size: checkpoint.size } };
    expect((await world.send(cleveland, 'logConsistency', consistency)).status).toBe(200);
    const beyond = { parameters: { oldSize: 3, size: checkpoint.size + 1000 } };
    expect((await world.send(cleveland, 'logConsistency', beyond)).code).toBe('NOT_FOUND');
    await world.close();
  });
});

describe('opening a round', () => {
  it('names the participants that are not enrolled', async () => {
    const world = await openWorld();
    await enrol(world, 'cleveland');
    await world.consortium.operations.publishPlan({ plan: samplePlan });
    const refused = world.consortium.operations.openRound({ researchStudyId });
    await expect(refused).rejects.toMatchObject({
      code: 'PARTICIPANT_NOT_ENROLLED',
      details: { missing: ['hungary'] },
    });
    await world.close();
  });

  it('is refused while one is open, and opens the next attempt after its time', async () => {
    const world = await openWorld();
    const { cleveland, hungary } = await beginSampleStudy(world);
    await world.consortium.operations.openRound({ researchStudyId, days: 1 });
    const built = await nextUpdate(world, cleveland);
    await sendUpdate(world, cleveland, built);
    await expect(world.consortium.operations.openRound({ researchStudyId })).rejects.toMatchObject({
      code: 'ROUND_ALREADY_OPEN',
    });
    world.clock.advance(dayMs);
    expect(await world.consortium.operations.openRound({ researchStudyId })).toMatchObject({
      round: 1,
      attempt: 2,
    });
    for (const site of [hungary, cleveland]) {
      expect((await sendUpdate(world, site, await nextUpdate(world, site))).code).toBeUndefined();
    }
    const { rounds, models } = await statusOf(world);
    expect(rounds.map(({ attempt, state }) => [attempt, state])).toEqual([
      [1, 'abandoned'],
      [2, 'closed'],
    ]);
    expect(models.at(-1)?.included.map(({ updateDigest }) => updateDigest)).not.toContain(built.updateDigest);
    expect((await world.consortium.operations.verifyAudit({})).verified).toBe(true);
    await world.close();
  });

  it('is refused for a research study without a plan', async () => {
    const world = await openWorld();
    await expect(world.consortium.operations.openRound({ researchStudyId })).rejects.toMatchObject({
      code: 'RESEARCH_STUDY_UNKNOWN',
    });
    await expect(world.consortium.operations.closeRound({ researchStudyId })).rejects.toMatchObject({
      code: 'NO_ROUND_OPEN',
    });
    await world.close();
  });
});

describe('closing a round early', () => {
  it("is refused with one site's update, which the model would show to all others", async () => {
    const world = await openWorld();
    const { cleveland } = await beginSampleStudy(world);
    await world.consortium.operations.openRound({ researchStudyId });
    await sendUpdate(world, cleveland, await nextUpdate(world, cleveland));
    const refused = world.consortium.operations.closeRound({ researchStudyId });
    await expect(refused).rejects.toMatchObject({
      code: 'TOO_FEW_UPDATES',
      details: { expected: 2, found: 1 },
    });
    await world.close();
  });

  it('aggregates what is there', async () => {
    const world = await openWorld();
    const sites = ['cleveland', 'hungary', 'switzerland'];
    const keys: SiteKeys[] = [];
    for (const siteId of sites) keys.push(await enrol(world, siteId));
    const participants = sites.map((siteId) => ({ siteId, name: siteId }));
    await world.consortium.operations.publishPlan({ plan: { ...samplePlan, participants } });
    await world.consortium.operations.openRound({ researchStudyId });
    for (const site of keys.slice(1)) await sendUpdate(world, site, await nextUpdate(world, site));
    const closed = await world.consortium.operations.closeRound({ researchStudyId });
    expect(closed.included).toEqual(['hungary', 'switzerland']);
    await world.close();
  });
});

describe('a consortium that was killed', () => {
  it('goes on from every step with the same models as one that was not', async () => {
    const digestsOf = async (isKilled: boolean): Promise<string[]> => {
      const file = `${storeFile}-${isKilled}`;
      const clock = createTestClock();
      let world = await openWorld({ storeFile: file, clock });
      // Without a close: what a killed process leaves is what SQLite has committed.
      const step = async (): Promise<void> => {
        if (isKilled) world = await openWorld({ storeFile: file, clock, isReopened: true });
      };
      const cleveland = await enrol(world, 'cleveland');
      await step();
      const hungary = await enrol(world, 'hungary');
      await step();
      await world.consortium.operations.publishPlan({ plan: samplePlan });
      await step();
      for (const _round of samplePlan.rounds) {
        await world.consortium.operations.openRound({ researchStudyId });
        await step();
        for (const site of [cleveland, hungary]) {
          const built = await nextUpdate(world, site);
          const first = await sendUpdate(world, site, built);
          await step();
          // The site did not get the answer and sends again.
          expect(await sendUpdate(world, site, built)).toEqual(first);
        }
      }
      const audit = await world.consortium.operations.verifyAudit({});
      expect(audit.verified).toBe(true);
      return (await statusOf(world)).models.map(({ modelDigest }) => modelDigest);
    };
    expect(await digestsOf(true)).toEqual(await digestsOf(false));
  });

  it('closes the complete round when it opens again: killed between the last update and the close', async () => {
    const world = await openWorld({ storeFile });
    const { cleveland, hungary } = await beginSampleStudy(world);
    await world.consortium.operations.openRound({ researchStudyId });
    await sendUpdate(world, cleveland, await nextUpdate(world, cleveland));
    const last = await nextUpdate(world, hungary);
    const stages = openStages(world);
    const trust = openTrustRegister(stages).current();
    await receiveUpdate(stages, trust, { siteId: 'hungary', bundleId: last.bundleId, file: last.file });
    expect((await statusOf(world)).rounds[0]?.state).toBe('open');
    await world.close();
    const again = await openWorld({ storeFile, clock: world.clock, isReopened: true });
    expect((await statusOf(again)).rounds[0]?.state).toBe('closed');
    expect((await again.consortium.operations.verifyAudit({})).verified).toBe(true);
    await again.close();
    stages.store.close();
  });

  it('leaves nothing of a close that did not come to its end', async () => {
    const world = await openWorld({ storeFile });
    const { cleveland, hungary } = await beginSampleStudy(world);
    await world.consortium.operations.openRound({ researchStudyId });
    await sendUpdate(world, cleveland, await nextUpdate(world, cleveland));
    const last = await nextUpdate(world, hungary);
    const stages = openStages(world);
    const trust = openTrustRegister(stages).current();
    await receiveUpdate(stages, trust, { siteId: 'hungary', bundleId: last.bundleId, file: last.file });
    let checkpointCount = 0;
    const dying: Foundation = {
      ...stages,
      log: {
        ...stages.log,
        checkpoint: () => {
          checkpointCount += 1;
          // After the model, the round's end and their log entries were written.
          if (checkpointCount === 2) throw new Error('killed');
          return stages.log.checkpoint();
        },
      },
    };
    expect(() => closeCompleteRound(dying, trust, researchStudyId)).toThrow('killed');
    const before = await statusOf(world);
    expect([before.models.length, before.rounds[0]?.state]).toEqual([1, 'open']);
    expect(closeCompleteRound(stages, trust, researchStudyId)?.included).toEqual(['cleveland', 'hungary']);
    expect((await world.consortium.operations.verifyAudit({})).verified).toBe(true);
    stages.store.close();
    await world.close();
  });
});

describe('audit verify', () => {
  it('finds a model, an update and a log entry that were changed in the database', async () => {
    const world = await openWorld({ storeFile });
    const { cleveland, hungary } = await beginSampleStudy(world);
    for (const _round of samplePlan.rounds) await runRound(world, [cleveland, hungary]);
    const { store } = openStages(world);
    const tamper = async (table: string, change: string): Promise<unknown> => {
      expect(() => store.prepare(`UPDATE ${table} SET ${change}`).run()).toThrow('APPEND_ONLY');
      const { sql } = store
        .prepare(`SELECT sql FROM sqlite_schema WHERE name = '${table}_no_update'`)
        .get() as { sql: string };
      store.prepare(`DROP TRIGGER ${table}_no_update`).run();
      const rows = store.prepare(`SELECT rowid AS id, * FROM ${table}`).all() as Record<string, unknown>[];
      store.prepare(`UPDATE ${table} SET ${change}`).run();
      const { verified, log, models } = await world.consortium.operations.verifyAudit({});
      const column = change.split(' ')[0] ?? '';
      for (const row of rows)
        store.prepare(`UPDATE ${table} SET ${column} = ? WHERE rowid = ?`).run(row[column], row.id);
      store.prepare(sql).run();
      return [
        verified,
        log.problem?.code ?? null,
        models.flatMap(({ round, problem }) => (problem === null ? [] : [`${round} ${problem}`])),
      ];
    };
    expect(await tamper('global_model', "tensors = x'00' WHERE round = 2")).toEqual([
      false,
      null,
      ['2 MODEL_DIFFERS', '3 BAD_TENSORS'],
    ]);
    expect(await tamper('received_update', 'example_count = 99 WHERE round = 2')).toEqual([
      false,
      null,
      ['2 UPDATE_CHANGED'],
    ]);
    expect(
      await tamper('received_update', "payload = x'00' WHERE round = 2 AND site_id = 'hungary'"),
    ).toEqual([false, null, ['2 UPDATE_CHANGED']]);
    expect(
      await tamper('received_update', "sealed_file = x'00' WHERE round = 1 AND site_id = 'hungary'"),
    ).toEqual([false, null, ['1 BAD_BUNDLE']]);
    expect(await tamper('log_leaf', `line = replace(line, '"operator"', '"someone"') WHERE seq = 0`)).toEqual(
      [false, 'LEAF_CHANGED', []],
    );
    expect((await world.consortium.operations.verifyAudit({})).verified).toBe(true);
    store.close();
    await world.close();
  });
});
