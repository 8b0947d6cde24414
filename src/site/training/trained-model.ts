// A plan's model and its examples as the steps take them: by name.
import type { BoundModel, Tensor, Tensor1D, TensorFlow } from '#site/model/index.ts';
import type { ResidentExamples } from './resident-examples.ts';
import type { TrainedModel } from './step-runner.ts';

/** The names under which a step finds the examples. */
export function residentTensors({ inputs, targets, weights }: ResidentExamples): Record<string, Tensor> {
  return { inputs, targets, ...(weights === null ? {} : { exampleWeights: weights }) };
}

/** A row weighs what the step gives it times what the plan gives the example. */
export function trainedModel(tf: TensorFlow, model: BoundModel): TrainedModel {
  return {
    variables: model.variables,
    exampleLosses: ({ inputs, targets, weights, exampleWeights }, dropoutMasks) =>
      model.exampleLosses({
        inputs: inputs as Tensor,
        targets: targets as Tensor,
        weights: (exampleWeights === undefined
          ? weights
          : tf.mul(weights as Tensor, exampleWeights)) as Tensor1D,
        dropoutMasks,
      }),
  };
}
