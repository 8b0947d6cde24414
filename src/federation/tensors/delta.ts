// Differences and sizes of tensor maps. Sums run in float64, in name order, so that every machine gets the same number.
import { requireManifest, requireTensor, tensorManifest } from '#federation/tensors/manifest.ts';
import { sortedNames, type Tensor, type TensorData, type TensorMap } from '#federation/tensors/tensor.ts';

/** `minuend - subtrahend`, value by value, rounded once to the minuend's dtype. @throws TensorError BAD_TENSORS for other names or shapes. */
export function subtract(minuend: TensorMap, subtrahend: TensorMap): TensorMap {
  requireManifest(subtrahend, tensorManifest(minuend));
  return new Map(
    sortedNames(minuend).map((name): [string, Tensor] => {
      const { shape, data } = requireTensor(minuend, name);
      return [name, { shape, data: difference(data, requireTensor(subtrahend, name).data) }];
    }),
  );
}

/** Euclidean length of all values taken as one vector. */
export function l2Norm(tensors: TensorMap): number {
  let sum = 0;
  for (const name of sortedNames(tensors)) sum += squareSum(requireTensor(tensors, name).data);
  return Math.sqrt(sum);
}

/** Euclidean length of one tensor. */
export function tensorL2Norm(tensor: Tensor): number {
  return Math.sqrt(squareSum(tensor.data));
}

/** The largest absolute value; 0 for a tensor without values. */
export function largestMagnitude(tensor: Tensor): number {
  let largest = 0;
  for (const value of tensor.data) largest = Math.max(largest, Math.abs(value));
  return largest;
}

/** Whether every value is a finite number. */
export function areFinite(tensors: TensorMap): boolean {
  for (const { data } of tensors.values()) {
    for (const value of data) if (!Number.isFinite(value)) return false;
  }
  return true;
}

function difference(left: TensorData, right: TensorData): TensorData {
  const result = left instanceof Float32Array ? new Float32Array(left.length) : new Float64Array(left.length);
  for (let index = 0; index < left.length; index += 1)
    result[index] = (left[index] ?? 0) - (right[index] ?? 0);
  return result;
}

function squareSum(data: TensorData): number {
  let sum = 0;
  for (const value of data) sum += value * value;
  return sum;
}
