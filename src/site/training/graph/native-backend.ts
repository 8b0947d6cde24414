// The inside of tfjs-node 4.22 that graph mode builds on: its addon's calls and its map from tensors to TensorFlow's handles.
// The package is frozen and pinned; another build that lacks a call trains eagerly.
import type { Tensor } from '@tensorflow/tfjs-node';
import type { TensorFlow } from '#site/model/index.ts';

export interface OperationAttribute {
  readonly name: string;
  /** One of the binding's TF_ATTR_ numbers. */
  readonly type: number;
  readonly value: unknown;
}

/** A tensor of TensorFlow's: the number of its handle in the addon, its shape, and its type as in types.proto. */
export interface TensorHandle {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: number;
}

export interface NativeBinding {
  createTensor(shape: readonly number[], dtype: number, values: ArrayBufferView | readonly string[]): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): Float32Array | Int32Array | Uint8Array;
  executeOp(
    operation: string,
    attributes: readonly OperationAttribute[],
    inputs: readonly number[],
    outputCount: number,
  ): TensorHandle[];
  loadSavedModel(folder: string, tags: string): number;
  deleteSavedModel(model: number): void;
  /** Names are joined by commas, each with its output's number: `name:0`. */
  runSavedModel(
    model: number,
    inputs: readonly number[],
    inputNames: string,
    outputNames: string,
  ): TensorHandle[];
  getNumOfSavedModels(): number;
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_BOOL: number;
  readonly TF_RESOURCE: number;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_SHAPE: number;
}

interface TensorEntry {
  id: number;
  /** Not yet handed to TensorFlow. */
  values: unknown;
  readonly dtype: number;
  /** Tensors that show it: more than one after a clone. */
  readonly refCount: number;
}

export interface NativeBackend {
  binding: NativeBinding;
  readonly tensorMap: { get(dataId: object): TensorEntry };
  /** Hands values to TensorFlow that are still in JavaScript. */
  getInputTensorIds(tensors: readonly { readonly dataId: object }[]): number[];
  createOutputTensor(handle: TensorHandle): Tensor;
}

const usedCalls = [
  'createTensor',
  'deleteTensor',
  'tensorDataSync',
  'executeOp',
  'loadSavedModel',
  'deleteSavedModel',
  'runSavedModel',
] as const;

/** The backend of native TensorFlow, or null where another one computes or the addon is of another build. */
export function nativeBackend(tf: TensorFlow): NativeBackend | null {
  if (tf.getBackend() !== 'tensorflow') return null;
  const backend = tf.backend() as unknown as NativeBackend;
  const isComplete =
    usedCalls.every((call) => typeof backend.binding?.[call] === 'function') &&
    typeof backend.getInputTensorIds === 'function' &&
    typeof backend.createOutputTensor === 'function' &&
    typeof backend.tensorMap?.get === 'function';
  return isComplete ? backend : null;
}
