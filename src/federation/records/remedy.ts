// The consortium's signed word that a remedy is carried out: from which round on the models so far count no longer. It names no site:
// that somebody's patient withdrew is nobody else's business.
import { z } from 'zod';
import { digestHex, identifier, isoTimestamp } from '#federation/records/fields.ts';
import { defineRecord } from '#federation/records/record.ts';
import { answersInBlock } from '#federation/records/remedy-answer.ts';
import { carriedOutRemedy } from '#federation/records/withdrawal-remedy.ts';

export const remedy = z.strictObject({
  researchStudyId: identifier,
  planDigest: digestHex,
  /** From 1, without gaps, in each research study. */
  number: z.int().min(1),
  kind: carriedOutRemedy,
  /** Models of this round and later ones, as far as they were published before, count no longer. */
  fromRound: z.int().min(1),
  /** sha256 of the safetensors of the model that counts again: that of the round before. */
  modelDigest: digestHex,
  /** The requests that it answers, by `answerTo`, sorted, among as many random ones as make whole blocks. */
  answers: z.array(digestHex).min(answersInBlock).max(16_384),
  decidedAt: isoTimestamp,
});
export type Remedy = z.infer<typeof remedy>;

export const remedyRecord = defineRecord({
  name: 'remedy',
  predicateType: 'https://consilium.example/remedy/v1',
  role: 'model',
  predicate: remedy,
});
