// Stands in front of the addon while a step runs, and writes down every operation with where its inputs come from. What the step computes
// meanwhile is thrown away: only shapes count, so each result is replaced by one stand-in of its shape and memory stays small.
import { TrainingError } from '../training-error.ts';
import { type ConstantTensor, dataTypes, recordedAttribute } from './graph-definition.ts';
import type { NativeBinding, OperationAttribute, TensorHandle } from './native-backend.ts';
import type { Message } from './protobuf.ts';

/** Where a value in a step comes from. */
export type ValueSource =
  | { readonly kind: 'shared' | 'stepwise'; readonly name: string }
  | { readonly kind: 'state' | 'constant'; readonly index: number }
  | { readonly kind: 'operation'; readonly index: number; readonly output: number };

export interface RecordedOperation {
  readonly operation: string;
  readonly attributes: readonly Message[];
  readonly inputs: readonly ValueSource[];
  /** Operations before it that touch the same resource. */
  readonly after: readonly number[];
}

/** Handles of results get numbers from here on, so that they never meet one of the addon's own. */
const firstStandInId = 2 ** 30;

export class StepRecorder {
  readonly operations: RecordedOperation[] = [];
  readonly constants: ConstantTensor[] = [];
  /** Values that the operations make: a measure of a step's work. */
  elementCount = 0;
  readonly #binding: NativeBinding;
  readonly #sources: Map<number, ValueSource>;
  readonly #made = new Map<number, ConstantTensor>();
  /** Stand-in of a result -> the real handle that is passed on in its place. */
  readonly #standIns = new Map<number, number>();
  readonly #standInOf = new Map<string, number>();
  readonly #resources: number[] = [];
  readonly #lastUse = new Map<number, number>();

  /** @param sources of the handles that the step may read: its inputs and its state */
  constructor(binding: NativeBinding, sources: ReadonlyMap<number, ValueSource>) {
    this.#binding = binding;
    this.#sources = new Map(sources);
  }

  /** The binding to put in the backend's place while the step runs. */
  recordingBinding(): NativeBinding {
    const recording = Object.create(this.#binding) as Record<string, unknown>;
    const calls = {
      createTensor: this.#createTensor.bind(this),
      deleteTensor: this.#deleteTensor.bind(this),
      executeOp: this.#execute.bind(this),
      tensorDataSync: () => {
        throw notRecordable('it reads a tensor’s values');
      },
    };
    for (const [name, value] of Object.entries(calls)) Object.defineProperty(recording, name, { value });
    return recording as unknown as NativeBinding;
  }

  /** Where the value of a handle comes from. @throws TrainingError TRAINING_STEP_NOT_RECORDABLE when it is from outside the step. */
  sourceOf(id: number): ValueSource {
    const known = this.#sources.get(id);
    if (known !== undefined) return known;
    const constant = this.#made.get(id);
    if (constant === undefined) throw notRecordable('it uses a tensor that is neither input nor state');
    const source: ValueSource = { kind: 'constant', index: this.constants.push(constant) - 1 };
    this.#sources.set(id, source);
    return source;
  }

  /** Frees the handles that stood in for results. */
  dispose(): void {
    for (const id of [...this.#standInOf.values(), ...this.#resources]) this.#binding.deleteTensor(id);
    this.#standInOf.clear();
    this.#standIns.clear();
  }

  #createTensor(
    shape: readonly number[],
    dtype: number,
    values: ArrayBufferView | readonly string[],
  ): number {
    const isNumeric =
      values instanceof Float32Array || values instanceof Int32Array || values instanceof Uint8Array;
    if (!isNumeric) throw notRecordable('it makes a tensor of another type than float32, int32 and bool');
    const id = this.#binding.createTensor(shape, dtype, values);
    this.#sources.delete(id);
    this.#made.set(id, { shape: [...shape], dtype, values: values.slice() });
    return id;
  }

  #deleteTensor(id: number): void {
    if (id < firstStandInId) this.#binding.deleteTensor(id);
  }

  #execute(
    operation: string,
    attributes: readonly OperationAttribute[],
    ids: readonly number[],
    outputCount: number,
  ): TensorHandle[] {
    const inputs = ids.map((id) => this.sourceOf(id));
    const real = ids.map((id) => this.#standIns.get(id) ?? id);
    const results = this.#binding.executeOp(operation, attributes, real, outputCount);
    const index = this.operations.push({
      operation,
      attributes: attributes.map((attribute) => this.#attribute(attribute)),
      inputs,
      after: this.#orderAfter(real, this.operations.length),
    });
    return results.map((result, output) =>
      this.#standIn(result, { kind: 'operation', index: index - 1, output }),
    );
  }

  #attribute(attribute: OperationAttribute): Message {
    const message = recordedAttribute(this.#binding, attribute);
    if (message === null) throw notRecordable('an operation has an attribute of an unknown kind');
    return message;
  }

  /** An operation on a resource has effects that no output shows: all that touch the same one keep their order. */
  #orderAfter(ids: readonly number[], index: number): number[] {
    const touched = ids.filter((id) => this.#resources.includes(id));
    const before = touched.flatMap((id) => this.#lastUse.get(id) ?? []);
    for (const id of touched) this.#lastUse.set(id, index);
    return before;
  }

  #standIn({ id, shape, dtype }: TensorHandle, source: ValueSource): TensorHandle {
    const standIn = firstStandInId + this.#standIns.size;
    this.#sources.set(standIn, source);
    const key = `${dtype} ${shape.join()}`;
    const shared = this.#standInOf.get(key);
    if (dtype === dataTypes.resource) {
      this.#resources.push(id);
    } else if (shared === undefined) {
      this.#standInOf.set(key, id);
    } else {
      this.#binding.deleteTensor(id);
    }
    this.#standIns.set(standIn, dtype === dataTypes.resource ? id : (shared ?? id));
    this.elementCount += shape.reduce((product, size) => product * size, 1);
    return { id: standIn, shape, dtype };
  }
}

export function notRecordable(why: string, cause?: unknown): TrainingError {
  const message = `the step cannot be run as a graph: ${why}`;
  return new TrainingError('TRAINING_STEP_NOT_RECORDABLE', message, { cause });
}
