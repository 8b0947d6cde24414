// What a plan promises for updates that had left before one of their patients withdrew (security.md C11).
import { z } from 'zod';

export const withdrawalRemedy = z.enum([
  /** The model stays as it is: what was lawful when it left remains so (GDPR 7(3)). */
  'keep-model',
  /** The site takes part in no later round. */
  'leave-study',
  /** The model goes back to the one before the first round that held the patient; the rounds since then are run again. */
  'rebuild-model',
  /** No round follows, and the models since the first round that held the patient count no longer. */
  'retire-model',
]);
export type WithdrawalRemedy = z.infer<typeof withdrawalRemedy>;

/** What a site can ask of the consortium. */
export const requestedRemedy = withdrawalRemedy.exclude(['keep-model']);
export type RequestedRemedy = z.infer<typeof requestedRemedy>;

/** What the consortium carries out for everybody. */
export const carriedOutRemedy = withdrawalRemedy.extract(['rebuild-model', 'retire-model']);
export type CarriedOutRemedy = z.infer<typeof carriedOutRemedy>;
