// The model and the examples of a job on the engine, and one way to free all of it.
import { type BoundModel, bindModel, type TensorFlow } from '#site/model/index.ts';
import type { EvaluationJob } from '#site/ports.ts';
import { type ResidentExamples, uploadExamples } from './resident-examples.ts';
import { TrainingError } from './training-error.ts';

export interface UploadedJob {
  readonly model: BoundModel;
  readonly examples: ResidentExamples;
  /** Frees what the upload put on the engine. */
  dispose(): void;
}

/** @throws ModelError MODEL_WEIGHTS_MISMATCH; TrainingError BAD_TRAINING_JOB. Leaves nothing on the engine then. */
export function uploadJob(
  tf: TensorFlow,
  job: Pick<EvaluationJob, 'model' | 'weights' | 'examples'>,
): UploadedJob {
  if (job.examples.width !== job.model.inputCount) {
    throw new TrainingError('BAD_TRAINING_JOB', 'the examples do not have the model’s inputs', {
      details: { expected: job.model.inputCount, found: job.examples.width },
    });
  }
  const model = bindModel(tf, job.model, job.weights);
  try {
    const examples = uploadExamples(tf, job.examples);
    const dispose = (): void => {
      tf.dispose([examples.features, examples.signs]);
      model.dispose();
    };
    return { model, examples, dispose };
  } catch (error) {
    model.dispose();
    throw error;
  }
}
