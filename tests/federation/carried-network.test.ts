// A research study whose plan carries a tf.js topology of its own: signed, accepted, trained and evaluated at two hospitals.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSiteStore } from '#support/stored-profiles.ts';
import { startTestFederation, type TestFederation } from '#support/test-federation.ts';

const siteIds = ['cleveland', 'hungary'];
const dense = {
  use_bias: true,
  kernel_initializer: { class_name: 'GlorotUniform', config: { seed: null } },
  bias_initializer: { class_name: 'Zeros', config: {} },
};
const layers = [
  {
    class_name: 'Dense',
    config: { name: 'hidden', units: 8, activation: 'tanh', batch_input_shape: [null, 13], ...dense },
  },
  { class_name: 'Dropout', config: { name: 'drop', rate: 0.1 } },
  { class_name: 'Dense', config: { name: 'risk', units: 1, activation: 'sigmoid', ...dense } },
];
let federation: TestFederation;

beforeAll(async () => {
  federation = await startTestFederation({
    siteIds,
    plan: {
      model: {
        kind: 'layers',
        topology: { class_name: 'Sequential', config: { name: 'carried', layers } },
        objective: { loss: 'binary-cross-entropy', classWeights: [1, 1.2] },
        initialisation: { kind: 'variance-scaling', seed: '3c'.repeat(32) },
      },
      training: {
        optimizer: { kind: 'sgd', learningRate: 0.02, momentum: 0.9 },
        batchSize: 32,
        localUpdates: 15,
        weightDecay: 0.001,
        gradientClipNorm: 1,
      },
      rounds: ['statistics', 'training', 'training', 'evaluation'],
    },
  });
});
afterAll(async () => {
  await federation.stop();
  federation.remove();
});

describe('a network that a plan carries', () => {
  it('is trained and evaluated in rounds like any other model', async () => {
    for (let round = 1; round <= 4; round += 1) await federation.playRound();
    const { models } = await federation.status();
    expect(models.map(({ round }) => round)).toEqual([0, 1, 2, 3, 4]);
    for (const siteId of siteIds) {
      const [runs, reports] = readSiteStore(federation.site(siteId), (store) => [
        store.all(store.query.selectFrom('training_run').select('result').where('round', 'in', [2, 3])),
        store.all(store.query.selectFrom('evaluation_report').select(['round', 'report']).orderBy('round')),
      ]);
      const losses = runs.map(({ result }) => JSON.parse(result ?? '') as Record<string, number>);
      expect(losses).toHaveLength(2);
      for (const { lossBefore, lossAfter } of losses) expect(lossAfter).toBeLessThan(lossBefore ?? 0);
      const last = JSON.parse(reports.at(-1)?.report ?? '') as Record<string, number>;
      expect((last.correctCount ?? 0) / (last.exampleCount ?? 1)).toBeGreaterThan(0.7);
    }
  });
});
