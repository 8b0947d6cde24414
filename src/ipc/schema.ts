// What travels over the site contract, as schemas: here people, enrolment and the site itself, and by topic what is said beside it. Names are
// those of docs/glossary.md.
import { z } from 'zod';
import { count } from './count.ts';

export * from './audit-schema.ts';
export * from './consent-schema.ts';
export * from './ingest-schema.ts';
export * from './research-study-schema.ts';
export * from './round-schema.ts';

export const role = z.enum(['steward', 'investigator', 'auditor', 'admin']);
export type Role = z.infer<typeof role>;
export const person = z.strictObject({ name: z.string(), role });
export type Person = z.infer<typeof person>;
export const signIn = z.strictObject({
  name: z.string().min(1).max(100),
  secret: z.string().min(1).max(1000),
});
export const newPerson = z.strictObject({
  name: z.string().min(1).max(100),
  role,
  secret: z.string().min(8).max(1000),
});

export const enrolment = z.strictObject({
  invitation: z.string().min(1).max(10_000),
  stewards: z.array(signIn).min(1).max(20),
});
export const enrolled = z.strictObject({ siteId: z.string(), consortium: z.string() });

export const page = z.strictObject({ offset: count, limit: z.int().min(1).max(500) });
export const researchStudyRef = z.strictObject({ researchStudyId: z.string().max(64) });
export const updateRef = z.strictObject({ updateId: z.string().max(64) });

export const siteStatus = z.strictObject({
  siteId: z.string().nullable(),
  name: z.string(),
  version: z.string(),
  consortium: z.string().nullable(),
  engine: z.strictObject({ name: z.string(), version: z.string(), reason: z.string() }).nullable(),
  subjectCount: count,
  factCount: count,
  updatesToReview: count,
  outboxCount: count,
});
export type SiteStatus = z.infer<typeof siteStatus>;
