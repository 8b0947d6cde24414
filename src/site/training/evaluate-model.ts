// Applies a model to examples: what it says of each, its loss, how many are right, and what the plan measures it by.
import type { Metric } from '#federation/records/model-specification.ts';
import {
  areaUnderCurve,
  type BoundModel,
  concordanceIndex,
  diceBySubject,
  metricsOf,
  type TensorFlow,
} from '#site/model/index.ts';
import type { EvaluationJob, EvaluationResult, Examples } from '#site/ports.ts';
import { exampleLosses, predictions, type ResidentExamples, sum } from './resident-examples.ts';
import { TrainingError } from './training-error.ts';
import { uploadJob } from './uploaded-job.ts';

/** @throws ModelError MODEL_WEIGHTS_MISMATCH; TrainingError BAD_TRAINING_JOB, TRAINING_DIVERGED when the loss is no number. */
export async function evaluateModel(tf: TensorFlow, job: EvaluationJob): Promise<EvaluationResult> {
  const { model, examples, dispose } = uploadJob(tf, job);
  try {
    return await evaluateResident(tf, { job, model, examples });
  } finally {
    dispose();
  }
}

interface ResidentEvaluation {
  readonly job: EvaluationJob;
  readonly model: BoundModel;
  readonly examples: ResidentExamples;
}

async function evaluateResident(
  tf: TensorFlow,
  { job, model, examples }: ResidentEvaluation,
): Promise<EvaluationResult> {
  const probabilities = await predictions(tf, model, examples);
  const lossSum = sum(await exampleLosses(tf, model, examples));
  if (!Number.isFinite(lossSum)) throw new TrainingError('TRAINING_DIVERGED', 'the loss is not a number');
  const { loss } = model.objective;
  const correctCount = countCorrect(loss, probabilities, job.examples);
  const dice =
    loss === 'dice-and-binary-cross-entropy'
      ? diceBySubject({ ...job.examples, probabilities, masks: job.examples.labels })
      : null;
  const measured = metricsOf(job.model).map((name) => [
    name,
    measure(name, { probabilities, examples: job.examples, correctCount, dice }),
  ]);
  return { probabilities, lossSum, correctCount, metrics: Object.fromEntries(measured), diceBySubject: dice };
}

/** Of a probability of exactly one half: label 0. Of equal probabilities of classes: the first. */
function countCorrect(
  loss: BoundModel['objective']['loss'],
  probabilities: Float32Array,
  { labels, count }: Examples,
): number {
  if (loss !== 'binary-cross-entropy' && loss !== 'categorical-cross-entropy') return 0;
  const classCount = probabilities.length / count;
  let correct = 0;
  for (let row = 0; row < count; row += 1) {
    const said = probabilities.subarray(row * classCount, (row + 1) * classCount);
    const predicted = classCount === 1 ? Number((said[0] ?? 0) > 0.5) : said.indexOf(Math.max(...said));
    if (predicted === labels[row]) correct += 1;
  }
  return correct;
}

interface Measurable {
  readonly probabilities: Float32Array;
  readonly examples: Examples;
  readonly correctCount: number;
  readonly dice: Float64Array | null;
}

function measure(name: Metric, { probabilities, examples, correctCount, dice }: Measurable): number | null {
  switch (name) {
    case 'accuracy':
      return correctCount / examples.count;
    case 'area-under-curve':
      return areaUnderCurve(probabilities, examples.labels);
    case 'concordance-index':
      return concordanceIndex(probabilities, { timesAndEvents: examples.labels });
    case 'dice':
      return dice === null ? null : dice.reduce((total, value) => total + value, 0) / dice.length;
  }
}
