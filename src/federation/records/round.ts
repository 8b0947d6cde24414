// The signed opening of a round: what every participant is asked for, on which model, sealed to whom.
import { z } from 'zod';
import { count, digestHex, identifier, isoTimestamp } from '#federation/records/fields.ts';
import { defineRecord } from '#federation/records/record.ts';

export const roundKind = z.enum(['statistics', 'training', 'evaluation']);
export type RoundKind = z.infer<typeof roundKind>;

export const roundOpening = z.strictObject({
  researchStudyId: identifier,
  planDigest: digestHex,
  /** From 1. Round n is `plan.rounds[n - 1]`. */
  round: z.int().min(1),
  attempt: z.int().min(1),
  /** Number of the last remedy (remedy.ts) before it; 0 before the first. */
  remedy: count,
  kind: roundKind,
  /** sha256 of the global model's safetensors that this round starts from. */
  baseModelDigest: digestHex,
  participants: z.array(identifier).min(1),
  /** Key id of the consortium's receiving key (X25519) that updates are sealed to. */
  recipientKeyId: digestHex,
  trustListVersion: count,
  opensAt: isoTimestamp,
  closesAt: isoTimestamp,
});
export type RoundOpening = z.infer<typeof roundOpening>;

export const roundRecord = defineRecord({
  name: 'round',
  predicateType: 'https://consilium.example/round/v1',
  role: 'model',
  predicate: roundOpening,
});
