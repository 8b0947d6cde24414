// A site's signed request that the plan's remedy is carried out for some of its rounds (security.md C11). It never says for whom, nor
// for how many: rounds are all that the consortium learns.
import { z } from 'zod';
import { digestHex, identifier, isoTimestamp } from '#federation/records/fields.ts';
import { defineRecord } from '#federation/records/record.ts';
import { requestedRemedy } from '#federation/records/withdrawal-remedy.ts';

export const remedyRequest = z
  .strictObject({
    researchStudyId: identifier,
    siteId: identifier,
    /** Of the plan whose remedy is asked for. */
    planDigest: digestHex,
    remedy: requestedRemedy,
    /** First and last round whose update this site would take back. */
    fromRound: z.int().min(1),
    toRound: z.int().min(1),
    requestedAt: isoTimestamp,
  })
  .refine(({ fromRound, toRound }) => fromRound <= toRound, { path: ['toRound'] });
export type RemedyRequest = z.infer<typeof remedyRequest>;

export const remedyRequestRecord = defineRecord({
  name: 'remedy-request',
  predicateType: 'https://consilium.example/remedy-request/v1',
  role: 'site-signing',
  predicate: remedyRequest,
});
