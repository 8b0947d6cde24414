// A training step as a TensorFlow graph: recorded once, run for one or several steps at a time on the same tf.Variables.
import type { Variable } from '@tensorflow/tfjs-node';
import { BugError } from '#base/coded-error.ts';
import type { TensorFlow } from '#site/model/index.ts';
import { type LoadedGraph, loadGraph } from './loaded-graph.ts';
import { type NativeBackend, nativeBackend, type TensorHandle } from './native-backend.ts';
import { notRecordable } from './step-recorder.ts';
import { recordStep, type StepDefinition, type StepRecording } from './step-recording.ts';
import { type UnrolledGraph, unrollSteps } from './unrolled-graph.ts';

/** Values of a stepwise input or an output, step after step. */
export type StepValues = Readonly<Record<string, Float32Array | Int32Array | Uint8Array>>;

export interface CompiledStep {
  /** How many steps to take at a time: for small ones several, while a run stays within a few milliseconds. */
  readonly stepsPerRun: number;
  /**
   * Takes `stepCount` steps, each with its part of the stepwise inputs, and puts the new state under the variables.
   * Gives the outputs of all steps. The graph for another count than stepsPerRun is made at its first use.
   */
  run(stepwise: StepValues, stepCount: number): StepValues;
  /** Frees the graphs; the variables stay as they are. */
  dispose(): void;
}

/** Values that the operations of one run may make. */
const elementsPerRun = 6_000_000;
const mostStepsPerRun = 8; // each makes the graph larger, and loading it slower, by about 30 ms

interface StepGraph {
  readonly graph: UnrolledGraph;
  readonly loaded: LoadedGraph;
}

/** @throws TrainingError TRAINING_STEP_NOT_RECORDABLE when the step is no function of its inputs, or the engine has no graphs. */
export function compileStep(tf: TensorFlow, definition: StepDefinition): CompiledStep {
  const backend = nativeBackend(tf);
  if (backend === null) throw notRecordable('the engine is not native TensorFlow');
  const recording = recordStep(tf, backend, definition);
  const affordable = Math.floor(elementsPerRun / recording.elementCount);
  const stepsPerRun = Math.max(1, Math.min(affordable, definition.mostStepsPerRun ?? mostStepsPerRun));
  const graphs = new Map<number, StepGraph>();
  const graphOf = (stepCount: number): StepGraph => {
    const known = graphs.get(stepCount);
    if (known !== undefined) return known;
    const graph = unrollSteps(recording, stepCount);
    const made = { graph, loaded: load(backend, graph) };
    graphs.set(stepCount, made);
    return made;
  };
  graphOf(stepsPerRun);
  return {
    stepsPerRun,
    run: (stepwise, stepCount) =>
      runGraph(backend, { ...graphOf(stepCount), recording, definition, stepwise, stepCount }),
    dispose: () => {
      for (const { loaded } of graphs.values()) loaded.dispose();
      graphs.clear();
    },
  };
}

/** TensorFlow of another version may lack an operation, or have it with other attributes. */
function load({ binding }: NativeBackend, graph: UnrolledGraph): LoadedGraph {
  try {
    return loadGraph(binding, graph);
  } catch (cause) {
    throw notRecordable('the engine does not load it', cause);
  }
}

interface GraphRun extends StepGraph {
  readonly recording: StepRecording;
  readonly definition: StepDefinition;
  readonly stepwise: StepValues;
  readonly stepCount: number;
}

function runGraph(
  backend: NativeBackend,
  { graph, loaded, recording, definition, stepwise, stepCount }: GraphRun,
): StepValues {
  const { binding } = backend;
  const fed = [...recording.stepwise].map(([name, { shape, dtype }]) => {
    const values = stepwise[name];
    const size = shape.reduce((product, length) => product * length, stepCount);
    if (values?.length !== size) throw new BugError(`the input ${name} does not fit the recorded step`);
    return binding.createTensor([stepCount, ...shape], dtype, values);
  });
  const sharedTensors = Object.values(definition.shared);
  try {
    const results = loaded.run([
      ...backend.getInputTensorIds(sharedTensors),
      ...fed,
      ...backend.getInputTensorIds(definition.state),
    ]);
    const names = [...recording.outputs.keys()];
    for (const [at, index] of graph.changedState.entries()) {
      replaceHandle(backend, definition.state[index] as Variable, results[names.length + at] as TensorHandle);
    }
    return Object.fromEntries(names.map((name, at) => [name, take(backend, results[at]?.id as number)]));
  } finally {
    for (const id of fed) binding.deleteTensor(id);
  }
}

/** The values of a handle, which is freed. */
function take({ binding }: NativeBackend, id: number): Float32Array | Int32Array | Uint8Array {
  const values = binding.tensorDataSync(id);
  binding.deleteTensor(id);
  return values;
}

/** Puts another handle under a variable without a copy; a clone of the variable keeps the values that it had. */
function replaceHandle(backend: NativeBackend, variable: Variable, handle: TensorHandle): void {
  const entry = backend.tensorMap.get(variable.dataId);
  if (entry.refCount > 1) {
    const next = backend.createOutputTensor(handle);
    variable.assign(next);
    next.dispose();
    return;
  }
  backend.binding.deleteTensor(entry.id);
  entry.id = handle.id;
  entry.values = null;
}
