// Stochastic gradient descent and Adam as functions of tensors: what changes from step to step comes in as an input, so that a recorded step
// can be run again. Slots can be taken out and put back.
import type { NamedTensorMap, Tensor, Variable } from '@tensorflow/tfjs-node';
import type { TrainingSettings } from '#federation/records/research-study-plan.ts';
import type { Tensor as StoredTensor } from '#federation/tensors/tensor.ts';
import type { TensorFlow } from '#site/model/index.ts';
import { type AdamAttributes, adamKernelName } from './graph/adam-kernel.ts';
import type { OptimizerState } from './optimizer-state.ts';
import { TrainingError } from './training-error.ts';

export interface Optimizer {
  /** Its own variables, in the order in which they are kept between jobs. */
  readonly slots: readonly Variable[];
  /** Names of the numbers that a step needs from outside. */
  readonly coefficientNames: readonly string[];
  /** Those numbers for the step of that number, counted from 1 over all jobs. */
  coefficients(stepNumber: number): Readonly<Record<string, number>>;
  /** Gives the variables and the slots their next values; gradients are in the order of the variables, coefficients are scalars. */
  update(gradients: readonly Tensor[], coefficients: Readonly<Record<string, Tensor>>): void;
  dispose(): void;
}

const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }; // Kingma and Ba 2015, as in PyTorch

interface OptimizedVariables {
  readonly variables: readonly Variable[];
  readonly state: Pick<OptimizerState, 'iterationCount' | 'slots'>;
}

/** An optimizer that goes on from `state`. @throws TrainingError BAD_TRAINING_JOB when the state is another optimizer's. */
export function createOptimizer(
  tf: TensorFlow,
  settings: TrainingSettings['optimizer'],
  { variables, state }: OptimizedVariables,
): Optimizer {
  const isFresh = state.iterationCount === 0;
  const shapes = variables.map((variable) => variable.shape);
  const slotted = slotShapes(settings, shapes);
  const expected = isFresh ? [] : slotted;
  if (
    expected.length !== state.slots.length ||
    expected.some((shape, at) => shape.join() !== state.slots[at]?.shape.join())
  ) {
    throw new TrainingError('BAD_TRAINING_JOB', 'the optimizer state is that of another optimizer or model', {
      details: { field: 'optimizerState', expected: expected.length, found: state.slots.length },
    });
  }
  const slots = slotted.map((shape, at) => createSlot(tf, shape, state.slots[at]));
  const { learningRate } = settings;
  if (settings.kind === 'adam') return createAdam(tf, learningRate, { variables, slots });
  if (settings.momentum === undefined) return createSgd(tf, learningRate, variables);
  return createMomentum(tf, { learningRate, momentum: settings.momentum }, { variables, slots });
}

/** Adam keeps two numbers for each weight, momentum one, plain descent none. */
function slotShapes(
  settings: TrainingSettings['optimizer'],
  shapes: readonly number[][],
): readonly number[][] {
  if (settings.kind === 'adam') return [...shapes, ...shapes];
  return settings.momentum === undefined ? [] : shapes;
}

interface SlottedVariables {
  readonly variables: readonly Variable[];
  readonly slots: readonly Variable[];
}

/** Heavy ball, as in PyTorch: v = momentum * v + gradient, then weight -= rate * v. */
function createMomentum(
  tf: TensorFlow,
  { learningRate, momentum }: { readonly learningRate: number; readonly momentum: number },
  { variables, slots }: SlottedVariables,
): Optimizer {
  return {
    slots,
    coefficientNames: ['rate'],
    coefficients: () => ({ rate: learningRate }),
    update: (gradients, { rate }) => {
      for (const [at, variable] of variables.entries()) {
        const velocity = slots[at] as Variable;
        velocity.assign(tf.add(tf.mul(velocity, momentum), gradients[at] as Tensor));
        variable.assign(tf.sub(variable, tf.mul(velocity, rate as Tensor)));
      }
    },
    dispose: () => tf.dispose([...slots]),
  };
}

function createSgd(tf: TensorFlow, learningRate: number, variables: readonly Variable[]): Optimizer {
  return {
    slots: [],
    coefficientNames: ['rate'],
    coefficients: () => ({ rate: learningRate }),
    update: (gradients, { rate }) => {
      for (const [at, variable] of variables.entries()) {
        variable.assign(tf.sub(variable, tf.mul(gradients[at] as Tensor, rate as Tensor)));
      }
    },
    dispose: () => {},
  };
}

/** The bias correction of both moments goes into rate and epsilon, so the powers of beta are computed in float64. */
function createAdam(tf: TensorFlow, learningRate: number, { variables, slots }: SlottedVariables): Optimizer {
  const { beta1, beta2, epsilon } = adam;
  const apply = isAdamNative(tf) ? applyNative : applyComposed;
  return {
    slots,
    coefficientNames: ['rate', 'epsilon'],
    coefficients: (stepNumber) => {
      const root = Math.sqrt(1 - beta2 ** stepNumber);
      return { rate: (learningRate * root) / (1 - beta1 ** stepNumber), epsilon: epsilon * root };
    },
    update: (gradients, { rate, epsilon: floor }) => {
      for (const [at, weight] of variables.entries()) {
        const [first, second] = [slots[at], slots[variables.length + at]] as [Variable, Variable];
        const gradient = gradients[at] as Tensor;
        const inputs = { weight, first, second, gradient, rate, epsilon: floor } as AdamInputs;
        const next = apply(tf, inputs, `weight-${at}`);
        for (const [slot, variable] of [weight, first, second].entries())
          variable.assign(next[slot] as Tensor);
      }
    },
    dispose: () => tf.dispose([...slots]),
  };
}

type AdamInputs = Record<'weight' | 'first' | 'second' | 'gradient' | 'rate' | 'epsilon', Tensor>;

function isAdamNative(tf: TensorFlow): boolean {
  return tf.getKernel(adamKernelName, tf.getBackend()) !== undefined;
}

/** TensorFlow's fused kernel. */
function applyNative(tf: TensorFlow, inputs: AdamInputs, name: string): Tensor[] {
  const attributes: AdamAttributes = { name, beta1: adam.beta1, beta2: adam.beta2 };
  return tf.engine().runKernel(adamKernelName, inputs as NamedTensorMap, { ...attributes }) as Tensor[];
}

/** The same in operations that every engine has. */
function applyComposed(
  tf: TensorFlow,
  { weight, first, second, gradient, rate, epsilon }: AdamInputs,
): Tensor[] {
  const { beta1, beta2 } = adam;
  const nextFirst = tf.add(tf.mul(first, beta1), tf.mul(gradient, 1 - beta1));
  const nextSecond = tf.add(tf.mul(second, beta2), tf.mul(tf.square(gradient), 1 - beta2));
  const change = tf.div(tf.mul(nextFirst, rate), tf.add(tf.sqrt(nextSecond), epsilon));
  return [tf.sub(weight, change), nextFirst, nextSecond];
}

function createSlot(tf: TensorFlow, shape: number[], stored: StoredTensor | undefined): Variable {
  return tf.tidy(() =>
    tf.variable(stored === undefined ? tf.zeros(shape) : tf.tensor(stored.data, shape, 'float32'), false),
  );
}

/** A copy of the slots. */
export async function readSlots({ slots }: Optimizer): Promise<StoredTensor[]> {
  const read: StoredTensor[] = [];
  for (const slot of slots) read.push({ shape: [...slot.shape], data: Float32Array.from(await slot.data()) });
  return read;
}
