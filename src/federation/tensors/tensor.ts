// A named tensor as site and consortium exchange it. Maps are iterated in name order wherever order matters.

export type TensorData = Float32Array | Float64Array;

/** `data` in row-major order; its length is the product of `shape` ([] is a scalar of length 1). */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: TensorData;
}

export type TensorMap = ReadonlyMap<string, Tensor>;

/** Names in code-unit order: the one order in which tensors are summed, written and digested. */
export function sortedNames(tensors: TensorMap): string[] {
  return [...tensors.keys()].sort();
}
