// Gradient steps of DP-SGD (Abadi et al., arXiv 1607.00133): a lot of patients by chance, their clipped gradients added up on the engine,
// noise from the system's generator, one update with what may be seen. What the optimizer gets is all that anybody ever gets.
import { BugError } from '#base/coded-error.ts';
import { createKeystream } from '#federation/crypto/keystream.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import { ClippedSum, type Release } from '#federation/privacy/clipped-sum.ts';
import { clippingMargin } from '#federation/privacy/clipping-margin.ts';
import { drawNoise } from '#federation/privacy/gaussian-noise.ts';
import type { PrivacySpecification } from '#federation/records/privacy-plan.ts';
import type { TrainingSettings } from '#federation/records/training-settings.ts';
import type { TensorFlow } from '#site/model/index.ts';
import type { StepValues } from '../graph/compiled-step.ts';
import type { Optimizer } from '../optimizer.ts';
import { type RunnableStep, runnableStep } from '../runnable-step.ts';
import { TrainingError } from '../training-error.ts';
import { createLotShape, drawLotRuns, type LotRun, type LotShape, rowsByPatient } from './lot-runs.ts';
import {
  defineSums,
  defineUpdate,
  ROW_LENGTHS,
  type SummedModel,
  type UpdatedModel,
} from './private-steps.ts';

export type PrivateSettings = Pick<PrivacySpecification, 'clippingNorm' | 'noiseMultiplier' | 'samplingRate'>;

export interface PrivateRunnerOptions extends SummedModel, UpdatedModel {
  readonly exampleCount: number;
  /** Number of the patient of each example; absent: each is of another. */
  readonly subjects: Uint32Array | undefined;
  readonly privacy: PrivateSettings;
  readonly training: Pick<TrainingSettings, 'batchSize' | 'gradientClipNorm' | 'weightDecay'>;
  readonly stepCount: number;
  /** Bytes of the system's generator; another source is for tests alone. */
  readonly random?: (byteCount: number) => Uint8Array;
  /** Noise of the next step, made ahead; absent: it is drawn when it is needed. */
  readonly draw?: Release['draw'];
}

export interface PrivateRunner {
  readonly execution: 'graph' | 'eager';
  /** Takes the step of that number and gives the mean loss over its lot, which is for this site alone; no number of an empty lot. */
  step(stepNumber: number): number;
  dispose(): void;
}

/** Above it the noise would be for gradients that are cut for no good reason. */
const LARGEST_MARGIN = 0.05;
const FEWEST_ROWS = 8;
const WEIGHTS = 'weights';

/** @throws TrainingError BAD_TRAINING_JOB for losses that mix patients, and where no shape keeps C with float32 sums. */
export function createPrivateRunner(tf: TensorFlow, options: PrivateRunnerOptions): PrivateRunner {
  const { model, optimizer, privacy, random = systemRandom } = options;
  if (model.objective.loss === 'cox-partial-likelihood')
    throw refused('model.kind', 'a loss of one patient at a time', model.objective.loss);
  const fitted = fitShape(options);
  // All weights one after the other, in name order: as the engine's sums and gradients are.
  const weightCount = model.variables.reduce((sum, { size }) => sum + size, 0);
  const parameters = new Map([[WEIGHTS, { shape: [weightCount], data: new Float32Array(weightCount) }]]);
  const sums = runnableStep(
    tf,
    defineSums(tf, options, { ...fitted, rowsPerRun: fitted.shape.rowsPerRun }),
    options.stepCount,
  );
  const update = runnableStep(tf, defineUpdate(tf, options), options.stepCount);
  // Kept from who sees the statement: its commitment is to the seed of the plan's other randomness.
  const lots = createKeystream(random(32));
  const draw =
    options.draw ??
    ((count, noiseMultiplier) => drawNoise(count, noiseMultiplier, createKeystream(random(32))));
  const { samplingRate, noiseMultiplier, clippingNorm } = privacy;
  const expectedLot = samplingRate * fitted.shape.rowsOf.length;
  return {
    execution: sums.execution,
    step: (stepNumber) => {
      const released = new ClippedSum(parameters, clippingNorm);
      const loss = addLot(released, { sums, fitted, lots, options });
      const gradient = released.release({ noiseMultiplier, expectedLot, draw }).get(WEIGHTS)
        ?.data as Float32Array;
      update.run({ gradient, ...coefficients(optimizer, stepNumber) });
      return loss;
    },
    dispose: () => {
      sums.dispose();
      update.dispose();
    },
  };
}

interface FittedShape {
  readonly shape: LotShape;
  /** C' */
  readonly norm: number;
  readonly hasManyRows: boolean;
}

/** The largest runs, up to the plan's batch, whose float32 sums leave C nearly as it is. */
function fitShape({ model, exampleCount, subjects, privacy, training }: PrivateRunnerOptions): FittedShape {
  const rowsOf = rowsByPatient(subjects, exampleCount);
  const hasManyRows = rowsOf.some(({ length }) => length > 1);
  const { samplingRate, clippingNorm } = privacy;
  const sizes = model.weightedLayers.flatMap(({ weights }) => weights.map(({ shape }) => shape));
  const weightCount = sizes.reduce(
    (sum, shape) => sum + shape.reduce((product, size) => product * size, 1),
    0,
  );
  const lengthSummands = Math.max(...sizes.map((shape) => longestAxes(shape)));
  let rowsPerRun = Math.min(training.batchSize, exampleCount);
  for (;;) {
    const shape = createLotShape(rowsOf, { samplingRate, rowsPerRun });
    const rowLengths = hasManyRows ? ROW_LENGTHS : 1;
    const { groupPatients } = shape;
    const margin = clippingMargin({
      weightCount,
      rowsPerRun: shape.rowsPerRun,
      groupPatients,
      rowLengths,
      lengthSummands,
    });
    if (margin <= LARGEST_MARGIN) return { shape, norm: clippingNorm * (1 - margin), hasManyRows };
    if (rowsPerRun <= FEWEST_ROWS) throw refused('model', `a margin of ${LARGEST_MARGIN}`, margin);
    rowsPerRun = Math.max(FEWEST_ROWS, Math.floor(rowsPerRun / 2));
  }
}

/** Summands one after the other in the two-step sum of a weight's squares, or in the sums of its two factors. */
function longestAxes(shape: readonly number[]): number {
  const outputs = shape.at(-1) ?? 1;
  return outputs + shape.slice(0, -1).reduce((product, size) => product * size, 1);
}

function coefficients(optimizer: Optimizer, stepNumber: number): StepValues {
  const values = optimizer.coefficients(stepNumber);
  return Object.fromEntries(
    optimizer.coefficientNames.map((name) => [name, Float32Array.of(values[name] ?? 0)]),
  );
}

interface LotSource {
  readonly sums: RunnableStep;
  readonly fitted: FittedShape;
  readonly lots: Parameters<typeof drawLotRuns>[1];
  readonly options: PrivateRunnerOptions;
}

function addLot(released: ClippedSum, { sums, fitted, lots, options }: LotSource): number {
  let [loss, patientCount] = [0, 0];
  for (const group of drawLotRuns(fitted.shape, lots)) {
    let groupSum: Float32Array | Float64Array | undefined;
    for (const run of group) {
      const made = sumRun(run, { sums, fitted, options });
      // Runs are added in float64 and rounded to the grid once.
      groupSum = groupSum === undefined ? made.sum : addTo(new Float64Array(groupSum), made.sum);
      loss += made.loss;
      patientCount += (run.patients.at(-1) ?? -1) + 1;
    }
    if (groupSum !== undefined) released.addClipped(groupSum);
  }
  return loss / patientCount;
}

/** A patient whose gradient is no number counts as nothing: the others are summed again without them. */
function sumRun(
  run: LotRun,
  source: Pick<LotSource, 'sums' | 'fitted' | 'options'>,
): { readonly sum: Float32Array; readonly loss: number } {
  const { sums, fitted, options } = source;
  const values = sums.run(runInputs(run, { fitted, options }));
  const sum = values.sum as Float32Array;
  if (isEveryFinite(sum)) return { sum, loss: values.loss?.[0] ?? Number.NaN };
  const lengths = values.lengths as Float32Array;
  const bad = new Set([...run.patients].filter((_, row) => !Number.isFinite(lengths[row])));
  if (bad.size === 0) throw new BugError('clipped gradients have a sum that is no number');
  const kept = [...run.rows.keys()].filter((row) => !bad.has(run.patients[row] ?? 0));
  if (kept.length === 0) return { sum: new Float32Array(sum.length), loss: Number.NaN };
  const rest = {
    rows: Int32Array.from(kept, (row) => run.rows[row] ?? 0),
    weights: Float32Array.from(kept, (row) => run.weights[row] ?? 0),
    patients: Int32Array.from(kept, (row) => run.patients[row] ?? 0),
  };
  return sumRun(rest, source);
}

function runInputs(
  { rows, weights, patients }: LotRun,
  { fitted, options }: Pick<LotSource, 'fitted' | 'options'>,
): StepValues {
  const { rowsPerRun } = fitted.shape;
  const filled = <T extends Int32Array | Float32Array>(whole: T, part: T, filler: number): T => {
    whole.fill(filler).set(part);
    return whole;
  };
  const inputs: Record<string, Float32Array | Int32Array> = {
    // Filled with a row of its own, which must have a finite loss; its weight is 0, and its patient nobody.
    rows: filled(new Int32Array(rowsPerRun), rows, rows[0] ?? 0),
    weights: filled(new Float32Array(rowsPerRun), weights, 0),
  };
  if (fitted.hasManyRows) inputs.patients = filled(new Int32Array(rowsPerRun), patients, -1);
  for (const [at, { data }] of options.drawDropoutMasks(rowsPerRun).entries()) inputs[`mask-${at}`] = data;
  return inputs;
}

function addTo(sum: Float64Array, values: Float32Array): Float64Array {
  for (let at = 0; at < sum.length; at += 1) sum[at] = (sum[at] as number) + (values[at] as number);
  return sum;
}

/** By the total: a value that is no number makes it none. */
function isEveryFinite(values: Float32Array): boolean {
  let total = 0;
  for (let at = 0; at < values.length; at += 1) total += values[at] as number;
  return Number.isFinite(total);
}

function refused(field: string, expected: unknown, found: unknown): TrainingError {
  return new TrainingError('BAD_TRAINING_JOB', 'this cannot be trained with differential privacy', {
    details: { field, expected, found },
  });
}
