// What travels over the site contract about the rounds that a subject was in.
import { z } from 'zod';

export const subjectRoundsQuery = z.strictObject({ subjectId: z.string().min(1).max(64) });
export const subjectRound = z.strictObject({
  researchStudyId: z.string(),
  round: z.int().min(0),
  part: z.enum(['training', 'holdout']),
  /** `possible`: it was offered, and whether the consortium has it is not known. */
  departure: z.enum(['never', 'possible', 'received']),
  /** When a withdrawal took the subject out; null while it is a member. */
  erasedAt: z.iso.datetime({ precision: 3 }).nullable(),
});
export const subjectRounds = z.array(subjectRound);
export type SubjectRound = z.infer<typeof subjectRound>;
