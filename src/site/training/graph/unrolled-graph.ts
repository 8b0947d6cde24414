// Makes of one recorded step a graph that takes several one after the other: what TensorFlow asks for each run is then paid once for all of them.
import {
  type GraphNode,
  integerAttribute,
  shapeAttribute,
  tensorAttribute,
  typeAttribute,
} from './graph-definition.ts';
import type { ValueSource } from './step-recorder.ts';
import type { StepRecording, ValueDescription } from './step-recording.ts';

export interface UnrolledGraph {
  readonly nodes: readonly GraphNode[];
  /** Names to feed, in this order: shared inputs, stepwise inputs of shape [steps, ...], state. */
  readonly inputs: readonly string[];
  /** Names to fetch: outputs of shape [steps, ...], then the state that a step changes. */
  readonly outputs: readonly string[];
  /** Which of the state's values the outputs hold. */
  readonly changedState: readonly number[];
}

/** `stepCount` copies of the step, each with the state of the one before. */
export function unrollSteps(recording: StepRecording, stepCount: number): UnrolledGraph {
  const { shared, stepwise, state, constants, operations, nextState, outputs } = recording;
  const nodes: GraphNode[] = [
    ...[...shared].map(([name, value]) => placeholder(sharedName(name), value)),
    ...[...stepwise].flatMap(([name, value]) => unstack(name, value, stepCount)),
    ...state.map((value, index) => placeholder(stateName(index), value)),
    ...constants.map((constant, index) => ({
      name: constantName(index),
      operation: 'Const',
      inputs: [],
      attributes: [typeAttribute('dtype', constant.dtype), tensorAttribute('value', constant)],
    })),
  ];
  for (let step = 0; step < stepCount; step += 1) {
    for (const [index, { operation, attributes, inputs, after }] of operations.entries()) {
      nodes.push({
        name: operationName(step, index),
        operation,
        attributes,
        inputs: [
          ...inputs.map((source) => nameOf(recording, source, step)),
          ...after.map((earlier) => `^${operationName(step, earlier)}`),
        ],
      });
    }
  }
  for (const [name, source] of outputs) {
    const all = Array.from({ length: stepCount }, (_, step) => nameOf(recording, source, step));
    nodes.push(stack(outputName(name), source, all));
  }
  const changedState = [...nextState.keys()].filter((index) => !isUnchanged(recording, index));
  for (const index of changedState) {
    const last = nameOf(recording, nextState[index] as ValueSource, stepCount - 1);
    nodes.push(identity(nextStateName(index), state[index] as ValueDescription, last));
  }
  return {
    nodes,
    inputs: [
      ...[...shared.keys()].map((name) => `${sharedName(name)}:0`),
      ...[...stepwise.keys()].map((name) => `${stackedName(name)}:0`),
      ...[...state.keys()].map((index) => `${stateName(index)}:0`),
    ],
    outputs: [
      ...[...outputs.keys()].map((name) => `${outputName(name)}:0`),
      ...changedState.map((index) => `${nextStateName(index)}:0`),
    ],
    changedState,
  };
}

/** The output that holds a value in the step of that number. */
function nameOf(recording: StepRecording, source: ValueSource, step: number): string {
  switch (source.kind) {
    case 'shared':
      return `${sharedName(source.name)}:0`;
    case 'stepwise':
      return `${unstackName(source.name)}:${step}`;
    case 'constant':
      return `${constantName(source.index)}:0`;
    case 'operation':
      return `${operationName(step, source.index)}:${source.output}`;
    case 'state': {
      if (step === 0 || isUnchanged(recording, source.index)) return `${stateName(source.index)}:0`;
      return nameOf(recording, recording.nextState[source.index] as ValueSource, step - 1);
    }
  }
}

function isUnchanged({ nextState }: StepRecording, index: number): boolean {
  const next = nextState[index];
  return next?.kind === 'state' && next.index === index;
}

function placeholder(name: string, { shape, dtype }: ValueDescription): GraphNode {
  return {
    name,
    operation: 'Placeholder',
    inputs: [],
    attributes: [typeAttribute('dtype', dtype), shapeAttribute('shape', shape)],
  };
}

function unstack(name: string, { shape, dtype }: ValueDescription, stepCount: number): GraphNode[] {
  const stacked = { shape: [stepCount, ...shape], dtype };
  const attributes = [
    typeAttribute('T', dtype),
    integerAttribute('num', stepCount),
    integerAttribute('axis', 0),
  ];
  const inputs = [`${stackedName(name)}:0`];
  return [
    placeholder(stackedName(name), stacked),
    { name: unstackName(name), operation: 'Unpack', inputs, attributes },
  ];
}

function stack(name: string, { dtype }: ValueDescription, inputs: readonly string[]): GraphNode {
  const attributes = [
    typeAttribute('T', dtype),
    integerAttribute('N', inputs.length),
    integerAttribute('axis', 0),
  ];
  return { name, operation: 'Pack', inputs, attributes };
}

/** TensorFlow gives no value back that it was fed with, as when a step swaps two variables. */
function identity(name: string, { dtype }: ValueDescription, input: string): GraphNode {
  return { name, operation: 'Identity', inputs: [input], attributes: [typeAttribute('T', dtype)] };
}

const sharedName = (name: string): string => `shared/${name}`;
const stackedName = (name: string): string => `stepwise/${name}`;
const unstackName = (name: string): string => `unstacked/${name}`;
const stateName = (index: number): string => `state/${index}`;
const nextStateName = (index: number): string => `next-state/${index}`;
const constantName = (index: number): string => `constant/${index}`;
const operationName = (step: number, index: number): string => `step${step}/${index}`;
const outputName = (name: string): string => `output/${name}`;
