// Applies a model to examples: probabilities, losses and how many are right at 0.5.
import { type BoundModel, bindModel, type TensorFlow } from '#site/model/index.ts';
import type { EvaluationJob, EvaluationResult } from '#site/ports.ts';
import { exampleLosses, type ResidentExamples, sum, uploadExamples } from './resident-examples.ts';
import { TrainingError } from './training-error.ts';

/** @throws ModelError MODEL_WEIGHTS_MISMATCH; TrainingError BAD_TRAINING_JOB, TRAINING_DIVERGED when the loss is no number. */
export function evaluateModel(tf: TensorFlow, job: EvaluationJob): EvaluationResult {
  if (job.examples.width !== job.model.inputCount) {
    throw new TrainingError('BAD_TRAINING_JOB', 'the examples do not have the model’s inputs', {
      details: { expected: job.model.inputCount, found: job.examples.width },
    });
  }
  const model = bindModel(tf, job.model, job.weights);
  try {
    const examples = uploadExamples(tf, job.examples);
    try {
      return evaluateResident(tf, { model, examples, labels: job.examples.labels });
    } finally {
      tf.dispose([examples.features, examples.signs]);
    }
  } finally {
    model.dispose();
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
