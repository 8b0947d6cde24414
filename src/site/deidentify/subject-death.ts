// Whether a subject has died, as the formats say (security.md C7). Each identity keeps what its own records say, so that a merge needs no
// write and can be undone: a subject has died where any of its identities has.
import type { Store } from '#site/store/index.ts';
import type { Subject } from './subject-registry.ts';

export interface DeathStatement {
  readonly source: 'csv' | 'fhir' | 'omop' | 'ccda' | 'hl7v2';
  /** `not-stated`: the record is all that its source has of the patient, and does not say so (any more). */
  readonly says: 'deceased' | 'alive' | 'not-stated';
}

export interface DeathRecord {
  readonly subject: Subject;
  /** Of the key by which the record names its patient. */
  readonly linkKey: Uint8Array;
  readonly statement: DeathStatement;
}

/**
 * Takes a statement. That the patient lives corrects whatever any record of theirs said before; silence takes back only what
 * the same source said. Belongs into the caller's transaction.
 * @returns whether that changed anything
 */
export type DeathWriter = (record: DeathRecord) => boolean;

export function openDeathWriter(store: Store): DeathWriter {
  const ofLink = 'subject_no = (SELECT subject_no FROM patient_link WHERE link_key = ?)';
  const mark = store.prepare(
    `UPDATE subject SET deceased_by = ? WHERE ${ofLink} AND deceased_by IS NULL AND erased_at IS NULL`,
  );
  const correct = store.prepare(
    'UPDATE subject SET deceased_by = NULL WHERE (subject_no = ? OR survivor_no = ?) AND deceased_by IS NOT NULL',
  );
  const takeBack = store.prepare(`UPDATE subject SET deceased_by = NULL WHERE ${ofLink} AND deceased_by = ?`);
  return ({ subject, linkKey, statement: { source, says } }) => {
    switch (says) {
      case 'deceased':
        return mark.run(source, linkKey).changes > 0;
      case 'alive':
        return correct.run(subject.subjectNo, subject.subjectNo).changes > 0;
      case 'not-stated':
        return takeBack.run(linkKey, source).changes > 0;
    }
  };
}
