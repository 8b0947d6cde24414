// What a site says about differential privacy in an update's statement: the cost of this round and of all so far. The consortium so
// holds a copy of the site's ledger, and a site that was restored from an old backup cannot begin to count anew.
import { z } from 'zod';
import { privacySpecification } from '#federation/records/privacy-plan.ts';

const { mechanism, unit, adjacency, clippingNorm, noiseMultiplier, samplingRate, delta, accountant } =
  privacySpecification.shape;

export const privacyStatement = z.strictObject({
  mechanism,
  unit,
  adjacency,
  clippingNorm,
  noiseMultiplier,
  samplingRate,
  /** Training steps of this round, each with noise of its own. */
  steps: z.int().min(1),
  delta,
  accountant,
  /** As if there were no other round. */
  epsilonThisRound: z.number().min(0),
  /** Of all that this site computed in the research study, released or refused, this round included. */
  epsilonTotal: z.number().min(0),
});
export type PrivacyStatement = z.infer<typeof privacyStatement>;
