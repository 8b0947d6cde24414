// What a plan's model is trained for and measured by, with the plan's absent fields filled in.
import type { Metric, ModelSpecification, Objective } from '#federation/records/model-specification.ts';
import type { Shape } from './layer-shape.ts';
import { NetworkError } from './network-error.ts';

export function objectiveOf(model: ModelSpecification): Objective {
  if (model.kind === 'cox') return { loss: 'cox-partial-likelihood', ties: model.ties };
  return model.objective ?? { loss: 'binary-cross-entropy' };
}

/** What each loss can be measured by. */
const metricsOfLoss: Readonly<Record<Objective['loss'], readonly Metric[]>> = {
  'binary-cross-entropy': ['accuracy', 'area-under-curve'],
  'categorical-cross-entropy': ['accuracy'],
  'mean-squared-error': [],
  'dice-and-binary-cross-entropy': ['dice'],
  'cox-partial-likelihood': ['concordance-index'],
};

export function metricsOf(model: ModelSpecification): readonly Metric[] {
  return model.metrics ?? metricsOfLoss[objectiveOf(model).loss];
}

/** Numbers in the label of one example: a class, a time and an event, one for each output or pixel. */
export function labelSizeOf(objective: Objective, inputShape: Shape): number {
  switch (objective.loss) {
    case 'binary-cross-entropy':
    case 'categorical-cross-entropy':
      return 1;
    case 'mean-squared-error':
      return objective.outputCount;
    case 'cox-partial-likelihood':
      return 2;
    case 'dice-and-binary-cross-entropy':
      return (inputShape[0] ?? 0) * (inputShape[1] ?? 0);
  }
}

/**
 * Holds a network's output and a plan's metrics against its loss.
 * @throws NetworkError SHAPES_DIFFER when the loss cannot be of this output, LAYER_REFUSED when a metric cannot be of this loss.
 */
export function requireFit(
  model: ModelSpecification,
  { inputShape, outputShape }: { readonly inputShape: Shape; readonly outputShape: Shape },
): void {
  const objective = objectiveOf(model);
  const expected = expectedOutput(objective, inputShape);
  if (outputShape.join() !== expected.join()) {
    throw new NetworkError('SHAPES_DIFFER', `the output is not what ${objective.loss} is of`, {
      details: { expected, found: outputShape },
    });
  }
  const odd = model.metrics?.find((name) => !metricsOfLoss[objective.loss].includes(name));
  if (odd === undefined) return;
  throw new NetworkError('LAYER_REFUSED', `${odd} does not measure a model of ${objective.loss}`, {
    details: { expected: metricsOfLoss[objective.loss], found: odd },
  });
}

function expectedOutput(objective: Objective, inputShape: Shape): Shape {
  switch (objective.loss) {
    case 'binary-cross-entropy':
    case 'cox-partial-likelihood':
      return [1];
    case 'categorical-cross-entropy':
      return [objective.classCount];
    case 'mean-squared-error':
      return [objective.outputCount];
    case 'dice-and-binary-cross-entropy':
      return [inputShape[0] ?? 0, inputShape[1] ?? 0, 1];
  }
}
