// What a plan's model must keep to beside the rest of the plan: it takes the plan's features and learns the plan's label. Held by the
// consortium before it publishes and by every site before it takes part.
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import { createNetwork, inputShapeOf } from './create-network.ts';
import { describeNetwork } from './describe-network.ts';
import { sizeOf } from './layer-shape.ts';
import { objectiveOf } from './objective.ts';

/** A field, what was expected of it and what was found. */
export interface Contradiction {
  readonly field: string;
  readonly expected: unknown;
  readonly found: unknown;
}

const BYTES_PER_WEIGHT = 4;

/** What no cohort of this release gives a model: it holds rows of features with a label of 0 or 1. Undefined where it is enough. */
export function findUnservedModel({ model }: Pick<ResearchStudyPlan, 'model'>): Contradiction | undefined {
  const { loss } = objectiveOf(model);
  if (inputShapeOf(model).length > 1)
    return { field: 'model.kind', expected: 'a model of rows of features', found: model.kind };
  if (loss === 'binary-cross-entropy') return undefined;
  return model.kind === 'cox'
    ? { field: 'model.kind', expected: 'a model of labels 0 and 1', found: model.kind }
    : { field: 'model.objective.loss', expected: 'binary-cross-entropy', found: loss };
}

type CheckedPlan = Pick<ResearchStudyPlan, 'dataElements' | 'limits' | 'model'>;

/** Where the model contradicts the features or the limits of its plan; undefined where it does not. */
export function findModelContradiction({
  dataElements,
  limits,
  model,
}: CheckedPlan): Contradiction | undefined {
  const expected = dataElements.features.length;
  const network = createNetwork(model);
  const width = sizeOf(network.inputShape);
  if (width !== expected) {
    const field = 'inputCount' in model ? 'model.inputCount' : 'model.topology';
    return { field, expected, found: width };
  }
  const weightCount = describeNetwork(network).weights.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const bytes = BYTES_PER_WEIGHT * weightCount;
  if (bytes <= limits.maxUpdateBytes) return undefined;
  return { field: 'limits.maxUpdateBytes', expected: `at least ${bytes}`, found: limits.maxUpdateBytes };
}
