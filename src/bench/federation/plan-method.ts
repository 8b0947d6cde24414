// The shipped plan, simulated: its rounds, its settings, its normalisation from a statistics round.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { aggregateRound } from '#federation/aggregation/aggregate-round.ts';
import { type ResearchStudyPlan, researchStudyPlan } from '#federation/records/research-study-plan.ts';
import { releaseStatistics } from '#federation/statistics/release-statistics.ts';
import { requireStatisticsLayout, type StatisticsPlan } from '#federation/statistics/statistics-layout.ts';
import { encodeStatistics } from '#federation/statistics/statistics-tensors.ts';
import type { TensorMap } from '#federation/tensors/tensor.ts';
import { createInitialWeights, type Normalisation } from '#site/model/index.ts';
import type { TrainingHost } from '#site/ports.ts';
import { type HospitalRows, joinRows } from './heart-split.ts';
import { toExamples } from './normalised.ts';
import { pooledStatistics, type Score, scoreModel } from './score.ts';
import { type SimulatedRound, simulateFederation } from './simulate.ts';

/** The plan that ships with the heart-disease data. */
export function loadPlan(assetsDirectory: string): ResearchStudyPlan {
  return researchStudyPlan.parse(JSON.parse(readFileSync(path.join(assetsDirectory, 'plan.json'), 'utf8')));
}

/** Mean and scale from what each hospital would release of its training rows, as the plan's statistics round gives them. */
export function statisticsRound(
  hospitals: readonly HospitalRows[],
  plan: StatisticsPlan & Pick<ResearchStudyPlan, 'model'>,
): Normalisation {
  const layout = requireStatisticsLayout(plan);
  const updates = hospitals.map(({ siteId, training }) => {
    const { features: values, labels, count } = training;
    // The split leaves out whoever lacks a value; the normalisation is not made of how many they are.
    const missingCounts = layout.columns.map(() => 0);
    const released = releaseStatistics(layout, { values, labels, count, missingCounts });
    return { siteId, exampleCount: count, payload: encodeStatistics(layout, released) };
  });
  const base = createInitialWeights(plan.model);
  const { tensors } = aggregateRound({ kind: 'statistics', base, updates, plan });
  return { mean: dataOf(tensors, 'normalisation/mean'), scale: dataOf(tensors, 'normalisation/scale') };
}

function dataOf(tensors: TensorMap, name: string): ArrayLike<number> {
  return tensors.get(name)?.data ?? [];
}

export interface TrainingRounds {
  readonly host: TrainingHost;
  readonly plan: Pick<ResearchStudyPlan, 'model' | 'training' | 'rounds'>;
  readonly hospitals: readonly HospitalRows[];
  readonly seed: number;
}

export interface PlanRun extends TrainingRounds {
  readonly plan: ResearchStudyPlan;
}

/** The global model after each training round of the plan, of rows that were normalised so. */
export function simulatePlan(
  { host, plan, hospitals, seed }: TrainingRounds,
  normalisation: Normalisation,
): Promise<SimulatedRound[]> {
  return simulateFederation({
    host,
    model: plan.model,
    training: plan.training,
    sites: hospitals.map(({ siteId, training }) => ({
      siteId,
      examples: toExamples(training, normalisation),
    })),
    roundCount: plan.rounds.filter((kind) => kind === 'training').length,
    seed: `plan ${seed}`,
    keepOptimizerState: true,
  });
}

/**
 * The plan's training steps on all rows in one place, normalised with nothing withheld. A step takes every row, as the hospitals' steps do
 * together, so that it differs from `runPlan` by the federation alone.
 */
export async function runPooledPlan({ host, plan, hospitals, seed }: PlanRun): Promise<Score> {
  const together: HospitalRows = {
    siteId: 'pooled',
    training: joinRows(hospitals.map(({ training }) => training)),
    holdout: joinRows(hospitals.map(({ holdout }) => holdout)),
  };
  const training = {
    ...plan.training,
    batchSize: Math.max(plan.training.batchSize, together.training.count),
  };
  const run = { host, plan: { ...plan, training }, hospitals: [together], seed };
  const rounds = await simulatePlan(run, pooledStatistics(hospitals));
  const weights = rounds.at(-1)?.weights ?? createInitialWeights(plan.model);
  return scoreModel({ host, model: plan.model, hospitals, ownTestRows: 'pooled' }, weights);
}

export async function runPlan(run: PlanRun): Promise<{ score: Score; rounds: SimulatedRound[] }> {
  const { host, hospitals, plan } = run;
  const pooled = statisticsRound(hospitals, plan);
  const rounds = await simulatePlan(run, pooled);
  const weights = rounds.at(-1)?.weights ?? createInitialWeights(plan.model);
  return {
    rounds,
    score: await scoreModel({ host, model: plan.model, hospitals, ownTestRows: 'pooled', pooled }, weights),
  };
}
