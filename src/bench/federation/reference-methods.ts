// FLamby's own settings for Fed-Heart-Disease (Ogier du Terrail et al. 2022, its config_heart_disease.json): the figures that
// everybody compares with. Initial weights are PyTorch's: uniform in ±1/sqrt(inputs).
import { toHex } from '#base/bytes.ts';
import type { ModelSpecification, TrainingSettings } from '#federation/records/research-study-plan.ts';
import { createInitialWeights } from '#site/model/index.ts';
import type { TrainingHost } from '#site/ports.ts';
import { type HospitalRows, heartFeatures, joinRows, type RawRows } from './heart-split.ts';
import { columnStatistics, toExamples } from './normalised.ts';
import { type Score, type Scoring, scoreModel } from './score.ts';
import { neverAborted, type SimulatedRound, seedBytes, simulateFederation } from './simulate.ts';

/** How the references are trained, in a sentence of a report. */
export const referenceSettings =
  'FLamby’s reference settings: Adam at 0.001, 50 epochs in batches of 4 rows, which is many more steps than the plan takes';
export const flambyBatchSize = 4;
const flambyRoundCount = 15; // (486 // 4 // 4) * 50 // 100
const flambyEpochCount = 50;
const flambyFedAvg: TrainingSettings = {
  optimizer: { kind: 'sgd', learningRate: 0.001 },
  batchSize: flambyBatchSize,
  localUpdates: 100,
};

/** FLamby's published FedAvg row, pooled test rows, mean over five seeds, with the standard deviation as tolerance. */
export const flambyFedAvgPublished = { accuracy: 0.748, tolerance: 0.027 };

export interface ReferenceRun {
  readonly host: TrainingHost;
  readonly hospitals: readonly HospitalRows[];
  readonly seed: number;
}

function flambyModel(seed: number): ModelSpecification {
  const inputCount = heartFeatures.length;
  const initialisation = {
    kind: 'uniform' as const,
    bound: 1 / Math.sqrt(inputCount),
    seed: toHex(seedBytes('initial', seed)),
  };
  return { kind: 'logistic-regression', inputCount, initialisation };
}

/** FedAvg, each hospital normalised by itself, its data loader going on where the last round stopped. */
export async function runFlambyFedAvg({
  host,
  hospitals,
  seed,
}: ReferenceRun): Promise<{ score: Score; rounds: SimulatedRound[] }> {
  const model = flambyModel(seed);
  const rounds = await simulateFederation({
    host,
    model,
    training: flambyFedAvg,
    sites: hospitals.map(({ siteId, training }) => ({
      siteId,
      examples: toExamples(training, columnStatistics(training)),
    })),
    roundCount: flambyRoundCount,
    seed: `fedavg ${seed}`,
    keepOptimizerState: true,
  });
  const weights = rounds.at(-1)?.weights ?? createInitialWeights(model);
  return { rounds, score: await scoreModel({ host, model, hospitals, ownTestRows: 'site' }, weights) };
}

/** All rows in one place, FLamby's settings. Trained on rows normalised together, so a hospital's test rows are as well. */
export function runPooledTraining(run: ReferenceRun): Promise<Score> {
  const rows = joinRows(run.hospitals.map(({ training }) => training));
  return runAlone(run, { rows, name: 'pooled', ownTestRows: 'pooled' });
}

/** One hospital's rows alone. */
export function runLocalTraining(run: ReferenceRun, { training, siteId }: HospitalRows): Promise<Score> {
  return runAlone(run, { rows: training, name: siteId, ownTestRows: 'site' });
}

interface LoneTraining {
  readonly rows: RawRows;
  readonly name: string;
  readonly ownTestRows: Scoring['ownTestRows'];
}

async function runAlone(
  { host, hospitals, seed }: ReferenceRun,
  { rows, name, ownTestRows }: LoneTraining,
): Promise<Score> {
  const model = flambyModel(seed);
  const training: TrainingSettings = {
    optimizer: { kind: 'adam', learningRate: 0.001 },
    batchSize: flambyBatchSize,
    localUpdates: flambyEpochCount * Math.ceil(rows.count / flambyBatchSize),
  };
  const examples = toExamples(rows, columnStatistics(rows));
  const job = {
    model,
    training,
    weights: createInitialWeights(model),
    examples,
    seed: seedBytes(name, seed),
    optimizerState: null,
  };
  const { weights } = await host.train(job, { onProgress: () => {}, signal: neverAborted });
  return scoreModel({ host, model, hospitals, ownTestRows }, weights);
}
