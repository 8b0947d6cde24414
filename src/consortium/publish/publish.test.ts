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
import { sampleModel, sampleModels } from '#support/model-samples.ts';
import { samplePlan } from '#support/sample-plan.ts';

let world: ConsortiumWorld;

beforeEach(async () => {
  world = await openWorld();
});

afterEach(() => world.close());

const publish = (plan: unknown) => world.consortium.operations.publishPlan({ plan });

const { statistics, ...planWithoutStatistics } = samplePlan;
const [firstFeature, secondFeature] = samplePlan.dataElements.features;

const withStatistics = (changes: object = {}) => ({
  ...samplePlan,
  statistics: { ...statistics, ...changes },
});
const withFeatures = (features: readonly unknown[], changes: object = {}) => ({
  ...withStatistics(changes),
  dataElements: { ...samplePlan.dataElements, features },
});

const { topology } = sampleModels.layers;
const code = { class_name: 'Lambda', config: { name: 'code' } };
const withLambda = {
  ...sampleModels.layers,
  topology: { ...topology, config: { ...topology.config, layers: [...topology.config.layers, code] } },
};

describe('publishing a plan', () => {
  it('makes the initial model from the plan', async () => {
    const initialisation = { kind: 'uniform', bound: 0.5, seed: 'ab'.repeat(32) } as const;
    const plan = { ...samplePlan, model: { ...samplePlan.model, initialisation } };
    const { modelDigest } = await publish(plan);
    expect(modelDigest).toBe(sha256Hex(encodeSafetensors(createInitialWeights(plan.model))));
  });

  const unsupported: readonly [field: string, change: object][] = [
    ['secureAggregation', { secureAggregation: { mode: 'bonawitz' } }],
    ['statistics.noise', { statistics: { ...statistics, noise: { epsilon: 1 } } }],
    ['imaging', { imaging: { modality: 'MR' } }],
    ['aggregation.strategy', { aggregation: { strategy: 'fedadam', weighting: 'example-count' } }],
    ['approval.requiredStewards', { approval: { requiredStewards: 2 } }],
    ['model.kind', { model: sampleModel('unet-2d') }],
    ['model.kind', { model: sampleModel('cox') }],
    [
      'model.objective.loss',
      { model: { ...sampleModel('mlp'), objective: { loss: 'mean-squared-error', outputCount: 1 } } },
    ],
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
    ['a model of no known kind', { ...samplePlan, model: { kind: 'transformer' } }],
    ['a model that carries code', { ...samplePlan, model: withLambda }],
    ['a network of another number of inputs', { ...samplePlan, model: sampleModel('mlp') }],
    [
      'a network larger than its updates may be',
      {
        ...samplePlan,
        model: { ...sampleModel('mlp'), inputCount: 2, hiddenWidths: [50_000] },
        limits: { ...samplePlan.limits, maxUpdateBytes: 700_000 },
      },
    ],
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
    ['counts under the limit', withStatistics({ minimumCell: 4 })],
    ['cells without number', withStatistics({ maximumCells: 1000 })],
    [
      'statistics without their round',
      { ...withStatistics(), normalisation: { scope: 'site' }, rounds: ['training'] },
    ],
    [
      'a cohort smaller than a cell',
      { ...samplePlan, minimumCohort: { ...samplePlan.minimumCohort, training: 9 } },
    ],
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

  const days = (before: number, after: number) => ({ windowDays: { before, after } });
  const event = { ...days(30, 0), kind: 'occurrence', name: 'event', code: secondFeature?.code } as const;
  const has = { ...event, aggregation: 'present' } as const;
  const indicator = { ...secondFeature, kind: 'indicator', equals: secondFeature?.code } as const;
  const ofSex = { kind: 'sex', code: secondFeature?.code, whenMissing: 0 } as const;
  const threshold = { ...samplePlan.dataElements.label, code: firstFeature?.code };
  const withLabel = (label: object, features: readonly unknown[]) => {
    const plan = withFeatures(features);
    return { ...plan, dataElements: { ...plan.dataElements, label } };
  };
  const shared: readonly [what: string, plan: unknown][] = [
    ['an event in two nested windows', withFeatures([has, { ...has, ...days(365, 0), name: 'ever' }])],
    ['an event and how often it was', withFeatures([has, { ...event, aggregation: 'count', name: 'often' }])],
    ['codes of a value and whether there is any', withFeatures([indicator, { ...has, windowDays: null }])],
    [
      'a code in two nested windows',
      withFeatures([indicator, { ...indicator, ...days(9, 0), name: 'early' }]),
    ],
    [
      'a yes with what is missing as 0, and as 1',
      withFeatures([0, 1].map((whenMissing) => ({ ...secondFeature, name: `n${whenMissing}`, whenMissing }))),
    ],
    [
      'men and women, with who is neither as 0',
      withFeatures([
        { ...ofSex, name: 'men', equals: 'male' },
        { ...ofSex, name: 'women', equals: 'female', code: firstFeature?.code },
      ]),
    ],
    [
      'ages in two histograms, under two codes',
      withFeatures(
        [firstFeature, secondFeature].map((one, index) => ({
          kind: 'age',
          name: `age_${index}`,
          code: one?.code,
          unit: 'a',
          whenMissing: null,
        })),
        { histograms: [50, 51].map((edge, index) => ({ feature: `age_${index}`, edges: [edge] })) },
      ),
    ],
    ['a label that cuts a measured feature', withLabel(threshold, [firstFeature, secondFeature])],
  ];

  it.each(shared)('refuses %s: the difference would be a small count', async (_what, plan) => {
    await expect(publish(plan)).rejects.toMatchObject({
      code: 'BAD_PLAN',
      details: { expected: expect.stringMatching(/facts that nothing else counts|a code that one feature/) },
    });
  });

  it('takes an event before, an event as label after, and two measures of one code', async () => {
    const label = {
      kind: 'occurrence',
      name: 'again',
      code: has.code,
      equals: null,
      ...days(-1, 365),
      followUp: null,
    };
    const { dataElements, ...plan } = withLabel(label, [
      has,
      firstFeature,
      { ...firstFeature, name: 'mean', aggregation: 'mean' },
    ]);
    await publish({ ...plan, dataElements, model: { ...samplePlan.model, inputCount: 3 } });
    expect((await world.consortium.operations.status({})).researchStudies).toHaveLength(1);
  });

  it.each(bad)('refuses %s', async (_what, plan) => {
    await expect(publish(plan)).rejects.toMatchObject({ code: 'BAD_PLAN' });
  });

  it.each<[string, object]>([
    ['federated normalisation', planWithoutStatistics],
    ['a statistics round', { ...planWithoutStatistics, normalisation: { scope: 'site' } }],
    ['federated normalisation and no round', { ...planWithoutStatistics, rounds: ['training'] }],
  ])(
    'refuses %s without the smallest count: the sum of a yes or no is how many have it',
    async (_what, plan) => {
      await expect(publish(plan)).rejects.toMatchObject({
        code: 'BAD_PLAN',
        details: { field: 'statistics', found: null },
      });
      expect((await world.consortium.operations.status({})).researchStudies).toEqual([]);
    },
  );

  it('takes one without statistics where no round is of them', async () => {
    const rounds = ['training', 'evaluation'];
    await publish({ ...planWithoutStatistics, normalisation: { scope: 'site' }, rounds });
    expect((await world.consortium.operations.status({})).researchStudies).toHaveLength(1);
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
