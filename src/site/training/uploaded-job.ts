// The model and the examples of a job on the engine, and one way to free all of it.
import { type BoundModel, bindModel, type TensorFlow } from '#site/model/index.ts';
import type { EvaluationJob } from '#site/ports.ts';
import { type ResidentExamples, uploadExamples } from './resident-examples.ts';

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
  const model = bindModel(tf, job.model, job.weights);
  try {
    const { objective } = model;
    const examples = uploadExamples(tf, job.model, { examples: job.examples, objective });
    const dispose = (): void => {
      tf.dispose([examples.inputs, examples.targets, examples.weights ?? []]);
      model.dispose();
    };
    return { model, examples, dispose };
  } catch (error) {
    model.dispose();
    throw error;
  }
}
