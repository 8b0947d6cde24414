// How the plan's settings were chosen: cross-validation on training rows alone. No test row is read here.
// Every local update sees all training rows of a hospital, so that no order of batches and no seed decides the model.
import { createKeystream } from '#federation/crypto/keystream.ts';
import type { ModelSpecification, TrainingSettings } from '#federation/records/research-study-plan.ts';
import type { TrainingHost } from '#site/ports.ts';
import { type HospitalRows, heartFeatures, joinRows, type RawRows, takeRows } from './heart-split.ts';
import { toExamples } from './normalised.ts';
import { simulatePlan } from './plan-method.ts';
import { pooledStatistics } from './score.ts';
import { seedBytes } from './simulate.ts';

/** More than any hospital's training rows: a batch is all of them. */
const wholeCohort = 256;
const learningRates = [0.1, 0.2, 0.5];
const localUpdateCounts = [5, 10, 20];
/** Each round costs every hospital a steward's decision. */
const mostTrainingRounds = 6;
const foldCount = 5;

export interface Candidate {
  readonly learningRate: number;
  readonly localUpdates: number;
  readonly trainingRounds: number;
  /** Mean over all left-out rows and repetitions, in nats. */
  readonly loss: number;
  readonly accuracy: number;
}

export interface Selection {
  /** Best first. */
  readonly candidates: readonly Candidate[];
  readonly chosen: Candidate;
  readonly foldCount: number;
  readonly repetitions: number;
}

export interface SelectionOptions {
  readonly host: TrainingHost;
  readonly hospitals: readonly HospitalRows[];
  readonly repetitions: number;
  readonly onProgress: (done: number, total: number) => void;
}

export const selectedModel: ModelSpecification = {
  kind: 'logistic-regression',
  inputCount: heartFeatures.length,
  initialisation: { kind: 'zeros' },
};

export function selectedTraining({
  learningRate,
  localUpdates,
}: Pick<Candidate, 'learningRate' | 'localUpdates'>): TrainingSettings {
  return { optimizer: { kind: 'sgd', learningRate }, batchSize: wholeCohort, localUpdates };
}

/** The candidate with the lowest cross-validated loss; of equals (to five digits) the one with the fewest rounds and updates. */
export async function selectSettings({
  host,
  hospitals,
  repetitions,
  onProgress,
}: SelectionOptions): Promise<Selection> {
  const grid = learningRates.flatMap((learningRate) =>
    localUpdateCounts.map((localUpdates) => ({ learningRate, localUpdates })),
  );
  const folds = Array.from({ length: repetitions }, (_, repetition) =>
    splitIntoFolds(hospitals, repetition),
  ).flat();
  const candidates: Candidate[] = [];
  let done = 0;
  for (const settings of grid) {
    const totals = Array.from({ length: mostTrainingRounds }, () => ({ loss: 0, correct: 0 }));
    let rowCount = 0;
    for (const fold of folds) {
      rowCount += await addFold(host, { settings, fold, totals });
      done += 1;
      onProgress(done, grid.length * folds.length);
    }
    for (const [index, { loss, correct }] of totals.entries()) {
      candidates.push({
        ...settings,
        trainingRounds: index + 1,
        loss: loss / rowCount,
        accuracy: correct / rowCount,
      });
    }
  }
  candidates.sort(byLossThenCost);
  const chosen = candidates[0];
  if (chosen === undefined) throw new RangeError('the grid is empty');
  return { candidates, chosen, foldCount, repetitions };
}

interface Fold {
  readonly kept: readonly HospitalRows[];
  readonly leftOut: RawRows;
}

interface FoldRun {
  readonly settings: Pick<Candidate, 'learningRate' | 'localUpdates'>;
  readonly fold: Fold;
  /** One entry for each number of rounds: round n of a longer run is the end of a run of n rounds. */
  readonly totals: { loss: number; correct: number }[];
}

async function addFold(host: TrainingHost, { settings, fold, totals }: FoldRun): Promise<number> {
  const rounds = [
    'statistics' as const,
    ...Array.from({ length: mostTrainingRounds }, () => 'training' as const),
  ];
  const plan = { model: selectedModel, training: selectedTraining(settings), rounds };
  // With nothing withheld: what a hospital releases depends on the smallest count of one plan, the settings do not.
  const normalisation = pooledStatistics(fold.kept);
  const simulated = await simulatePlan({ host, plan, hospitals: fold.kept, seed: 0 }, normalisation);
  const examples = toExamples(fold.leftOut, normalisation);
  for (const [index, { weights }] of simulated.entries()) {
    const { lossSum, correctCount } = await host.evaluate({ model: selectedModel, weights, examples });
    const total = totals[index];
    if (total === undefined) continue;
    total.loss += lossSum;
    total.correct += correctCount;
  }
  return fold.leftOut.count;
}

/** Stratified by hospital and label, shuffled anew for each repetition. */
function splitIntoFolds(hospitals: readonly HospitalRows[], repetition: number): Fold[] {
  const foldOf = hospitals.map(({ siteId, training }) =>
    assignFolds(training, seedBytes('folds', repetition, siteId)),
  );
  return Array.from({ length: foldCount }, (_, fold) => {
    const rowsWhere = (hospital: number, inFold: boolean) => {
      const rows = hospitals[hospital]?.training;
      const numbers = [...(foldOf[hospital] ?? []).keys()].filter(
        (row) => (foldOf[hospital]?.[row] === fold) === inFold,
      );
      return takeRows(rows ?? joinRows([]), numbers);
    };
    const kept = hospitals.map((hospital, at) => ({ ...hospital, training: rowsWhere(at, false) }));
    return { kept, leftOut: joinRows(hospitals.map((_, at) => rowsWhere(at, true))) };
  });
}

function assignFolds({ labels, count }: RawRows, seed: Uint8Array): Uint32Array {
  const keystream = createKeystream(seed);
  const folds = new Uint32Array(count);
  let position = 0;
  for (const label of [0, 1]) {
    const rows = Uint32Array.from([...labels.keys()].filter((row) => labels[row] === label));
    keystream.shuffle(rows);
    for (const row of rows) {
      folds[row] = position % foldCount;
      position += 1;
    }
  }
  return folds;
}

function byLossThenCost(left: Candidate, right: Candidate): number {
  const digits = Math.round(left.loss * 1e5) - Math.round(right.loss * 1e5);
  const rounds = left.trainingRounds - right.trainingRounds;
  const updates = left.localUpdates - right.localUpdates;
  return digits || rounds || updates || left.learningRate - right.learningRate;
}
