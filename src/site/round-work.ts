// What a round computes, by its kind: statistics, trained weights, or how good the global model is on the holdout.
import { isCodedError } from '#base/coded-error.ts';
import { releaseStatistics } from '#federation/statistics/release-statistics.ts';
import { requireStatisticsLayout } from '#federation/statistics/statistics-layout.ts';
import { encodeStatistics } from '#federation/statistics/statistics-tensors.ts';
import { encodeSafetensors } from '#federation/tensors/safetensors.ts';
import type { TensorMap } from '#federation/tensors/tensor.ts';
import type { Json } from '#site/audit/index.ts';
import { saveEvaluation } from '#site/evaluation/index.ts';
import type { TrainingHost, TrainingJob, TrainingProgress, TrainingRunOptions } from '#site/ports.ts';
import { type StartedTrainingRun, saveTrainingCheckpoint } from '#site/training/index.ts';
import { requirePrivacyBudget } from '#site/update/index.ts';
import { weightsOf } from './base-model.ts';
import { loadEngineSettings } from './engine-settings.ts';
import { chooseNormalisation, createExamples } from './normalised-examples.ts';
import { encodeTrainedRun, loadOptimizerState } from './optimizer-memory.ts';
import type { PreparedRound, RoundRun, RoundStages } from './round.ts';

export interface RoundWork {
  /** Tensors before the base is subtracted. */
  readonly made: TensorMap;
  readonly exampleCount: number;
  readonly lossBefore: number | null;
  readonly lossAfter: number | null;
  /** For the run's record: safetensors of all it made, and its numbers. */
  readonly tensors: Uint8Array;
  readonly result: { readonly [name: string]: Json };
}

type RoundInput = PreparedRound & StartedTrainingRun;

export function computeRound(stages: RoundStages, run: RoundRun, input: RoundInput): Promise<RoundWork> {
  switch (input.opening.kind) {
    case 'statistics':
      return Promise.resolve(computeStatistics(input));
    case 'training':
      return train(stages, run, input);
    case 'evaluation':
      return evaluate(stages, run, input);
  }
}

function computeStatistics({ cohort, plan }: RoundInput): RoundWork {
  const matrix = cohort.matrix('training');
  const layout = requireStatisticsLayout(plan);
  const rows = { ...matrix, missingCounts: cohort.missingCounts() };
  const made = encodeStatistics(layout, releaseStatistics(layout, rows));
  const exampleCount = matrix.count;
  return {
    made,
    exampleCount,
    lossBefore: null,
    lossAfter: null,
    tensors: encodeSafetensors(made),
    result: { exampleCount },
  };
}

async function train(
  { store, trainingHost }: RoundStages,
  run: RoundRun,
  input: RoundInput,
): Promise<RoundWork> {
  const { plan, opening, base, cohort } = input;
  const matrix = cohort.matrix('training');
  // One row for each patient. Before any gradient is taken.
  requirePrivacyBudget(store, plan, matrix.count);
  const normalisation = chooseNormalisation({ plan, model: base.tensors, trainingRows: () => matrix });
  const { researchStudyId, round } = opening;
  const curve = createLossCurve();
  const job = {
    model: plan.model,
    training: plan.training,
    weights: weightsOf(base.tensors),
    examples: createExamples(matrix, normalisation),
    seed: input.seed ?? new Uint8Array(),
    optimizerState: loadOptimizerState(store, { researchStudyId, round, cohortDigest: cohort.cohortDigest }),
    ...(plan.privacy === null ? {} : { privacy: plan.privacy }),
  };
  const options = {
    signal: run.signal,
    gate: run.gate,
    settings: loadEngineSettings(store),
    onCheckpoint: (made: Uint8Array) => saveTrainingCheckpoint(store, input.runId, made),
    onProgress: ({ step, stepCount, loss }: TrainingProgress) => {
      curve.add(step, loss);
      run.onEvent({ kind: 'progress', step, stepCount, loss });
    },
  };
  const trained = await goOn(trainingHost, job, { ...options, checkpoint: input.checkpoint });
  const { weights, stepCount, durationMs, execution, microBatchCount } = trained;
  // Losses are of the patients and have no noise: with differential privacy they go no further than the screen of the run.
  const told = plan.privacy === null;
  const { lossBefore, lossAfter } = told ? trained : { lossBefore: null, lossAfter: null };
  const lossCurve = told ? curve.points() : [];
  return {
    made: weights,
    exampleCount: matrix.count,
    lossBefore,
    lossAfter,
    tensors: encodeTrainedRun(weights, trained.optimizerState),
    result: {
      lossBefore,
      lossAfter,
      stepCount,
      durationMs,
      execution,
      microBatchCount,
      lossCurve,
    },
  };
}

/** A checkpoint that the data of today do not fit is left: the run starts over. */
async function goOn(host: TrainingHost, job: TrainingJob, options: TrainingRunOptions) {
  try {
    return await host.train(job, options);
  } catch (error) {
    if (!isCodedError(error, 'BAD_TRAINING_JOB') || error.details.field !== 'checkpoint') throw error;
    return host.train(job, { ...options, checkpoint: null });
  }
}

async function evaluate(stages: RoundStages, run: RoundRun, input: RoundInput): Promise<RoundWork> {
  const { store, auditLog, trainingHost } = stages;
  const { plan, opening, base, cohort } = input;
  const matrix = cohort.matrix('holdout');
  const trainingRows = () => cohort.matrix('training');
  const normalisation = chooseNormalisation({ plan, model: base.tensors, trainingRows });
  const examples = createExamples(matrix, normalisation);
  const weights = weightsOf(base.tensors);
  const { correctCount, lossSum } = await trainingHost.evaluate({ model: plan.model, weights, examples });
  const exampleCount = matrix.count;
  const counts = { exampleCount, correctCount, lossSum };
  const { modelDigest } = base;
  // The site keeps for itself what it would send: the model that the round before closed.
  const model = { researchStudyId: opening.researchStudyId, round: base.round, modelDigest };
  saveEvaluation({ store, auditLog }, { model, counts, actor: run.actor });
  const made: TensorMap = new Map(
    Object.entries(counts).map(([name, value]) => [
      `evaluation/${name}`,
      { shape: [1], data: Float64Array.of(value) },
    ]),
  );
  return {
    made,
    exampleCount,
    lossBefore: null,
    lossAfter: null,
    tensors: encodeSafetensors(made),
    result: counts,
  };
}

const maxCurvePoints = 100;

/** Keeps at most 100 points, evenly spread: when it is full, every other one goes. */
function createLossCurve() {
  let points: { step: number; loss: number }[] = [];
  let stride = 1;
  let seen = 0;
  return {
    add: (step: number, loss: number) => {
      if (seen % stride === 0) points.push({ step, loss });
      seen += 1;
      if (points.length <= maxCurvePoints) return;
      points = points.filter((_, index) => index % 2 === 0);
      stride *= 2;
    },
    points: () => points,
  };
}
