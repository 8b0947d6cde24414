// A run in the middle: weights, optimizer and the number of steps taken, bound to the digest of its job. What the seed draws (batches,
// what drops out) is drawn again up to that step, so nothing else has to be kept.
import { concatBytes, utf8 } from '#base/bytes.ts';
import { sha256 } from '#federation/crypto/digest.ts';
import { encodeCanonicalJson } from '#federation/records/canonical-json.ts';
import { encodeSafetensors, parseSafetensors } from '#federation/tensors/safetensors.ts';
import type { Tensor, TensorMap } from '#federation/tensors/tensor.ts';
import type { TrainingJob } from '#site/ports.ts';
import { TrainingError } from './training-error.ts';

export interface TrainingCheckpoint {
  /** Steps of the job that are done. */
  readonly step: number;
  readonly weights: TensorMap;
  /** The optimizer's own variables, in its order. */
  readonly slots: readonly Tensor[];
  /** In how many parts batches are taken (see TrainingResult.microBatchCount). */
  readonly microBatchCount: number;
  /** Mean loss over all examples before the first step, in nats. */
  readonly lossBefore: number;
  /** Time that the run has computed. */
  readonly elapsedMs: number;
}

/** 32 bytes over all that decides what a job's steps do: a checkpoint of one job is none of another. */
export function digestJob({
  model,
  training,
  weights,
  examples,
  seed,
  optimizerState,
  privacy,
}: TrainingJob): Uint8Array {
  const { features, shape, labels, count, subjects } = examples;
  const parts = [
    utf8('consilium training job'),
    encodeCanonicalJson({ model, training, shape, count, privacy: privacy ?? null } as never),
    encodeSafetensors(weights),
    bytesOf(features),
    bytesOf(labels),
    bytesOf(subjects ?? new Uint32Array(0)),
    seed,
    optimizerState ?? new Uint8Array(0),
  ];
  return sha256(concatBytes(...parts.map((part) => sha256(part))));
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Uint32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

export function encodeCheckpoint(checkpoint: TrainingCheckpoint, jobDigest: Uint8Array): Uint8Array {
  const { step, microBatchCount, lossBefore, elapsedMs } = checkpoint;
  const tensors = new Map<string, Tensor>([
    ['run/job', vector(...jobDigest)],
    ['run/state', vector(step, microBatchCount, lossBefore, elapsedMs)],
  ]);
  for (const [name, weight] of checkpoint.weights) tensors.set(`model/${name}`, weight);
  for (const [at, slot] of checkpoint.slots.entries()) tensors.set(`optimizer/${at}`, slot);
  return encodeSafetensors(tensors);
}

/** @throws TrainingError BAD_TRAINING_JOB when the bytes are no checkpoint of the job with that digest. */
export function decodeCheckpoint(bytes: Uint8Array, jobDigest: Uint8Array): TrainingCheckpoint {
  const tensors = parse(bytes);
  const job = tensors.get('run/job')?.data;
  if (job?.length !== jobDigest.length || jobDigest.some((byte, at) => byte !== job[at]))
    throw unusable('it is that of another job');
  const [step, microBatchCount, lossBefore, elapsedMs] = tensors.get('run/state')?.data ?? [];
  if (
    step === undefined ||
    microBatchCount === undefined ||
    lossBefore === undefined ||
    elapsedMs === undefined
  )
    throw unusable('it is not complete');
  const weights = [...tensors].filter(([name]) => name.startsWith('model/'));
  const slots: Tensor[] = [];
  for (
    let slot = tensors.get('optimizer/0');
    slot !== undefined;
    slot = tensors.get(`optimizer/${slots.length}`)
  )
    slots.push(slot);
  return {
    step,
    weights: new Map(weights.map(([name, tensor]) => [name.slice('model/'.length), tensor])),
    slots,
    microBatchCount,
    lossBefore,
    elapsedMs,
  };
}

function parse(bytes: Uint8Array): TensorMap {
  try {
    return parseSafetensors(bytes, { maxBytes: bytes.length });
  } catch (cause) {
    throw unusable('it cannot be read', cause);
  }
}

function unusable(rule: string, cause?: unknown): TrainingError {
  return new TrainingError('BAD_TRAINING_JOB', `the checkpoint is refused: ${rule}`, {
    details: { field: 'checkpoint', rule },
    cause,
  });
}

function vector(...values: number[]): Tensor {
  return { shape: [values.length], data: Float64Array.from(values) };
}
