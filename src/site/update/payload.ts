// The tensors that would leave: the difference to the base model where weights were trained, the run's own numbers otherwise.
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import type { RoundKind } from '#federation/records/round.ts';
import { l2Norm, subtract } from '#federation/tensors/delta.ts';
import { encodeSafetensors } from '#federation/tensors/safetensors.ts';
import type { TensorMap } from '#federation/tensors/tensor.ts';
import { UpdateError } from './update-error.ts';

export interface Payload {
  readonly tensors: TensorMap;
  /** Their safetensors: the exact bytes that leave. */
  readonly bytes: Uint8Array;
  /** Over all values of all tensors. */
  readonly l2Norm: number;
}

export interface PayloadSource {
  readonly kind: RoundKind;
  /** What the run made. */
  readonly made: TensorMap;
  readonly base: TensorMap;
  readonly limits: ResearchStudyPlan['limits'];
}

/**
 * @throws TensorError BAD_TENSORS when trained weights do not fit the base; UpdateError UPDATE_TOO_LARGE when the delta is
 * longer than the plan's norm bound or the payload larger than its byte limit: the consortium would refuse it, and a delta
 * of that size tells more about single patients than was agreed to.
 */
export function createPayload({ kind, made, base, limits }: PayloadSource): Payload {
  const tensors = kind === 'training' ? subtract(made, trainable(base, made)) : made;
  const norm = l2Norm(tensors);
  // Written so that a NaN is refused as well.
  if (kind === 'training' && !(norm <= limits.maxUpdateNorm)) {
    throw tooLarge({
      field: 'l2Norm',
      expected: limits.maxUpdateNorm,
      found: Number.isFinite(norm) ? norm : null,
    });
  }
  const bytes = encodeSafetensors(tensors);
  if (bytes.length > limits.maxUpdateBytes) {
    throw tooLarge({ field: 'payloadBytes', expected: limits.maxUpdateBytes, found: bytes.length });
  }
  return { tensors, bytes, l2Norm: norm };
}

/** The base carries the normalisation too, which no site trains. */
function trainable(base: TensorMap, made: TensorMap): TensorMap {
  return new Map([...base].filter(([name]) => made.has(name)));
}

function tooLarge(details: Readonly<Record<string, unknown>>): UpdateError {
  return new UpdateError('UPDATE_TOO_LARGE', 'The update is larger than the plan allows.', { details });
}
