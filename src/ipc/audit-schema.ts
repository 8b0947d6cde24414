// What travels over the site contract about the audit log.
import { z } from 'zod';
import { count } from './count.ts';

export const auditQuery = z.strictObject({
  search: z.string().max(200),
  action: z.string().nullable(),
  offset: count,
  limit: z.int().min(1).max(500),
});
export const auditEntry = z.strictObject({
  seq: count,
  time: z.string(),
  actor: z.string(),
  role: z.string().nullable(),
  action: z.string(),
  object: z.string().nullable(),
  researchStudyId: z.string().nullable(),
  round: z.int().nullable(),
  outcome: z.enum(['success', 'refused', 'failed']),
  reason: z.string().nullable(),
  detail: z.string().nullable(),
  leafHash: z.string(),
});
export type AuditEntry = z.infer<typeof auditEntry>;
export const auditPage = z.strictObject({
  total: count,
  actions: z.array(z.string()).readonly(),
  entries: z.array(auditEntry).readonly(),
});
export const auditVerification = z.strictObject({
  verified: z.boolean(),
  leafCount: count,
  checkpointCount: count,
  rootHash: z.string(),
  /** The first entry at which something is wrong, with its code. */
  problem: z.strictObject({ seq: z.int().nullable(), code: z.string(), message: z.string() }).nullable(),
  /** What is to be known but breaks nothing: a clock set back as the log itself says, entries after the last checkpoint. */
  notices: z
    .array(z.strictObject({ seq: z.int().nullable(), code: z.string(), message: z.string() }))
    .optional(),
});
export type AuditVerification = z.infer<typeof auditVerification>;
export const auditExport = z.strictObject({ files: z.array(z.string()).readonly(), leafCount: count });
