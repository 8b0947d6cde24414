// Runs one TensorFlow operation on tensors of tf.js.
import type { Tensor } from '@tensorflow/tfjs-node';
import type { NativeBackend, OperationAttribute } from './native-backend.ts';

export interface Operation {
  readonly operation: string;
  readonly inputs: readonly Tensor[];
  /** The attribute that holds the first input's type: T. */
  readonly typeName?: string;
  readonly attributes?: readonly OperationAttribute[];
}

export function execute(backend: NativeBackend, operation: Operation): Tensor {
  return executeAll(backend, { ...operation, outputCount: 1 })[0] as Tensor;
}

export function executeAll(
  backend: NativeBackend,
  {
    operation,
    inputs,
    typeName = 'T',
    attributes = [],
    outputCount,
  }: Operation & { readonly outputCount: number },
): Tensor[] {
  const ids = backend.getInputTensorIds(inputs);
  const [first] = inputs;
  const dtype = backend.tensorMap.get((first as Tensor).dataId).dtype;
  const all = [{ name: typeName, type: backend.binding.TF_ATTR_TYPE, value: dtype }, ...attributes];
  return backend.binding
    .executeOp(operation, all, ids, outputCount)
    .map((handle) => backend.createOutputTensor(handle));
}
