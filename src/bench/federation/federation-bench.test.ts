import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type HospitalRows,
  heartFeatures,
  joinRows,
  loadHeartSplit,
  takeRows,
} from '#bench/federation/heart-split.ts';
import { columnStatistics } from '#bench/federation/normalised.ts';
import { loadPlan, statisticsRound } from '#bench/federation/plan-method.ts';
import { spreadOf } from '#bench/federation/score.ts';
import { selectedModel, selectedTraining } from '#bench/federation/select-settings.ts';
import { heartAssets } from '#bench/package-root.ts';
import { inputShapeOf } from '#federation/network/create-network.ts';

const plan = loadPlan(heartAssets); // parsed with the plan's schema: a plan that the records refuse fails here

describe('the plan of the heart-disease study', () => {
  it('lists its features in the order of the data’s columns, with one input for each', () => {
    expect(plan.dataElements.features.map(({ name }) => name)).toEqual([...heartFeatures]);
    expect(inputShapeOf(plan.model)).toEqual([heartFeatures.length]);
  });

  it('has the settings that the selection chose', () => {
    expect(plan.training).toEqual(selectedTraining({ learningRate: 0.2, localUpdates: 5 }));
    expect(plan.model).toEqual(selectedModel);
    expect(plan.rounds).toEqual(['statistics', ...Array(6).fill('training'), 'evaluation']);
  });

  it('names the four hospitals and normalises them together', () => {
    expect(plan.participants.map(({ siteId }) => siteId)).toEqual([
      'cleveland',
      'hungary',
      'switzerland',
      'long-beach',
    ]);
    expect(plan.normalisation.scope).toBe('federated');
  });
});

/** Columns with few patients of one value, or of none of the codes. */
const withheld: Readonly<Record<string, ReadonlySet<string>>> = {
  cleveland: new Set(['restecg_1']),
  hungary: new Set(['oldpeak', 'restecg_1', 'restecg_2']),
  switzerland: new Set(
    ['sex', 'trestbps', 'fbs', 'oldpeak'].concat(['cp_2', 'cp_3', 'cp_4', 'restecg_1', 'restecg_2']),
  ),
  'long-beach': new Set(['sex', 'oldpeak', 'cp_2']),
};

describe('the heart-disease split', () => {
  const hospitals = loadHeartSplit(heartAssets);

  it('has FLamby’s counts of rows', () => {
    const counts = hospitals.map(({ training, holdout }) => [training.count, holdout.count]);
    expect(counts).toEqual([
      [199, 104],
      [172, 89],
      [30, 16],
      [85, 45],
    ]);
  });

  it('leaves every hospital above the plan’s minimum cohort', () => {
    for (const { training, holdout } of hospitals) {
      expect(training.count).toBeGreaterThanOrEqual(plan.minimumCohort.training);
      expect(holdout.count).toBeGreaterThanOrEqual(plan.minimumCohort.evaluation);
    }
  });

  it('has a constant cholesterol in Switzerland, whose scale is 0', () => {
    const swiss = hospitals[2];
    const column = heartFeatures.indexOf('chol');
    expect(swiss === undefined ? null : columnStatistics(swiss.training).scale[column]).toBe(0);
  });

  it('gives the normalisation of the rows in one place, but of what a hospital withheld the others’ rows', () => {
    const federated = statisticsRound(hospitals, plan);
    for (const [column, name] of heartFeatures.entries()) {
      const released = hospitals.filter(({ siteId }) => !withheld[siteId]?.has(name));
      const pooled = columnStatistics(joinRows(released.map(({ training }) => training)));
      expect(federated.mean[column]).toBeCloseTo(pooled.mean[column] ?? Number.NaN, 9);
      expect(federated.scale[column]).toBeCloseTo(pooled.scale[column] ?? Number.NaN, 9);
    }
  });
});

describe('rows of a bench', () => {
  const rows = {
    features: Float64Array.of(1, 2, 3, 4, 5, 6),
    labels: Float32Array.of(0, 1, 1),
    count: 3,
    width: 2,
  };

  it('are taken by number and joined again', () => {
    const joined = joinRows([takeRows(rows, [2]), takeRows(rows, [0, 1])]);
    expect(joined).toEqual({
      features: Float64Array.of(5, 6, 1, 2, 3, 4),
      labels: Float32Array.of(1, 0, 1),
      count: 3,
      width: 2,
    });
  });

  it('have an unbiased standard deviation, and 0 for a constant column', () => {
    const { mean, scale } = columnStatistics({ ...rows, features: Float64Array.of(1, 0.1, 2, 0.1, 3, 0.1) });
    expect([mean[0], scale[0], scale[1]]).toEqual([2, 1, 0]);
  });

  it('are refused by name when the folder has none', () => {
    const load = (): HospitalRows[] => loadHeartSplit(path.join(heartAssets, 'nowhere'));
    expect(load).toThrow(expect.objectContaining({ code: 'BENCH_DATA_MISSING' }));
  });
});

describe('a spread', () => {
  it('is the mean and the unbiased standard deviation over the seeds', () => {
    expect(spreadOf([1, 2, 3])).toEqual({ mean: 2, sd: 1, values: [1, 2, 3] });
    expect(spreadOf([0.79]).sd).toBe(0);
  });
});
