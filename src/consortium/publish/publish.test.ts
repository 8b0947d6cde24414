import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { createInitialWeights } from '#federation/tensors/initial-weights.ts';
import { encodeSafetensors } from '#federation/tensors/safetensors.ts';
import {
  beginSampleStudy,
  buildUpdate,
  type ConsortiumWorld,
  fetchOpening,
  openWorld,
  sendUpdate,
} from '#support/consortium-world.ts';
import { samplePlan } from '#support/sample-plan.ts';

let world: ConsortiumWorld;

beforeEach(async () => {
  world = await openWorld();
});

afterEach(() => world.close());

const publish = (plan: unknown) => world.consortium.operations.publishPlan({ plan });

const statistics = { minimumCell: 5, maximumCells: 8, histograms: [], noise: null };
const [firstFeature, secondFeature] = samplePlan.dataElements.features;

const withStatistics = (changes: object = {}) => ({
  ...samplePlan,
  minimumCohort: { ...samplePlan.minimumCohort, training: 10 },
  statistics: { ...statistics, ...changes },
});
const withFeatures = (features: readonly unknown[], changes: object = {}) => ({
  ...withStatistics(changes),
  dataElements: { ...samplePlan.dataElements, features },
});

describe('publishing a plan', () => {
  it('makes the initial model from the plan', async () => {
    const initialisation = { kind: 'uniform', bound: 0.5, seed: 'ab'.repeat(32) } as const;
    const plan = { ...samplePlan, model: { ...samplePlan.model, initialisation } };
    const { modelDigest } = await publish(plan);
    expect(modelDigest).toBe(sha256Hex(encodeSafetensors(createInitialWeights(plan.model))));
  });

  const unsupported: readonly [field: string, change: object][] = [
    ['secureAggregation', { secureAggregation: { mode: 'bonawitz' } }],
    ['privacy', { privacy: { epsilon: 8 } }],
    ['statistics.noise', { statistics: { ...statistics, noise: { epsilon: 1 } } }],
    ['imaging', { imaging: { modality: 'MR' } }],
    ['aggregation.strategy', { aggregation: { strategy: 'fedadam', weighting: 'example-count' } }],
    ['approval.requiredStewards', { approval: { requiredStewards: 2 } }],
    ['model.kind', { model: { kind: 'unet' } }],
  ];

  it.each(unsupported)('refuses %s by name: not in this release', async (field, change) => {
    await expect(publish({ ...samplePlan, ...change })).rejects.toMatchObject({
      code: 'NOT_SUPPORTED',
      details: { field },
    });
    expect((await world.consortium.operations.status({})).researchStudies).toEqual([]);
  });

  const bad: readonly [what: string, plan: unknown][] = [
    ['no object', null],
    ['a text', 'plan'],
    ['an unknown field', { ...samplePlan, extra: 1 }],
    ['no participants', { ...samplePlan, participants: [] }],
    [
      'a participant named twice',
      { ...samplePlan, participants: [samplePlan.participants[0], samplePlan.participants[0]] },
    ],
    [
      'another number of features than inputs',
      { ...samplePlan, model: { ...samplePlan.model, inputCount: 3 } },
    ],
    ['federated normalisation without a statistics round', { ...samplePlan, rounds: ['training'] }],
    ['a second statistics round', { ...samplePlan, rounds: ['statistics', 'training', 'statistics'] }],
    ['a statistics round that nobody uses', { ...samplePlan, normalisation: { scope: 'site' } }],
    ['counts under the limit', withStatistics({ minimumCell: 4 })],
    ['cells without number', withStatistics({ maximumCells: 1000 })],
    [
      'statistics without their round',
      { ...withStatistics(), normalisation: { scope: 'site' }, rounds: ['training'] },
    ],
    ['a cohort smaller than a cell', { ...withStatistics(), minimumCohort: samplePlan.minimumCohort }],
    [
      'updates larger than it allows',
      { ...withStatistics(), limits: { ...samplePlan.limits, maxUpdateBytes: 2000 } },
    ],
    ['a histogram of what is not there', withStatistics({ histograms: [{ feature: 'no', edges: [1] }] })],
    ['a histogram of yes and no', withStatistics({ histograms: [{ feature: 'exang', edges: [1] }] })],
    ['edges that do not rise', withStatistics({ histograms: [{ feature: 'chol', edges: [2, 2] }] })],
    [
      'two histograms of one feature',
      withStatistics({ histograms: [1, 2].map((edge) => ({ feature: 'chol', edges: [edge] })) }),
    ],
    [
      'one code cut in two ways',
      withFeatures([firstFeature, { ...firstFeature, name: 'again' }], {
        histograms: [{ feature: 'chol', edges: [1] }],
      }),
    ],
    ['half a yes', withFeatures([firstFeature, { ...secondFeature, whenMissing: 0.5 }])],
    [
      'one code of a value twice',
      withFeatures(
        ['a', 'b'].map((name) => ({
          ...secondFeature,
          kind: 'indicator',
          name,
          equals: secondFeature?.code,
        })),
      ),
    ],
  ];

  it.each(bad)('refuses %s', async (_what, plan) => {
    await expect(publish(plan)).rejects.toMatchObject({ code: 'BAD_PLAN' });
  });

  it('takes one that asks for statistics, also where each site normalises by itself', async () => {
    const histograms = [{ feature: 'chol', edges: [100, 200] }];
    await publish({ ...withStatistics({ histograms }), normalisation: { scope: 'site' } });
    expect((await world.consortium.operations.status({})).researchStudies).toHaveLength(1);
  });

  it('takes versions in order only', async () => {
    await expect(publish({ ...samplePlan, version: 2 })).rejects.toMatchObject({ code: 'PLAN_VERSION' });
    await publish(samplePlan);
    await expect(publish(samplePlan)).rejects.toMatchObject({
      code: 'PLAN_VERSION',
      details: { expected: 2, found: 1 },
    });
    expect(await publish({ ...samplePlan, version: 2, summary: 'Clearer.' })).toMatchObject({ version: 2 });
  });

  it('refuses a new version that changes what the model so far means', async () => {
    await publish(samplePlan);
    const model = {
      ...samplePlan.model,
      initialisation: { kind: 'uniform', bound: 1, seed: 'cd'.repeat(32) },
    };
    const refused = publish({ ...samplePlan, version: 2, model });
    await expect(refused).rejects.toMatchObject({ code: 'PLAN_INCOMPATIBLE', details: { field: 'model' } });
  });

  it('refuses a new version while a round is open under the old one', async () => {
    const { cleveland } = await beginSampleStudy(world);
    const { researchStudyId } = samplePlan;
    await world.consortium.operations.openRound({ researchStudyId });
    await expect(publish({ ...samplePlan, version: 2 })).rejects.toMatchObject({ code: 'PLAN_ROUND_OPEN' });
    const built = await buildUpdate(world, cleveland, await fetchOpening(world, cleveland));
    expect((await sendUpdate(world, cleveland, built)).status).toBe(200);
  });
});
