// Two subjects that are one person: the retired one points at the survivor and keeps its facts and links, so that a merge writes a
// row or two however much it joins, and what an unmerge would need stays.
import { type ConsentProvision, moveProvision, type Store } from '#site/store/index.ts';
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
  joinErasure(store, survivor, retired);
  moveProvisions(store, retired.subjectId, daysMoved);
  store
    .prepare(
      `UPDATE consent SET subject_id = ?, merged_from = coalesce(merged_from, subject_id),
      stated_day = stated_day + ?, stated_until_day = stated_until_day + ?, verified_day = verified_day + ?, from_day = from_day + ?, until_day = until_day + ? WHERE subject_id = ?`,
    )
    .run(survivor.subjectId, daysMoved, daysMoved, daysMoved, daysMoved, daysMoved, retired.subjectId);
  store
    .prepare(
      'UPDATE subject SET sex = (SELECT sex FROM subject WHERE subject_no = ?) WHERE subject_no = ? AND sex IS NULL',
    )
    .run(retired.subjectNo, survivor.subjectNo);
}

/** Whoever turns out to be somebody who withdrew has withdrawn: what came under the other name is erased too (C8). */
function joinErasure(store: Store, survivor: Subject, retired: Subject): void {
  if (survivor.isErased === retired.isErased) return;
  const mark = store.prepare(
    `UPDATE subject SET sex = NULL, deceased_by = NULL, erasure_pending = 1,
    erased_at = (SELECT max(erased_at) FROM subject WHERE subject_no IN (?, ?)) WHERE subject_no IN (?, ?)`,
  );
  const numbers = [survivor.subjectNo, retired.subjectNo];
  mark.run(...numbers, ...numbers);
}

/** The days within the rules of a subject's consents. */
function moveProvisions(store: Store, subjectId: string, days: number): void {
  const rows = store
    .prepare(
      'SELECT consent_id, version, provision FROM consent WHERE subject_id = ? AND provision IS NOT NULL',
    )
    .all(subjectId) as { consent_id: string; version: number; provision: string }[];
  const write = store.prepare('UPDATE consent SET provision = ? WHERE consent_id = ? AND version = ?');
  for (const { consent_id: consentId, version, provision } of rows) {
    const moved = moveProvision(JSON.parse(provision) as ConsentProvision, days);
    write.run(JSON.stringify(moved), consentId, version);
  }
}
