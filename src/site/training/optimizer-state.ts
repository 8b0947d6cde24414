// What a job hands to the next one: the optimizer's slots and the rest of the epoch, as safetensors.
import { encodeSafetensors, parseSafetensors } from '#federation/tensors/safetensors.ts';
import type { Tensor, TensorMap } from '#federation/tensors/tensor.ts';
import { TrainingError } from './training-error.ts';

export interface OptimizerState {
  /** Optimizer steps so far. */
  readonly iterationCount: number;
  /** The optimizer's own variables, in its order. */
  readonly slots: readonly Tensor[];
  readonly exampleCount: number;
  /** Row numbers still to come in the epoch. */
  readonly remaining: Uint32Array;
}

const freshState = { iterationCount: 0, slots: [], remaining: new Uint32Array(0) };

export function encodeOptimizerState(state: OptimizerState): Uint8Array {
  const tensors = new Map<string, Tensor>([
    ['order/counts', vector(state.iterationCount, state.exampleCount, state.remaining.length)],
  ]);
  if (state.remaining.length > 0) tensors.set('order/remaining', vector(...state.remaining));
  for (const [index, slot] of state.slots.entries()) tensors.set(slotName(index), slot);
  return encodeSafetensors(tensors);
}

/**
 * The state that `bytes` hold, or a new one. When the cohort has changed its size, row numbers mean other rows: the epoch starts anew.
 * @throws TrainingError BAD_TRAINING_JOB when the bytes are no state of this optimizer.
 */
export function decodeOptimizerState(bytes: Uint8Array | null, exampleCount: number): OptimizerState {
  if (bytes === null) return { ...freshState, exampleCount };
  const tensors = parse(bytes);
  const [iterationCount, countThen, remainingCount] = tensors.get('order/counts')?.data ?? [];
  if (iterationCount === undefined || countThen === undefined || remainingCount === undefined)
    throw unreadable();
  const slots: Tensor[] = [];
  for (let slot = tensors.get(slotName(0)); slot !== undefined; slot = tensors.get(slotName(slots.length)))
    slots.push(slot);
  const remaining = Uint32Array.from(tensors.get('order/remaining')?.data ?? []);
  if (remaining.length !== remainingCount || remaining.some((row) => row >= countThen)) throw unreadable();
  return {
    iterationCount,
    slots,
    exampleCount,
    remaining: countThen === exampleCount ? remaining : freshState.remaining,
  };
}

function parse(bytes: Uint8Array): TensorMap {
  try {
    return parseSafetensors(bytes, { maxBytes: bytes.length });
  } catch (error) {
    throw unreadable(error);
  }
}

function unreadable(cause?: unknown): TrainingError {
  return new TrainingError('BAD_TRAINING_JOB', 'the optimizer state cannot be read', {
    details: { field: 'optimizerState' },
    cause,
  });
}

function slotName(index: number): string {
  return `optimizer/${index}`;
}

function vector(...values: number[]): Tensor {
  return { shape: [values.length], data: Float64Array.from(values) };
}
