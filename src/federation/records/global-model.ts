// The signed global model of a round: its digest, what it was made from, and in evaluation rounds what the sites measured.
import { z } from 'zod';
import { count, digestHex, identifier, isoTimestamp } from '#federation/records/fields.ts';
import { defineRecord } from '#federation/records/record.ts';
import { roundKind } from '#federation/records/round.ts';
import { siteStatistics } from '#federation/records/site-statistics.ts';

export const globalModel = z.strictObject({
  researchStudyId: identifier,
  planDigest: digestHex,
  /** 0 for the initial model, n for the model that closed round n. */
  round: count,
  attempt: count,
  /** Number of the last remedy before its round was opened; 0 before the first. */
  remedy: count,
  kind: z.union([z.literal('initial'), roundKind]),
  baseModelDigest: digestHex.nullable(),
  tensorManifestDigest: digestHex,
  /** Sorted by siteId. `updateDigest` is the sha256 of the update statement's bytes; `weight` is in (0, 1]. */
  included: z.array(
    z.strictObject({
      siteId: identifier,
      updateDigest: digestHex,
      exampleCount: count,
      weight: z.number().min(0).max(1),
    }),
  ),
  evaluation: z
    .array(
      z.strictObject({
        siteId: identifier,
        exampleCount: count,
        correctCount: count,
        lossSum: z.number().min(0),
      }),
    )
    .nullable(),
  /** In a statistics round of a plan that asks for it: what each site released, by siteId. Absent otherwise. */
  statistics: z.array(siteStatistics).optional(),
  createdAt: isoTimestamp,
  expires: isoTimestamp,
});
export type GlobalModel = z.infer<typeof globalModel>;

/** subject[0] is the model's safetensors. */
export const globalModelRecord = defineRecord({
  name: 'global-model',
  predicateType: 'https://consilium.example/global-model/v1',
  role: 'model',
  predicate: globalModel,
});
