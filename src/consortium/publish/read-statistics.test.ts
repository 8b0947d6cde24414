import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { releaseStatistics } from '#federation/statistics/release-statistics.ts';
import { requireStatisticsLayout } from '#federation/statistics/statistics-layout.ts';
import { encodeStatistics } from '#federation/statistics/statistics-tensors.ts';
import type { TensorMap } from '#federation/tensors/tensor.ts';
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
/** chol and exang. */
const layout = requireStatisticsLayout(samplePlan);

const exampleCount = 60;

function payload(chol: (value: number) => number = (value) => value): TensorMap {
  const rows = Array.from({ length: exampleCount }, (_, index) => [
    chol(160 + ((index * 37) % 125)),
    index % 2,
  ]);
  const labels = rows.map((_, index) => Number(index % 3 === 0));
  const values = Float64Array.from(rows.flat());
  return encodeStatistics(
    layout,
    releaseStatistics(layout, { values, count: exampleCount, labels, missingCounts: [7, 0] }),
  );
}

let world: ConsortiumWorld;
let cleveland: SiteKeys;
let hungary: SiteKeys;

beforeEach(async () => {
  world = await openWorld();
  cleveland = await enrol(world, 'cleveland');
  hungary = await enrol(world, 'hungary');
  await world.consortium.operations.publishPlan({ plan: samplePlan });
  await world.consortium.operations.openRound({ researchStudyId });
});

afterEach(() => world.close());

async function send(site: SiteKeys, sent: TensorMap) {
  const opening = await fetchOpening(world, site);
  return sendUpdate(world, site, await buildUpdate(world, site, opening, { exampleCount, payload: sent }));
}

describe('the statistics of a research study', () => {
  it('are published as each site released them, together, and compared, once the round is closed', async () => {
    const { operations } = world.consortium;
    expect(await operations.statistics({ researchStudyId })).toEqual({ statistics: null });
    expect((await send(cleveland, payload())).code).toBeUndefined();
    expect(
      (
        await send(
          hungary,
          payload((value) => value / 38.67),
        )
      ).code,
    ).toBeUndefined();
    const { statistics } = await operations.statistics({ researchStudyId });
    expect(statistics?.sites.map(({ siteId, labelCount }) => [siteId, labelCount])).toEqual([
      ['cleveland', 20],
      ['hungary', 20],
    ]);
    expect(statistics?.pooled.features[1]?.counted).toEqual({
      oneCount: 60,
      exampleCount: 120,
      withheldBy: [],
    });
    expect(statistics?.pooled.features[0]?.missingCount).toBe(10);
    expect(statistics?.comparison).toContainEqual(
      expect.objectContaining({
        siteId: 'hungary',
        feature: 'chol',
        difference: 'other-unit',
        conversion: 'cholesterol in mmol/L and mg/dL',
      }),
    );
    expect(await operations.verifyAudit({})).toMatchObject({ verified: true });
  });

  it('take no small cell from a site, whatever it runs', async () => {
    const sent = payload();
    sent.get('statistics/oneCount')?.data.set([3], 1);
    expect(await send(cleveland, sent)).toMatchObject({ code: 'BAD_TENSORS' });
    expect(await world.consortium.operations.statistics({ researchStudyId })).toEqual({ statistics: null });
  });

  it('are null of a plan that asks for none, and of one that is not here', async () => {
    expect(await world.consortium.operations.statistics({ researchStudyId: 'other' })).toEqual({
      statistics: null,
    });
  });
});
