// The shipped plan, simulated: its rounds, its settings, its normalisation from a statistics round.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { aggregateRound } from '#federation/aggregation/aggregate-round.ts';
import { type ResearchStudyPlan, researchStudyPlan } from '#federation/records/research-study-plan.ts';
import type { TensorMap } from '#federation/tensors/tensor.ts';
import { createInitialWeights, type Normalisation } from '#site/model/index.ts';
import type { TrainingHost } from '#site/ports.ts';
import { encodeColumnSums, sumColumns } from '#site/statistics/index.ts';
import { type HospitalRows, joinRows, type RawRows } from './heart-split.ts';
import { toExamples } from './normalised.ts';
import { type Score, scoreModel } from './score.ts';
import { type SimulatedRound, simulateFederation } from './simulate.ts';

/** The plan that ships with the heart-disease data. */
export function loadPlan(assetsDirectory: string): ResearchStudyPlan {
  return researchStudyPlan.parse(JSON.parse(readFileSync(path.join(assetsDirectory, 'plan.json'), 'utf8')));
}

/** Mean and scale of all sites' training rows, from sums alone, as a statistics round gives them. */
export function statisticsRound(hospitals: readonly HospitalRows[], base: TensorMap): Normalisation {
  const updates = hospitals.map(({ siteId, training }) => ({
    siteId,
    exampleCount: training.count,
    payload: sums(training),
  }));
  const { tensors } = aggregateRound({ kind: 'statistics', base, updates });
  return { mean: dataOf(tensors, 'normalisation/mean'), scale: dataOf(tensors, 'normalisation/scale') };
}

function sums({ features, count, width }: RawRows): TensorMap {
  return encodeColumnSums(sumColumns({ values: features, count, width }));
}

function dataOf(tensors: TensorMap, name: string): ArrayLike<number> {
  return tensors.get(name)?.data ?? [];
}

export interface PlanRun {
  readonly host: TrainingHost;
  readonly plan: Pick<ResearchStudyPlan, 'model' | 'training' | 'rounds'>;
  readonly hospitals: readonly HospitalRows[];
  readonly seed: number;
}

/** The global model after each training round of the plan. */
export async function simulatePlan({
  host,
  plan,
  hospitals,
  seed,
}: PlanRun): Promise<{ rounds: SimulatedRound[]; normalisation: Normalisation }> {
  const normalisation = statisticsRound(hospitals, createInitialWeights(plan.model));
  const rounds = await simulateFederation({
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
  return { rounds, normalisation };
}

/**
 * The plan's training steps on all rows in one place. A step takes every row, as the hospitals' steps do together, so that it
 * differs from `runPlan` by the federation alone.
 */
export async function runPooledPlan(run: PlanRun): Promise<Score> {
  const { host, hospitals, plan } = run;
  const together: HospitalRows = {
    siteId: 'pooled',
    training: joinRows(hospitals.map(({ training }) => training)),
    holdout: joinRows(hospitals.map(({ holdout }) => holdout)),
  };
  const training = {
    ...plan.training,
    batchSize: Math.max(plan.training.batchSize, together.training.count),
  };
  const { rounds } = await simulatePlan({ ...run, plan: { ...plan, training }, hospitals: [together] });
  const weights = rounds.at(-1)?.weights ?? createInitialWeights(plan.model);
  return scoreModel({ host, model: plan.model, hospitals, ownTestRows: 'pooled' }, weights);
}

export async function runPlan(run: PlanRun): Promise<{ score: Score; rounds: SimulatedRound[] }> {
  const { rounds } = await simulatePlan(run);
  const weights = rounds.at(-1)?.weights ?? createInitialWeights(run.plan.model);
  const { host, hospitals, plan } = run;
  return {
    rounds,
    score: await scoreModel({ host, model: plan.model, hospitals, ownTestRows: 'pooled' }, weights),
  };
}
