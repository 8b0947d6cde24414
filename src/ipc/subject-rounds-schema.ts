// What travels over the site contract about the rounds that a subject was in, and the remedy for them.
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
  /** What the plan promises after a withdrawal; null for a round that taught the model nothing of the subject. */
  remedy: z.enum(['keep-model', 'leave-study', 'rebuild-model', 'retire-model']).nullable(),
  /** `refused`: by the consortium's rules, for good; `dismissed`: by its operator. */
  remedyState: z.enum(['none', 'requested', 'refused', 'dismissed', 'carried-out']),
  /** The operator's reason; null where none was dismissed. */
  dismissalReason: z.string().nullable(),
  /** Bound on what the update tells of the subject (differential privacy); null: there is none. */
  epsilon: z.number().nullable(),
});
export const subjectRounds = z.array(subjectRound);
export type SubjectRound = z.infer<typeof subjectRound>;

export const remedyOrder = z.strictObject({
  subjectId: z.string().min(1).max(64),
  researchStudyId: z.string().min(1).max(100),
});
export const requestedRemedy = z.strictObject({
  researchStudyId: z.string(),
  remedy: z.enum(['leave-study', 'rebuild-model', 'retire-model']),
  fromRound: z.int().min(1),
  toRound: z.int().min(1),
  requestedAt: z.iso.datetime({ precision: 3 }),
});
