// A patient who withdrew is no member of a frozen cohort any more. What remains is how many were erased, for the differencing guard (C14),
// and in which rounds the patient was, for the plan's remedy (C11).
import { identitiesOf } from '#site/deidentify/index.ts';
import type { Store } from '#site/store/index.ts';

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
    const memberships = statements.membershipsOf.all(subjectNo, researchStudyId) as Membership[];
    for (const { cohort_id, research_study_id, round, part, departure } of memberships) {
      statements.remember.run(subjectNo, research_study_id, round, part, departure, erasedAt);
      statements.deleteMember.run(cohort_id, subjectNo);
      const countErased = part === 'training' ? statements.countTraining : statements.countHoldout;
      countErased.run(cohort_id);
      cohortIds.push(cohort_id);
    }
    statements.deleteParts.run(subjectNo, researchStudyId);
  }
  return cohortIds;
}

interface Membership {
  readonly cohort_id: string;
  readonly research_study_id: string;
  readonly round: number;
  readonly part: 'training' | 'holdout';
  readonly departure: 'never' | 'possible' | 'received';
}

function prepareStatements(store: Store) {
  return {
    membershipsOf: store.prepare(
      `SELECT cohort_id, research_study_id, cohort.round AS round, part, CASE
        WHEN EXISTS (${updatesOf} AND model_update.state = 'received') THEN 'received'
        WHEN EXISTS (${updatesOf} AND attempt_count > 0) THEN 'possible' ELSE 'never' END AS departure
      FROM cohort_member JOIN cohort USING (cohort_id)
      WHERE subject_no = ? AND research_study_id = coalesce(?, research_study_id)`,
    ),
    remember: store.prepare(
      `INSERT INTO erased_member (subject_no, research_study_id, round, part, departure, erased_at)
      VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
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

const updatesOf = `SELECT 1 FROM training_run JOIN model_update USING (run_id) LEFT JOIN outbox USING (update_id)
  WHERE training_run.cohort_id = cohort.cohort_id`;
