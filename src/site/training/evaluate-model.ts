// Applies a model to examples: probabilities, losses and how many are right at 0.5.
import type { BoundModel, TensorFlow } from '#site/model/index.ts';
import type { EvaluationJob, EvaluationResult } from '#site/ports.ts';
import { exampleLosses, type ResidentExamples, sum } from './resident-examples.ts';
import { TrainingError } from './training-error.ts';
import { uploadJob } from './uploaded-job.ts';

/** @throws ModelError MODEL_WEIGHTS_MISMATCH; TrainingError BAD_TRAINING_JOB, TRAINING_DIVERGED when the loss is no number. */
export function evaluateModel(tf: TensorFlow, job: EvaluationJob): EvaluationResult {
  const { model, examples, dispose } = uploadJob(tf, job);
  try {
    return evaluateResident(tf, { model, examples, labels: job.examples.labels });
  } finally {
    dispose();
  }
}

interface ResidentEvaluation {
  readonly model: BoundModel;
  readonly examples: ResidentExamples;
  readonly labels: Float32Array;
}

function evaluateResident(tf: TensorFlow, { model, examples, labels }: ResidentEvaluation): EvaluationResult {
  const predicted = tf.tidy(() => tf.sigmoid(model.logits(examples.features)));
  const probabilities = Float32Array.from(predicted.dataSync());
  predicted.dispose();
  const lossSum = sum(exampleLosses(tf, model, examples));
  if (!Number.isFinite(lossSum)) throw new TrainingError('TRAINING_DIVERGED', 'the loss is not a number');
  const correctCount = probabilities.reduce(
    (count, p, row) => count + (p > 0.5 === (labels[row] === 1) ? 1 : 0),
    0,
  );
  return { probabilities, lossSum, correctCount };
}
