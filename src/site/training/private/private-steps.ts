// The two halves of a private step as the engine runs them: what a run of a lot adds up to, and the update with what was released. Between
// them, in JavaScript, lies the noise.
import type { Tensor } from '@tensorflow/tfjs-node';
import type { TrainingSettings } from '#federation/records/training-settings.ts';
import type { BoundModel, DropoutMask, Tensor1D, TensorFlow } from '#site/model/index.ts';
import { adjustGradients } from '../gradient-rules.ts';
import type { StepDefinition, Tensors } from '../graph/step-recording.ts';
import type { Optimizer } from '../optimizer.ts';
import { clippedGradients } from './clipped-gradients.ts';

/** Lengths of a patient's rows together, in clipping norms: what points apart by more is clipped by it. */
export const ROW_LENGTHS = 8;

export interface SummedModel {
  readonly model: BoundModel;
  /** See residentTensors. */
  readonly examples: Tensors;
  readonly drawDropoutMasks: (rows: number) => readonly DropoutMask[];
}

export interface FittedRun {
  readonly rowsPerRun: number;
  /** C' */
  readonly norm: number;
  /** Whether any patient has several. */
  readonly hasManyRows: boolean;
}

export interface UpdatedModel {
  readonly model: BoundModel;
  readonly optimizer: Optimizer;
  readonly training: Pick<TrainingSettings, 'gradientClipNorm' | 'weightDecay'>;
}

/** One run's clipped gradients: `sum`, the values of all weights in name order, `lengths` and `loss` (see ClippedGradients). */
export function defineSums(tf: TensorFlow, options: SummedModel, fitted: FittedRun): StepDefinition {
  const { model, examples } = options;
  const { rowsPerRun, norm, hasManyRows } = fitted;
  const masks = options.drawDropoutMasks(0).map((mask) => [rowsPerRun, ...mask.shape.slice(1)]);
  return {
    shared: examples,
    stepwise: {
      rows: { shape: [rowsPerRun], dtype: 'int32' },
      weights: { shape: [rowsPerRun], dtype: 'float32' },
      ...(hasManyRows ? { patients: { shape: [rowsPerRun], dtype: 'int32' as const } } : {}),
      ...Object.fromEntries(
        masks.map((mask, at) => [`mask-${at}`, { shape: mask, dtype: 'float32' as const }]),
      ),
    },
    state: [...model.variables],
    mostStepsPerRun: 1,
    step: (resident, { rows, weights, patients, ...drawn }) => {
      const { inputs, targets, exampleWeights } = Object.fromEntries(
        Object.entries(resident).map(([name, tensor]) => [name, tf.gather(tensor, rows as never)]),
      );
      const batch = {
        inputs: inputs as Tensor,
        targets: targets as Tensor,
        weights: (exampleWeights === undefined
          ? weights
          : tf.mul(weights as Tensor, exampleWeights)) as Tensor1D,
        patients: (patients ?? null) as Tensor1D | null,
        dropoutMasks: masks.map((_, at) => drawn[`mask-${at}`] as Tensor),
      };
      const made = clippedGradients(tf, model, { batch, bounds: { norm, rowLengths: ROW_LENGTHS } });
      // One tensor, in name order: each that crosses to JavaScript costs a call.
      const flat = [...made.sums.keys()]
        .sort()
        .map((name) => tf.reshape(made.sums.get(name) as Tensor, [-1]));
      return { sum: tf.concat(flat), lengths: made.lengths, loss: made.loss };
    },
  };
}

/** One optimizer step with the released gradient: inputs `gradient`, values in name order, and the optimizer's coefficients. */
export function defineUpdate(tf: TensorFlow, { model, optimizer, training }: UpdatedModel): StepDefinition {
  const variables = [...model.variables];
  const sizes = variables.map(({ size }) => size);
  const count = sizes.reduce((sum, size) => sum + size, 0);
  const scalar = { shape: [], dtype: 'float32' } as const;
  return {
    shared: {},
    stepwise: {
      gradient: { shape: [count], dtype: 'float32' },
      ...Object.fromEntries(optimizer.coefficientNames.map((name) => [name, scalar])),
    },
    state: [...variables, ...optimizer.slots],
    mostStepsPerRun: 1,
    step: (_, { gradient, ...coefficients }) => {
      // In name order, which is that of the variables.
      const parts = tf.split(gradient as Tensor1D, sizes);
      const gradients = variables.map(({ shape }, at) => tf.reshape(parts[at] as Tensor, shape));
      optimizer.update(adjustGradients(tf, gradients, { variables, training }), coefficients);
      return {};
    },
  };
}
