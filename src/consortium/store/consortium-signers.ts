// The consortium's working keys, made from their seeds once when it opens.
import { createReceivingKey, type ReceivingKey } from '#federation/crypto/receiving-key.ts';
import { createSigningKey, type SigningKey } from '#federation/crypto/signing-key.ts';
import type { ConsortiumKeys } from './consortium-keys.ts';

export interface ConsortiumSigners {
  readonly root: SigningKey;
  readonly plan: SigningKey;
  readonly model: SigningKey;
  readonly log: SigningKey;
  readonly receiving: ReceivingKey;
}

export function createConsortiumSigners(keys: ConsortiumKeys): ConsortiumSigners {
  return {
    root: createSigningKey(keys.rootSeed),
    plan: createSigningKey(keys.planSeed),
    model: createSigningKey(keys.modelSeed),
    log: createSigningKey(keys.logSeed),
    receiving: createReceivingKey(keys.receivingSeed),
  };
}
