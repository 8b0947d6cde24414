// What a plan's model must keep to beside the rest of the plan: it takes the plan's features and learns the plan's label. Held by the
// consortium before it publishes and by every site before it takes part.
import type { ModelSpecification } from '#federation/records/model-specification.ts';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import { createNetwork } from './create-network.ts';
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

type CheckedPlan = Pick<ResearchStudyPlan, 'dataElements' | 'limits' | 'model'>;

/**
 * The first contradiction, undefined where there is none. A cohort of this release gives rows of features with a label of 0 or 1,
 * so a model of images, classes, values or survival times is one.
 */
export function findModelContradiction({
  dataElements,
  limits,
  model,
}: CheckedPlan): Contradiction | undefined {
  const network = createNetwork(model);
  const expected = dataElements.features.length;
  const [width, ...image] = network.inputShape;
  if (image.length > 0)
    return { field: 'model.kind', expected: 'a model of rows of features', found: model.kind };
  if (width !== expected) return { field: inputField(model), expected, found: width };
  const { loss } = objectiveOf(model);
  if (loss !== 'binary-cross-entropy') {
    const field = model.kind === 'cox' ? 'model.kind' : 'model.objective.loss';
    return { field, expected: 'a loss of labels 0 and 1', found: model.kind === 'cox' ? 'cox' : loss };
  }
  const { weights } = describeNetwork(network);
  const bytes = BYTES_PER_WEIGHT * weights.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  if (bytes <= limits.maxUpdateBytes) return undefined;
  return { field: 'limits.maxUpdateBytes', expected: `at least ${bytes}`, found: limits.maxUpdateBytes };
}

function inputField(model: ModelSpecification): string {
  return 'inputCount' in model ? 'model.inputCount' : 'model.topology';
}
