// Accuracy of one model on test rows, hospital by hospital and on all of them together.
import type { ModelSpecification } from '#federation/records/research-study-plan.ts';
import type { TensorMap } from '#federation/tensors/tensor.ts';
import type { Normalisation } from '#site/model/index.ts';
import type { TrainingHost } from '#site/ports.ts';
import { type HospitalRows, joinRows } from './heart-split.ts';
import { columnStatistics, toExamples } from './normalised.ts';

export interface Score {
  /** Share of right answers at 0.5 on all test rows, normalised together. */
  readonly pooledTest: number;
  /** By site id, on its own test rows. */
  readonly bySite: Readonly<Record<string, number>>;
}

export interface Scoring {
  readonly host: TrainingHost;
  readonly model: ModelSpecification;
  readonly hospitals: readonly HospitalRows[];
  /** What normalises a hospital's own test rows: its own training rows (as FLamby does), or what normalises all of them. */
  readonly ownTestRows: 'site' | 'pooled';
  /** Of all test rows together: where absent, mean and deviation of all training rows. */
  readonly pooled?: Normalisation;
}

export function pooledStatistics(hospitals: readonly HospitalRows[]): Normalisation {
  return columnStatistics(joinRows(hospitals.map(({ training }) => training)));
}

export async function scoreModel(
  { host, model, hospitals, ownTestRows, pooled = pooledStatistics(hospitals) }: Scoring,
  weights: TensorMap,
): Promise<Score> {
  const accuracy = async (rows: HospitalRows['holdout'], normalisation: Normalisation) => {
    const { correctCount } = await host.evaluate({
      model,
      weights,
      examples: toExamples(rows, normalisation),
    });
    return correctCount / rows.count;
  };
  const bySite: Record<string, number> = {};
  for (const { siteId, training, holdout } of hospitals) {
    bySite[siteId] = await accuracy(holdout, ownTestRows === 'site' ? columnStatistics(training) : pooled);
  }
  return { pooledTest: await accuracy(joinRows(hospitals.map(({ holdout }) => holdout)), pooled), bySite };
}

export interface Spread {
  readonly mean: number;
  /** Unbiased standard deviation; 0 for a single value. */
  readonly sd: number;
  readonly values: readonly number[];
}

export function spreadOf(values: readonly number[]): Spread {
  const mean = values.reduce((total, value) => total + value, 0) / values.length;
  const squares = values.reduce((total, value) => total + (value - mean) ** 2, 0);
  return { mean, sd: values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1)), values };
}
