// Examples that a calibration run trains on: of the model's shape, with labels of its loss, and nothing of a patient.
import { labelSizeOf, objectiveOf } from '#federation/network/objective.ts';
import type { ModelSpecification } from '#federation/records/model-specification.ts';
import { inputShapeOf } from '#site/model/index.ts';
import type { Examples } from '#site/ports.ts';

/** Two batches of such a size as plans use. */
export const calibrationBatch = { ofRows: 256, ofImages: 8 };

export function calibrationExamples(model: ModelSpecification): Examples {
  const shape = inputShapeOf(model);
  const width = shape.reduce((product, extent) => product * extent, 1);
  const count = 2 * (shape.length === 1 ? calibrationBatch.ofRows : calibrationBatch.ofImages);
  const objective = objectiveOf(model);
  const labelSize = labelSizeOf(objective, shape);
  const features = Float32Array.from({ length: count * width }, (_, at) => Math.sin(1 + at * 0.7));
  // 0 and 1 in turn are a label, a class, a mask and a value; a survival time is above 0, its event the other way round.
  const isSurvival = objective.loss === 'cox-partial-likelihood';
  const labels = Float32Array.from({ length: count * labelSize }, (_, at) =>
    isSurvival && at % 2 === 0 ? 1 + at : at % 2,
  );
  return { features, labels, count, shape };
}
