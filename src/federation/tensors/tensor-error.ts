// Refusals of tensors from outside (security.md E16).
import { CodedError } from '#base/coded-error.ts';

export type TensorCode = 'BAD_TENSORS';

/** Bytes or tensors that are not what the round asks for. `details` names the rule and, where it is one of ours, the tensor. */
export class TensorError extends CodedError<TensorCode> {}

/** A refusal naming the rule that was broken. */
export function badTensors(rule: string, details: Readonly<Record<string, unknown>> = {}): TensorError {
  return new TensorError('BAD_TENSORS', `the tensors are refused: ${rule}`, {
    details: { rule, ...details },
  });
}
