// What an update has to say of differential privacy before it is counted.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stateCost } from '#federation/privacy/round-cost.ts';
import type { PrivacySpecification } from '#federation/records/privacy-plan.ts';
import type { PrivacyStatement } from '#federation/records/privacy-statement.ts';
import type { RoundOpening } from '#federation/records/round.ts';
import {
  beginSampleStudy,
  buildUpdate,
  type ConsortiumWorld,
  fetchOpening,
  openWorld,
  type SiteKeys,
  sendUpdate,
} from '#support/consortium-world.ts';
import { samplePlan } from '#support/sample-plan.ts';

const { researchStudyId, training } = samplePlan;
const privacy: PrivacySpecification = {
  mechanism: 'dp-sgd',
  unit: 'patient',
  adjacency: 'add-or-remove-one-patient',
  clippingNorm: 1,
  noiseMultiplier: 1.2,
  samplingRate: 0.1,
  delta: 1e-3,
  epsilonBudget: 8,
  accountant: 'rdp',
};
const plan = { training, privacy };
const cost = { noiseMultiplier: 1.2, samplingRate: 0.1, steps: training.localUpdates };
const statementAfter = (rounds: number): PrivacyStatement =>
  stateCost(plan, new Array(rounds).fill(cost)).statement;

let folder: string;
let world: ConsortiumWorld;
let cleveland: SiteKeys;
let hungary: SiteKeys;
let opening: RoundOpening;
const lastOf = new Map<string, string>();

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'consilium-privacy-'));
  world = await openWorld({ storeFile: join(folder, 'consortium.db') });
  const rounds: (typeof samplePlan)['rounds'] = ['statistics', 'training', 'training', 'evaluation'];
  ({ cleveland, hungary } = await beginSampleStudy(world, { privacy, rounds }));
  lastOf.clear();
  await openNext();
});

afterEach(async () => {
  await world.close();
  rmSync(folder, { recursive: true });
});

async function openNext(): Promise<void> {
  await world.consortium.operations.openRound({ researchStudyId });
  opening = await fetchOpening(world, cleveland);
}

async function send(site: SiteKeys, stated: PrivacyStatement | null, patientCount = 10) {
  const built = await buildUpdate(world, site, opening, {
    exampleCount: patientCount,
    prevUpdateDigest: lastOf.get(site.siteId) ?? null,
    update: { privacy: stated },
  });
  const { status, code } = await sendUpdate(world, site, built);
  if (status === 200) lastOf.set(site.siteId, built.updateDigest);
  return code ?? 'counted';
}

/** Every site's update is counted, and the next round is open. */
async function play(stated: PrivacyStatement | null): Promise<void> {
  for (const site of [cleveland, hungary]) expect(await send(site, stated)).toBe('counted');
  await openNext();
}

describe('an update under a plan with differential privacy', () => {
  it('says nothing of it in a statistics round', async () => {
    expect(await send(cleveland, statementAfter(0))).toBe('OUT_OF_POLICY');
    expect(await send(cleveland, null)).toBe('counted');
  });

  it('is counted in a training round with what that cost, and in the next with both', async () => {
    await play(null);
    await play(statementAfter(0));
    expect(await send(cleveland, statementAfter(1))).toBe('counted');
    // A site that ran a round twice has spent more than the consortium can know of.
    expect(await send(hungary, statementAfter(2))).toBe('counted');
  });

  it('of a site that forgot what it spent is refused', async () => {
    await play(null);
    await play(statementAfter(0));
    expect(await send(cleveland, statementAfter(0))).toBe('OUT_OF_POLICY');
  });

  it.each<[string, object]>([
    ['less noise', { noiseMultiplier: 1.1 }],
    ['larger lots', { samplingRate: 0.2 }],
    ['a longer norm', { clippingNorm: 2 }],
    ['fewer steps', { steps: 1 }],
    ['another delta', { delta: 1e-4 }],
    ['another accountant', { accountant: 'pld' }],
    ['more spent than there is', { epsilonTotal: 8.1 }],
    ['less spent than it costs', { epsilonTotal: 0.1 }],
  ])('is refused with %s', async (_case, change) => {
    await play(null);
    expect(await send(cleveland, { ...statementAfter(0), ...change })).toBe('OUT_OF_POLICY');
  });

  it('is refused without a word of it, and with a delta for fewer patients', async () => {
    await play(null);
    expect(await send(cleveland, null)).toBe('OUT_OF_POLICY');
    expect(await send(cleveland, statementAfter(0), 1_000)).toBe('OUT_OF_POLICY');
  });
});
