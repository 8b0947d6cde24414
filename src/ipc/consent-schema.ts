// What travels over the site contract about what each subject permits.
import { z } from 'zod';
import { count } from './count.ts';

export const consentRow = z.strictObject({
  subjectId: z.string(),
  /** Shown to people who may see names; null otherwise. */
  patientName: z.string().nullable(),
  consentId: z.string().nullable(),
  version: z.int().nullable(),
  /** What the rules say today. */
  decision: z.enum(['permit', 'deny']),
  /** Why: permit, withdrawn, expired, not-yet-valid, majority-reached, majority-unknown, unverified, no-consent, opted-out, denied, inactive. */
  rule: z.string(),
  untilDate: z.string().nullable(),
  source: z.string().nullable(),
  /**
   * A decision that is open: an imported consent denies or ended, nothing permits anything any more, and the data are still here. A withdrawal
   * erases them.
   */
  awaitsErasure: z.boolean(),
});
export type ConsentRow = z.infer<typeof consentRow>;
export const consentQuery = z.strictObject({
  researchStudyId: z.string().nullable(),
  decision: z.enum(['permit', 'deny']).nullable(),
  /** Part of a patient's name, an identifier or a subject id. */
  search: z.string().max(200),
  offset: count,
  limit: z.int().min(1).max(500),
});
export const consentPage = z.strictObject({
  total: count,
  permitted: count,
  denied: count,
  rows: z.array(consentRow).readonly(),
});
export const consentGrant = z.strictObject({
  subjectId: z.string(),
  researchStudyId: z.string().nullable(),
  untilDate: z.iso.date().nullable(),
});
export const consentWithdraw = z.strictObject({
  subjectId: z.string(),
  researchStudyId: z.string().nullable(),
});
