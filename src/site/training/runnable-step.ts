// One step after the other, whatever runs it: a recorded graph where the steps are worth it and native TensorFlow runs, else eagerly.
import type { Tensor, TensorFlow } from '#site/model/index.ts';
import { compileStep, type StepValues } from './graph/compiled-step.ts';
import type { StepDefinition } from './graph/step-recording.ts';
import { TrainingError } from './training-error.ts';

export interface RunnableStep {
  readonly execution: 'graph' | 'eager';
  /** Takes one step with its stepwise inputs and gives its outputs. */
  run(stepwise: StepValues): StepValues;
  dispose(): void;
}

/** To make a graph costs as much as this many eager steps. */
export const FEW_STEPS = 64;

/** Leaves the eager way open when a step cannot be recorded. @param stepCount steps to come */
export function runnableStep(tf: TensorFlow, definition: StepDefinition, stepCount: number): RunnableStep {
  if (stepCount < FEW_STEPS) return eagerStep(tf, definition);
  try {
    const compiled = compileStep(tf, { ...definition, mostStepsPerRun: 1 });
    return {
      execution: 'graph',
      run: (stepwise) => compiled.run(stepwise, 1),
      dispose: () => compiled.dispose(),
    };
  } catch (error) {
    if (error instanceof TrainingError && error.code === 'TRAINING_STEP_NOT_RECORDABLE')
      return eagerStep(tf, definition);
    throw error;
  }
}

/** What a step takes beside what stays on the engine. Made within a tidy of the caller. */
export function uploadInputs(
  tf: TensorFlow,
  stepwise: StepDefinition['stepwise'],
  values: StepValues,
): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(stepwise).map(([name, { shape, dtype }]) => [
      name,
      tf.tensor(values[name] as Float32Array, [...shape], dtype),
    ]),
  );
}

function eagerStep(tf: TensorFlow, { step, shared, stepwise }: StepDefinition): RunnableStep {
  return {
    execution: 'eager',
    run: (values) => {
      const read: Record<string, Float32Array> = {};
      tf.tidy(() => {
        for (const [name, tensor] of Object.entries(step(shared, uploadInputs(tf, stepwise, values))))
          read[name] = tensor.dataSync() as Float32Array;
      });
      return read;
    },
    dispose: () => {},
  };
}
