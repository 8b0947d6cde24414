// A subject whose patient withdrew: who it was is forgotten, and a mark stays, so that a later export does not bring back what was erased
// (security.md C10). The links stay without their content: by them records of the patient are recognised and left out.
import type { Store } from '#site/store/index.ts';
import { type PatientIdentity, sealLink } from './patient-link.ts';

/** What the link of a forgotten patient holds. */
export const nobody: PatientIdentity = { authority: '', identifier: '', name: null, birthDate: null };

export interface SubjectErasure {
  /** One that stands for itself. */
  readonly subjectId: string;
  /** ISO time. */
  readonly erasedAt: string;
  /** 32 bytes. */
  readonly linkageKey: Uint8Array;
}

/** The subject and all that were merged into it. */
export function identitiesOf(store: Store, subjectId: string): number[] {
  return store
    .prepareColumn(
      `SELECT own.subject_no FROM subject AS standing JOIN subject AS own
      ON own.subject_no = standing.subject_no OR own.survivor_no = standing.subject_no WHERE standing.subject_id = ?`,
    )
    .all(subjectId) as number[];
}

/** Subjects that stand and of which nothing is taken in. */
export function erasedSubjects(store: Store): string[] {
  return store
    .prepareColumn('SELECT subject_id FROM subject WHERE erased_at IS NOT NULL AND survivor_no IS NULL')
    .all() as string[];
}

/** Subjects that stand and of which something is still to be erased. */
export function pendingSubjects(store: Store): string[] {
  return store
    .prepareColumn(
      `SELECT DISTINCT standing.subject_id FROM subject AS own
      JOIN subject AS standing ON standing.subject_no = coalesce(own.survivor_no, own.subject_no)
      WHERE own.erasure_pending = 1 AND standing.erased_at IS NOT NULL`,
    )
    .all() as string[];
}

/** Belongs into the caller's transaction. */
export function eraseSubject(store: Store, { subjectId, erasedAt, linkageKey }: SubjectErasure): void {
  const links = store.prepareColumn('SELECT link_key FROM patient_link WHERE subject_no = ?');
  const forget = store.prepare('UPDATE patient_link SET sealed = ? WHERE link_key = ?');
  const forgetIdentifiers = store.prepare('DELETE FROM known_identifier WHERE subject_no = ?');
  const mark = store.prepare(
    'UPDATE subject SET sex = NULL, deceased_by = NULL, erased_at = coalesce(erased_at, ?), erasure_pending = 1 WHERE subject_no = ?',
  );
  for (const subjectNo of identitiesOf(store, subjectId)) {
    for (const linkKey of links.all(subjectNo) as Uint8Array[])
      forget.run(sealLink(linkageKey, linkKey, nobody), linkKey);
    forgetIdentifiers.run(subjectNo);
    mark.run(erasedAt, subjectNo);
  }
}

/** Belongs into the caller's transaction. Not while facts are still to be erased: what an import brought meanwhile would go with them. */
export function restoreSubject(store: Store, subjectId: string): void {
  const unmark = store.prepare(
    'UPDATE subject SET erased_at = NULL WHERE subject_no = ? AND erasure_pending = 0',
  );
  for (const subjectNo of identitiesOf(store, subjectId)) unmark.run(subjectNo);
}
