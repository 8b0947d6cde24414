// A patient who withdrew is no member of a frozen cohort any more. What remains is how many were erased, for the differencing guard (C14),
// and in which rounds the patient was, for the plan's remedy (C11).
import { identitiesOf } from '#site/deidentify/index.ts';
import type { Store } from '#site/store/index.ts';
import { membershipsOf } from './subject-rounds.ts';

export interface MemberErasure {
  readonly subjectId: string;
  /** null: of every research study. */
  readonly researchStudyId: string | null;
  /** ISO time. */
  readonly erasedAt: string;
}

/** Ids of the cohorts that had the subject. Belongs into the caller's transaction. */
export function eraseMembers(
  store: Store,
  { subjectId, researchStudyId, erasedAt }: MemberErasure,
): readonly string[] {
  const statements = prepareStatements(store);
  const cohortIds: string[] = [];
  for (const subjectNo of identitiesOf(store, subjectId)) {
    for (const member of membershipsOf(store, subjectNo, researchStudyId)) {
      const { cohortId, round, part, departure } = member;
      statements.remember.run(subjectNo, member.researchStudyId, round, part, departure, erasedAt);
      statements.deleteMember.run(cohortId, subjectNo);
      const countErased = part === 'training' ? statements.countTraining : statements.countHoldout;
      countErased.run(cohortId);
      cohortIds.push(cohortId);
    }
    statements.deleteParts.run(subjectNo, researchStudyId);
  }
  return cohortIds;
}

function prepareStatements(store: Store) {
  return {
    remember: store.prepare(
      `INSERT INTO erased_member (subject_no, research_study_id, round, part, departure, erased_at)
      VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET erased_at = excluded.erased_at`,
    ),
    deleteMember: store.prepare('DELETE FROM cohort_member WHERE cohort_id = ? AND subject_no = ?'),
    countTraining: store.prepare(
      'UPDATE cohort SET erased_training = erased_training + 1 WHERE cohort_id = ?',
    ),
    countHoldout: store.prepare('UPDATE cohort SET erased_holdout = erased_holdout + 1 WHERE cohort_id = ?'),
    deleteParts: store.prepare(
      'DELETE FROM split_part WHERE subject_no = ? AND research_study_id = coalesce(?, research_study_id)',
    ),
  };
}
