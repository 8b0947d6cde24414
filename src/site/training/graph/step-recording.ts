// Records one training step as a list of TensorFlow operations. Nothing that depends on data may be frozen into it: every number that enters
// from JavaScript has to be the same in two recordings, and no tensor's values can be read meanwhile.
import type { Tensor, Variable } from '@tensorflow/tfjs-node';
import { BugError } from '#base/coded-error.ts';
import type { TensorFlow } from '#site/model/index.ts';
import type { ConstantTensor } from './graph-definition.ts';
import type { NativeBackend } from './native-backend.ts';
import { notRecordable, type RecordedOperation, StepRecorder, type ValueSource } from './step-recorder.ts';

export type Tensors = Readonly<Record<string, Tensor>>;

/** A function of its arguments and of the state alone: no reading of values, no randomness, no counting. */
export type TrainingStep = (shared: Tensors, stepwise: Tensors) => Tensors;

export interface StepDefinition {
  readonly step: TrainingStep;
  /** The same tensors for every step: the resident examples, say. */
  readonly shared: Tensors;
  /** What each step gets anew, by its shape: row numbers, masks, learning rate, noise. */
  readonly stepwise: Readonly<Record<string, StepwiseInput>>;
  /** What a step replaces for the next one: weights and optimizer slots. */
  readonly state: readonly Variable[];
  /** Where the next step waits for what JavaScript makes of this one's outputs: 1. Absent: as many as are worth it. */
  readonly mostStepsPerRun?: number;
}

export interface StepwiseInput {
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32';
}

export interface ValueDescription {
  readonly shape: readonly number[];
  /** One of dataTypes. */
  readonly dtype: number;
}

export interface StepRecording {
  readonly operations: readonly RecordedOperation[];
  readonly constants: readonly ConstantTensor[];
  readonly shared: ReadonlyMap<string, ValueDescription>;
  readonly stepwise: ReadonlyMap<string, ValueDescription>;
  readonly state: readonly ValueDescription[];
  /** Values of the state after the step, in its order. */
  readonly nextState: readonly ValueSource[];
  readonly outputs: ReadonlyMap<string, ValueSource & ValueDescription>;
  readonly elementCount: number;
}

/** Leaves tensors and state as they were. @throws TrainingError TRAINING_STEP_NOT_RECORDABLE. */
export function recordStep(
  tf: TensorFlow,
  backend: NativeBackend,
  definition: StepDefinition,
): StepRecording {
  const first = recordOnce(tf, backend, definition);
  const second = recordOnce(tf, backend, definition);
  if (!isSame(first, second)) {
    throw notRecordable('it does something else each time: random numbers, a count, a schedule');
  }
  return first;
}

function recordOnce(tf: TensorFlow, backend: NativeBackend, definition: StepDefinition): StepRecording {
  const { step, shared, state } = definition;
  const example = exampleInputs(tf, definition.stepwise);
  const kept = state.map((variable) => variable.clone());
  const idOf = (tensor: Tensor): number => backend.getInputTensorIds([tensor])[0] as number;
  const describe = (tensor: Tensor): ValueDescription => ({
    shape: [...tensor.shape],
    dtype: backend.tensorMap.get(tensor.dataId).dtype,
  });
  const describeAll = (tensors: Tensors) =>
    new Map(Object.entries(tensors).map(([name, tensor]) => [name, describe(tensor)]));
  const known: (readonly [number, ValueSource])[] = [
    ...Object.entries(shared).map(([name, tensor]) => [idOf(tensor), { kind: 'shared', name }] as const),
    ...Object.entries(example).map(([name, tensor]) => [idOf(tensor), { kind: 'stepwise', name }] as const),
    ...state.map((variable, index) => [idOf(variable), { kind: 'state', index }] as const),
  ];
  const sources = new Map(known);
  if (sources.size < known.length) throw new BugError('two inputs of a step share one tensor');
  const described = {
    shared: describeAll(shared),
    stepwise: describeAll(example),
    state: state.map(describe),
  };
  const recorder = new StepRecorder(backend.binding, sources);
  const { binding } = backend;
  backend.binding = recorder.recordingBinding();
  let recording: StepRecording | undefined;
  try {
    tf.tidy(() => {
      const outputs = step(shared, example);
      const nextState = state.map((variable) => recorder.sourceOf(idOf(variable)));
      const named = Object.entries(outputs).map(
        ([name, tensor]) => [name, { ...describe(tensor), ...recorder.sourceOf(idOf(tensor)) }] as const,
      );
      const { operations, constants, elementCount } = recorder;
      recording = { operations, constants, ...described, nextState, outputs: new Map(named), elementCount };
    });
    return recording as unknown as StepRecording;
  } finally {
    for (const [index, variable] of state.entries()) variable.assign(kept[index] as Tensor);
    tf.dispose([...kept, ...Object.values(example)]);
    backend.binding = binding;
    recorder.dispose();
  }
}

/** Zeros: the recorder looks at no value. */
function exampleInputs(tf: TensorFlow, stepwise: StepDefinition['stepwise']): Tensors {
  return Object.fromEntries(
    Object.entries(stepwise).map(([name, { shape, dtype }]) => [name, tf.zeros([...shape], dtype)]),
  );
}

function isSame(first: StepRecording, second: StepRecording): boolean {
  return Buffer.compare(digestible(first), digestible(second)) === 0;
}

/** All of a recording that ends in its graph, byte for byte. */
function digestible({ operations, constants, nextState, outputs }: StepRecording): Buffer {
  const bytes = (part: Uint8Array) => Buffer.from(part).toString('latin1');
  const parts = [
    operations.map((one) => ({ ...one, attributes: one.attributes.map(bytes) })),
    constants.map(({ values, ...rest }) => ({
      ...rest,
      values: bytes(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
    })),
    nextState,
    [...outputs],
  ];
  return Buffer.from(JSON.stringify(parts));
}
