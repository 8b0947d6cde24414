// Holds a global model against the one before it: a round changes what its kind says, and nothing else. What no update sent, nobody
// may put there: a mean and scale of the consortium's choice could make one patient stand out in every gradient.
import { equalBytes } from '#base/bytes.ts';
import { WEIGHTS } from '#federation/aggregation/payload-manifest.ts';
import type { GlobalModel } from '#federation/records/global-model.ts';
import { encodeSafetensors, parseSafetensors } from '#federation/tensors/safetensors.ts';
import type { TensorMap } from '#federation/tensors/tensor.ts';
import { PublishedError } from './published-error.ts';

/** Prefix of what a round of the kind changes; undefined: nothing that a site could hold it against. */
const changedBy: Readonly<Record<GlobalModel['kind'], string | undefined>> = {
  initial: undefined,
  statistics: 'normalisation/',
  training: WEIGHTS,
  evaluation: undefined,
};

/**
 * @param base safetensors of the model of the round before
 * @throws PublishedError WRONG_MODEL_DIGEST.
 */
export function checkChangedTensors(
  kind: GlobalModel['kind'],
  tensors: TensorMap,
  base: Uint8Array | undefined,
): void {
  const prefix = changedBy[kind];
  if (prefix === undefined || base === undefined) return;
  const kept = (all: TensorMap) =>
    encodeSafetensors(new Map([...all].filter(([name]) => !name.startsWith(prefix))));
  if (equalBytes(kept(tensors), kept(parseSafetensors(base, { maxBytes: base.length })))) return;
  throw new PublishedError(
    'WRONG_MODEL_DIGEST',
    'The model differs from the one before it in more than its round changes.',
    { details: { expected: `${prefix}*` } },
  );
}
