// Ghost clipping against the plain way: one gradient for each patient, made by itself, clipped and added.
import { describe, expect, it } from 'vitest';
import type { ModelSpecification } from '#federation/records/model-specification.ts';
import { type BoundModel, bindModel, createInitialWeights, type Tensor } from '#site/model/index.ts';
import { loadEngine } from '#site/training/engine.ts';
import { clippedGradients, type PatientBatch } from '#site/training/private/clipped-gradients.ts';
import { uploadExamples } from '#site/training/resident-examples.ts';
import { sampleExamples, sampleModel } from '#support/model-samples.ts';

const { tf } = await loadEngine(undefined);
const rowCount = 12;
const kinds = ['logistic-regression', 'mlp', 'cnn-2d', 'unet-2d', 'layers'] as const;
/** Rows of a patient apart from each other, and patients of one, two, three and four rows. */
const patientsOfRows = [0, 1, 2, 1, 3, 2, 4, 3, 2, 3, 5, 3];

function batchOf(kind: ModelSpecification['kind'], patients: readonly number[] | null) {
  const specification = sampleModel(kind);
  const model = bindModel(tf, specification, createInitialWeights(specification));
  const examples = sampleExamples(specification, rowCount);
  const { inputs, targets } = uploadExamples(tf, specification, { examples, objective: model.objective });
  const of = (row: number) => patients?.[row] ?? row;
  const rowsOf = (row: number) =>
    Array.from({ length: rowCount }, (_, at) => at).filter((at) => of(at) === of(row));
  const weights = tf.tensor1d(Array.from({ length: rowCount }, (_, row) => 1 / rowsOf(row).length));
  const numbers = patients === null ? null : tf.tensor1d([...patients], 'int32');
  const dropoutMasks = model
    .dropoutMasks({ nextUint32: () => 2 ** 31 }, rowCount)
    .map(({ data, shape }) => tf.tensor(data, shape));
  const batch: PatientBatch = { inputs, targets, weights, patients: numbers, dropoutMasks };
  const groups = [...new Set(Array.from({ length: rowCount }, (_, row) => of(row)))].map((patient) =>
    Array.from({ length: rowCount }, (_, row) => row).filter((row) => of(row) === patient),
  );
  return { model, batch, groups };
}

/** The gradient of the rows' weighted losses, weight after weight. */
function gradientOf(model: BoundModel, batch: PatientBatch, rows: readonly number[]): Float64Array {
  const kept = tf.tensor1d(Array.from({ length: rowCount }, (_, row) => Number(rows.includes(row))));
  const weights = tf.mul(batch.weights, kept);
  const { grads } = tf.variableGrads(
    () => tf.sum(model.exampleLosses({ ...batch, weights: weights as never })),
    [...model.variables],
  );
  return Float64Array.from(model.variables.flatMap(({ name }) => [...(grads[name] as Tensor).dataSync()]));
}

function normOf(values: Float64Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

function clippedOneByOne(
  { model, batch, groups }: ReturnType<typeof batchOf>,
  norm: number,
): { sum: Float64Array; norms: number[] } {
  const gradients = groups.map((rows) => gradientOf(model, batch, rows));
  const norms = gradients.map(normOf);
  const sum = new Float64Array(gradients[0]?.length ?? 0);
  for (const [at, gradient] of gradients.entries()) {
    const factor = Math.min(1, norm / (norms[at] ?? 0));
    for (const [place, value] of gradient.entries()) sum[place] = (sum[place] ?? 0) + factor * value;
  }
  return { sum, norms };
}

function joined(sums: ReadonlyMap<string, Tensor>): Float64Array {
  return Float64Array.from(
    [...sums.keys()].sort().flatMap((name) => [...(sums.get(name) as Tensor).dataSync()]),
  );
}

describe.each(kinds)('the clipped gradients of a model of kind %s', (kind) => {
  it.each([
    ['with a row for each patient', null],
    ['with several rows for some patients', patientsOfRows],
  ])('are those of the patients one by one, %s', (_, patients) => {
    const given = batchOf(kind, patients);
    const { norms } = clippedOneByOne(given, 1);
    const middle = [...norms].sort((left, right) => left - right)[Math.floor(norms.length / 2)] ?? 1;
    const expected = clippedOneByOne(given, middle);
    const bounds = { norm: middle, rowLengths: 64 };
    const made = clippedGradients(tf, given.model, { batch: given.batch, bounds });
    const found = joined(made.sums);
    const away = normOf(found.map((value, at) => value - (expected.sum[at] ?? Number.NaN)));
    expect(away / normOf(expected.sum)).toBeLessThan(1e-5);
    const foundNorms = made.norms.dataSync();
    for (const [at, rows] of given.groups.entries())
      for (const row of rows)
        expect(Math.abs((foundNorms[row] ?? Number.NaN) / (norms[at] ?? 0) - 1)).toBeLessThan(1e-4);
  });
});
