// In which rounds a subject was, and what of them left (security.md C11): for whoever has to say what a withdrawal cannot call back.
import { identitiesOf } from '#site/deidentify/index.ts';
import type { Store } from '#site/store/index.ts';

/** `possible`: it was offered, and whether the consortium has it is not known. */
export type Departure = 'never' | 'possible' | 'received';

export interface SubjectRound {
  readonly researchStudyId: string;
  readonly round: number;
  readonly part: 'training' | 'holdout';
  /** What became of the update that was made with the subject. */
  readonly departure: Departure;
  /** ISO time of the withdrawal that took the subject out; null while it is a member. */
  readonly erasedAt: string | null;
}

/** By research study and round. */
export function listSubjectRounds(store: Store, subjectId: string): SubjectRound[] {
  const erased = store.prepare(
    `SELECT research_study_id AS researchStudyId, round, part, departure, erased_at AS erasedAt
    FROM erased_member WHERE subject_no = ?`,
  );
  return identitiesOf(store, subjectId)
    .flatMap((subjectNo) => [
      ...(erased.all(subjectNo) as SubjectRound[]),
      ...membershipsOf(store, subjectNo, null).map(({ cohortId: _, ...round }) => ({
        ...round,
        erasedAt: null,
      })),
    ])
    .sort(
      (left, right) => compareTexts(left.researchStudyId, right.researchStudyId) || left.round - right.round,
    );
}

export interface Membership extends Omit<SubjectRound, 'erasedAt'> {
  readonly cohortId: string;
}

/** @param researchStudyId null: of every research study */
export function membershipsOf(store: Store, subjectNo: number, researchStudyId: string | null): Membership[] {
  const statement = store.prepare(
    `SELECT cohort_id AS cohortId, research_study_id AS researchStudyId, cohort.round AS round, part, CASE
      WHEN EXISTS (${updatesOf} AND model_update.state = 'received') THEN 'received'
      WHEN EXISTS (${updatesOf} AND attempt_count > 0) THEN 'possible' ELSE 'never' END AS departure
    FROM cohort_member JOIN cohort USING (cohort_id)
    WHERE subject_no = ? AND research_study_id = coalesce(?, research_study_id)`,
  );
  return statement.all(subjectNo, researchStudyId) as Membership[];
}

const updatesOf = `SELECT 1 FROM training_run JOIN model_update USING (run_id) LEFT JOIN outbox USING (update_id)
  WHERE training_run.cohort_id = cohort.cohort_id`;

function compareTexts(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}
