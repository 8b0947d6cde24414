// Two subjects that are one person: the retired one points at the survivor and keeps its facts and links, so that a merge writes a
// row or two however much it joins, and what an unmerge would need stays.
import type { Store } from '#site/store/index.ts';
import type { Subject } from './subject-registry.ts';

export interface SubjectMerge {
  /** Both standing, not the same. */
  readonly survivor: Subject;
  readonly retired: Subject;
  /** The survivor's date offset less the retired one's. */
  readonly daysMoved: number;
}

/** Everything of `retired` is the survivor's from here on, days moved with it. Belongs into the caller's transaction. */
export function joinSubjects(store: Store, { survivor, retired, daysMoved }: SubjectMerge): void {
  // Whoever was merged into the retired subject before goes along: no chain is ever longer than one step.
  store
    .prepare(
      'UPDATE subject SET survivor_no = ?, days_moved = days_moved + ? WHERE subject_no = ? OR survivor_no = ?',
    )
    .run(survivor.subjectNo, daysMoved, retired.subjectNo, retired.subjectNo);
  store
    .prepare(
      `UPDATE consent SET subject_id = ?, merged_from = coalesce(merged_from, subject_id),
      stated_day = stated_day + ?, from_day = from_day + ?, until_day = until_day + ? WHERE subject_id = ?`,
    )
    .run(survivor.subjectId, daysMoved, daysMoved, daysMoved, retired.subjectId);
  store
    .prepare(
      'UPDATE subject SET sex = (SELECT sex FROM subject WHERE subject_no = ?) WHERE subject_no = ? AND sex IS NULL',
    )
    .run(retired.subjectNo, survivor.subjectNo);
}
