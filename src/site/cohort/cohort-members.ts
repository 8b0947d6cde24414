// The members of frozen cohorts, row by row: who was in a round, by pseudonym, and what permitted it. A million of them are written, and
// asked again before an update is sealed (C9, C13), without ever being in memory together.
import { toHex, utf8 } from '#base/bytes.ts';
import { createSha256 } from '#federation/crypto/digest.ts';
import {
  type ConsentDecisions,
  type ConsentSnapshotEntry,
  digestConsentSnapshot,
  noConsent,
} from '#site/consent/index.ts';
import type { Store } from '#site/store/index.ts';
import type { OrderedMembers } from './ordered-members.ts';
import type { Selection } from './selection.ts';
import type { SubjectTable } from './subject-table.ts';

export interface CohortDigests {
  readonly cohortDigest: string;
  readonly consentSnapshotDigest: string;
}

export interface SelectedMembers {
  readonly table: SubjectTable;
  readonly decisions: ConsentDecisions;
  readonly selection: Selection;
  readonly members: OrderedMembers;
}

/** Digests of members as they are about to be stored. */
export function digestMembers({ table, decisions, members }: SelectedMembers): CohortDigests {
  const cohort = createSha256();
  function* entries(): Generator<ConsentSnapshotEntry> {
    for (const row of members.rows) {
      const pseudonym = members.pseudonymOf(row);
      cohort.update(utf8(`${pseudonym}\n`));
      yield { pseudonym, decision: decisions.get(table.subjectNos[row] ?? 0) ?? noConsent };
    }
  }
  const consentSnapshotDigest = digestConsentSnapshot(entries());
  return { cohortDigest: toHex(cohort.digest()), consentSnapshotDigest };
}

/** In the order of the table's key: a million rows are added at its end, and not all over it. */
export function saveMembers(
  store: Store,
  cohortId: string,
  { table, decisions, selection, members }: SelectedMembers,
): void {
  const insert = store.prepare(
    `INSERT INTO cohort_member (cohort_id, subject_no, pseudonym, part, index_day, consent_id, consent_version, consent_path)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  for (const row of selection.rows) {
    const subjectNo = table.subjectNos[row] ?? 0;
    const { consentId, version, path } = decisions.get(subjectNo) ?? noConsent;
    insert.run(
      cohortId,
      subjectNo,
      members.pseudonymOf(row),
      selection.parts[row],
      table.index.days[row],
      consentId,
      version,
      JSON.stringify(path),
    );
  }
}

/** Digests of a frozen cohort's members by the consents of this moment. */
export function redigestMembers(store: Store, cohortId: string, decisions: ConsentDecisions): CohortDigests {
  const rows = store.prepareRows(
    `SELECT pseudonym, subject_no FROM cohort_member WHERE cohort_id = ?
    ORDER BY pseudonym`,
  );
  const cohort = createSha256();
  function* entries(): Generator<ConsentSnapshotEntry> {
    for (const row of rows.iterate(cohortId)) {
      const [pseudonym, subjectNo] = row as [string, number];
      const decision = decisions.get(subjectNo) ?? noConsent;
      if (decision.decision === 'permit') cohort.update(utf8(`${pseudonym}\n`));
      yield { pseudonym, decision };
    }
  }
  const consentSnapshotDigest = digestConsentSnapshot(entries());
  return { cohortDigest: toHex(cohort.digest()), consentSnapshotDigest };
}
