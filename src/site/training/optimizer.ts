// TensorFlow.js's own optimizers, with slots that can be taken out and put back.
import type { TrainingSettings } from '#federation/records/research-study-plan.ts';
import type { Tensor } from '#federation/tensors/tensor.ts';
import type { TensorFlow } from '#site/model/index.ts';
import type { OptimizerState } from './optimizer-state.ts';
import { TrainingError } from './training-error.ts';

type Optimizer = ReturnType<TensorFlow['train']['sgd' | 'momentum' | 'adam']>;

const adamDefaults = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }; // Kingma and Ba 2015, as in PyTorch

/** An optimizer that goes on from `state`. @throws TrainingError BAD_TRAINING_JOB when the state is another optimizer's. */
export async function createOptimizer(
  tf: TensorFlow,
  settings: TrainingSettings['optimizer'],
  { state, shapes }: { readonly state: OptimizerState; readonly shapes: readonly (readonly number[])[] },
): Promise<Optimizer> {
  const fresh = state.iterationCount === 0;
  const expected = fresh ? [] : slotShapes(settings, shapes);
  if (
    expected.length !== state.slots.length ||
    expected.some((shape, at) => shape.join() !== state.slots[at]?.shape.join())
  ) {
    throw new TrainingError('BAD_TRAINING_JOB', 'the optimizer state is that of another optimizer or model', {
      details: { field: 'optimizerState', expected: expected.length, found: state.slots.length },
    });
  }
  const optimizer = newOptimizer(tf, settings);
  if (fresh) return optimizer;
  const iteration = { name: 'iter', tensor: tf.scalar(state.iterationCount, 'int32') };
  const slots = state.slots.map(({ shape, data }, at) => ({
    name: `slot-${at}`,
    tensor: tf.tensor(data, [...shape], 'float32'),
  }));
  await optimizer.setWeights([iteration, ...slots]);
  // The optimizer made variables of its own from the slots.
  tf.dispose([iteration.tensor, ...slots.map((slot) => slot.tensor)]);
  return optimizer;
}

function newOptimizer(tf: TensorFlow, settings: TrainingSettings['optimizer']): Optimizer {
  const { learningRate } = settings;
  if (settings.kind === 'adam')
    return tf.train.adam(learningRate, adamDefaults.beta1, adamDefaults.beta2, adamDefaults.epsilon);
  if (settings.momentum === undefined) return tf.train.sgd(learningRate);
  return tf.train.momentum(learningRate, settings.momentum);
}

/** Adam keeps two numbers for each weight, momentum one, plain descent none. */
function slotShapes(
  settings: TrainingSettings['optimizer'],
  shapes: readonly (readonly number[])[],
): readonly (readonly number[])[] {
  if (settings.kind === 'adam') return [...shapes, ...shapes];
  return settings.momentum === undefined ? [] : shapes;
}

/** A copy of the slots and the number of steps. */
export async function readOptimizer(
  tf: TensorFlow,
  optimizer: Optimizer,
): Promise<Pick<OptimizerState, 'iterationCount' | 'slots'>> {
  const [iteration, ...slots] = await optimizer.getWeights();
  const iterationCount = iteration?.tensor.dataSync()[0] ?? 0;
  tf.dispose(iteration?.tensor ?? []);
  const copies = slots.map(
    ({ tensor }): Tensor => ({ shape: [...tensor.shape], data: Float32Array.from(tensor.dataSync()) }),
  );
  return { iterationCount, slots: copies };
}
