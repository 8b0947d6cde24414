// One step of Adam for one weight in TensorFlow's fused kernel, which reads and writes each number once; tf.js takes a dozen passes.
import type { NamedAttrMap, NamedTensorInfoMap, Tensor, TensorInfo } from '@tensorflow/tfjs-node';
import type { NativeBackend, OperationAttribute } from './native-backend.ts';

/** Takes weight, first and second moment, gradient, rate and epsilon; gives the new weight and moments. */
export const adamKernelName = 'ApplyAdam';

export interface AdamAttributes {
  /** Names the weight in TensorFlow, unlike any other weight of the step. */
  readonly name: string;
  readonly beta1: number;
  readonly beta2: number;
}

/**
 * m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2, w = w - rate m / (sqrt(v) + epsilon). Bias correction is in rate and epsilon.
 * The kernel works on resources: they hold the values for the time of the step and no longer.
 */
export function runAdam(
  backend: NativeBackend,
  inputs: NamedTensorInfoMap,
  attributes: NamedAttrMap | undefined,
): TensorInfo[] {
  const { binding } = backend;
  const { name, beta1, beta2 } = attributes as unknown as AdamAttributes;
  const { weight, first, second, gradient, rate, epsilon } = inputs as Record<string, Tensor>;
  const state = [weight, first, second] as Tensor[];
  const [gradientId, rateId, epsilonId] = backend.getInputTensorIds([gradient, rate, epsilon] as Tensor[]);
  const resources = state.map((tensor, slot) => openResource(backend, tensor, `${name}/${slot}`));
  const scalar = (value: number) => binding.createTensor([], binding.TF_FLOAT, Float32Array.of(value));
  const [zero, beta1Id, beta2Id] = [scalar(0), scalar(beta1), scalar(beta2)];
  const ids = [...resources, zero, zero, rateId, beta1Id, beta2Id, epsilonId, gradientId];
  const type = { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT };
  binding.executeOp('ResourceApplyAdam', [type], ids as number[], 0);
  const read: OperationAttribute[] = [{ name: 'dtype', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT }];
  const next = resources.map((resource) =>
    backend.createOutputTensor(binding.executeOp('ReadVariableOp', read, [resource], 1)[0] as never),
  );
  for (const resource of resources) {
    binding.executeOp('DestroyResourceOp', [], [resource], 0);
    binding.deleteTensor(resource);
  }
  for (const id of [zero, beta1Id, beta2Id]) binding.deleteTensor(id);
  return next;
}

/** A variable of TensorFlow's that holds the tensor's values. */
function openResource(backend: NativeBackend, tensor: Tensor, name: string): number {
  const { binding } = backend;
  const dtype = { name: 'dtype', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT };
  const shape = { name: 'shape', type: binding.TF_ATTR_SHAPE, value: tensor.shape };
  const sharedName = { name: 'shared_name', type: binding.TF_ATTR_STRING, value: name };
  const resource = binding.executeOp('VarHandleOp', [dtype, shape, sharedName], [], 1)[0]?.id as number;
  const [value] = backend.getInputTensorIds([tensor]);
  binding.executeOp('AssignVariableOp', [dtype], [resource, value as number], 0);
  return resource;
}
