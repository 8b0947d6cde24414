// The global model is the same, byte for byte, in whatever order the sites' updates come; and a site believes its own digest only.
import { afterAll, describe, expect, it } from 'vitest';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { parseEnvelope } from '#federation/records/envelope.ts';
import { globalModelRecord } from '#federation/records/global-model.ts';
import { parseStatement } from '#federation/records/statement.ts';
import {
  type BuiltUpdate,
  buildUpdate,
  type ConsortiumWorld,
  enrol,
  fetchOpening,
  openWorld,
  payloadOf,
  type SiteKeys,
  sendUpdate,
} from '#support/consortium-world.ts';
import { samplePlan } from '#support/sample-plan.ts';
import { createSyncingSite, publish, statisticsModel, statisticsTensors } from '#support/syncing-site.ts';

const siteIds = ['cleveland', 'hungary', 'long-beach', 'switzerland'];
const plan = {
  ...samplePlan,
  participants: siteIds.map((siteId) => ({ siteId, name: siteId })),
  rounds: ['statistics', 'training', 'training', 'evaluation'] as const,
};
const { researchStudyId } = plan;
/** Made once and sent to every consortium: the first one's openings name exactly what the others' do. */
const sealed = new Map<string, BuiltUpdate>();
const worlds: ConsortiumWorld[] = [];
afterAll(async () => {
  for (const world of worlds) await world.close();
});

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, index) =>
    permutations(items.filter((_, other) => other !== index)).map((rest) => [item, ...rest]),
  );
}

interface PublishedRound {
  readonly modelDigest: string;
  readonly tensors: Uint8Array;
  readonly included: readonly unknown[];
}

/** Plays the research study in a consortium of its own; the updates of each round come in this order. */
async function play(order: readonly string[]): Promise<PublishedRound[]> {
  const world = await openWorld();
  worlds.push(world);
  const sites = new Map<string, SiteKeys>();
  for (const siteId of siteIds) sites.set(siteId, await enrol(world, siteId));
  await world.consortium.operations.publishPlan({ plan });
  const published: PublishedRound[] = [];
  for (let round = 1; round <= plan.rounds.length; round += 1) {
    await world.consortium.operations.openRound({ researchStudyId });
    for (const siteId of order) {
      const site = sites.get(siteId);
      if (site === undefined) throw new Error('no such site');
      const update = await sealedUpdate(world, site, round);
      const { status, code } = await sendUpdate(world, site, update);
      expect([status, code]).toEqual([200, undefined]);
    }
    published.push(await fetchModel(world, [...sites.values()][0], round));
  }
  return published;
}

async function sealedUpdate(world: ConsortiumWorld, site: SiteKeys, round: number): Promise<BuiltUpdate> {
  const known = sealed.get(`${site.siteId} ${round}`);
  if (known !== undefined) return known;
  const opening = await fetchOpening(world, site);
  const index = siteIds.indexOf(site.siteId);
  // Weights that do not add up without rounding: float32 sums in another order would differ in their last bits.
  const exampleCount = 11 + 13 * index;
  const payload =
    opening.kind === 'training'
      ? new Map([
          ['weights/bias', { shape: [1], data: Float32Array.of(0.1 * 3 ** index) }],
          ['weights/kernel', { shape: [2, 1], data: Float32Array.of(1e-7 * 7 ** index, -1 / (3 + index)) }],
        ])
      : payloadOf(opening.kind, exampleCount, site.siteId);
  const prevUpdateDigest = sealed.get(`${site.siteId} ${round - 1}`)?.updateDigest ?? null;
  const update = await buildUpdate(world, site, opening, { exampleCount, payload, prevUpdateDigest });
  sealed.set(`${site.siteId} ${round}`, update);
  return update;
}

async function fetchModel(
  world: ConsortiumWorld,
  site: SiteKeys | undefined,
  round: number,
): Promise<PublishedRound> {
  if (site === undefined) throw new Error('no site');
  const parameters = { researchStudyId, round: String(round) };
  const model = await world.send(site, 'model', { parameters });
  const { body: tensors } = await world.send(site, 'modelTensors', { parameters });
  const { included } = parseStatement(globalModelRecord, parseEnvelope(model.body).payload).predicate;
  return { modelDigest: sha256Hex(tensors), tensors, included };
}

describe('the same sealed updates', () => {
  it('make the same bytes of every global model in each of their 24 orders', async () => {
    const reference = await play(siteIds);
    expect(reference.map(({ included }) => included.length)).toEqual([4, 4, 4, 4]);
    for (const order of permutations(siteIds)) {
      const played = await play(order);
      expect(played, order.join(', ')).toEqual(reference);
    }
    // The evaluation alone leaves the model as it was.
    expect(new Set(reference.map(({ modelDigest }) => modelDigest)).size).toBe(reference.length - 1);
  });
});

describe('a site', () => {
  it('refuses tensors that do not give the digest that was signed, and takes the true ones', async () => {
    const site = createSyncingSite();
    await site.sync();
    const included = [{ siteId: 'hungary', updateDigest: 'b'.repeat(64), exampleCount: 60, weight: 1 }];
    const held = publish(site, statisticsTensors, { ...statisticsModel('a'.repeat(64)), included });
    // One bit of one number is another on the way.
    const altered = held.tensors.slice();
    altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1;
    site.transport.state.models[1] = { ...held, tensors: altered };
    await expect(site.sync()).rejects.toMatchObject({ code: 'WRONG_MODEL_DIGEST' });
    const stored = () => site.store.all(site.store.query.selectFrom('global_model').select('round'));
    expect(stored()).toEqual([{ round: 0 }]);
    site.transport.state.models[1] = held;
    await site.sync();
    expect(stored()).toEqual([{ round: 0 }, { round: 1 }]);
    site.close();
  });
});
