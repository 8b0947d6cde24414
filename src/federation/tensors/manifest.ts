// Names, dtypes and shapes of a tensor map: what an update claims to hold before its numbers are looked at.
import { toHex, utf8 } from '#base/bytes.ts';
import { sha256 } from '#federation/crypto/digest.ts';
import { sortedNames, type Tensor, type TensorMap } from '#federation/tensors/tensor.ts';
import { badTensors } from '#federation/tensors/tensor-error.ts';

export type Dtype = 'F32' | 'F64';

export interface TensorDescription {
  readonly dtype: Dtype;
  readonly name: string;
  readonly shape: readonly number[];
}

/** In name order. */
export type TensorManifest = readonly TensorDescription[];

export function dtypeOf(tensor: Tensor): Dtype {
  return tensor.data instanceof Float32Array ? 'F32' : 'F64';
}

export function tensorManifest(tensors: TensorMap): TensorManifest {
  return sortedNames(tensors).map((name) => {
    const tensor = requireTensor(tensors, name);
    return { dtype: dtypeOf(tensor), name, shape: tensor.shape };
  });
}

/** sha256, in hexadecimal, of the manifest's RFC 8785 JSON: `[{"dtype":…,"name":…,"shape":[…]},…]` in name order. */
export function tensorManifestDigest(tensors: TensorMap): string {
  // Fields in alphabetical order, plain names and whole numbers: JSON.stringify writes exactly the RFC 8785 form.
  const canonical = tensorManifest(tensors).map(({ dtype, name, shape }) => ({ dtype, name, shape }));
  return toHex(sha256(utf8(JSON.stringify(canonical))));
}

/**
 * Holds the tensors against what is asked for: a tensor absent, extra, reshaped or of another dtype would be summed into
 * the wrong place or not at all.
 * @throws TensorError BAD_TENSORS
 */
export function requireManifest(tensors: TensorMap, expected: TensorManifest): void {
  for (const { dtype, name, shape } of expected) {
    const found = tensors.get(name);
    if (found === undefined) throw badTensors('tensor absent', { tensor: name });
    if (dtypeOf(found) !== dtype)
      throw badTensors('other dtype', { tensor: name, expected: dtype, found: dtypeOf(found) });
    if (!equalShapes(found.shape, shape)) {
      throw badTensors('other shape', { tensor: name, expected: shape, found: found.shape });
    }
  }
  if (tensors.size !== expected.length) {
    throw badTensors('extra tensor', { expected: expected.length, found: tensors.size });
  }
}

/** The tensor of that name. @throws TensorError BAD_TENSORS when it is absent. */
export function requireTensor(tensors: TensorMap, name: string): Tensor {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw badTensors('tensor absent', { tensor: name });
  return tensor;
}

function equalShapes(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((extent, axis) => extent === right[axis]);
}
