// The members of frozen cohorts, row by row: who was in a round, by pseudonym, and what permitted it. A million of them are written, and
// asked again before an update is sealed (C9, C13), without ever being in memory together.
import { toHex, utf8 } from '#base/bytes.ts';
import { createSha256 } from '#federation/crypto/digest.ts';
import {
  type ConsentDecision,
  type ConsentSnapshotEntry,
  digestConsentSnapshot,
  noConsent,
} from '#site/consent/index.ts';
import type { Store } from '#site/store/index.ts';
import { type OrderedMembers, type Selection, subjectIdOf } from './selection.ts';
import type { SubjectTable } from './subject-table.ts';

export interface CohortDigests {
  readonly cohortDigest: string;
  readonly consentSnapshotDigest: string;
}

export interface SelectedMembers {
  readonly table: SubjectTable;
  readonly selection: Selection;
  readonly decisions: ReadonlyMap<string, ConsentDecision>;
  readonly members: OrderedMembers;
}

/** Digests of members as they are about to be stored. */
export function digestMembers({ table, decisions, members }: SelectedMembers): CohortDigests {
  function* entries(): Generator<ConsentSnapshotEntry> {
    for (const [at, pseudonym] of members.pseudonyms.entries()) {
      const subjectId = subjectIdOf(table, members.rows[at] ?? 0);
      yield { pseudonym, ...(decisions.get(subjectId) ?? noConsent) };
    }
  }
  return {
    cohortDigest: digestPseudonyms(members.pseudonyms),
    consentSnapshotDigest: digestConsentSnapshot(entries()),
  };
}

export function saveMembers(
  store: Store,
  cohortId: string,
  { table, selection, decisions, members }: SelectedMembers,
): void {
  const insert = store.prepare(
    `INSERT INTO cohort_member (cohort_id, pseudonym, subject_no, part, index_day, consent_id, consent_version, consent_path)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  for (const [at, pseudonym] of members.pseudonyms.entries()) {
    const row = members.rows[at] ?? 0;
    const { consentId, version, path } = decisions.get(subjectIdOf(table, row)) ?? noConsent;
    const [subjectNo, indexDay] = [table.subjectNos[row], table.index.days[row]];
    const consent = [consentId, version, JSON.stringify(path)];
    insert.run(cohortId, pseudonym, subjectNo, selection.parts[row], indexDay, ...consent);
  }
}

/** Digests of a frozen cohort's members by the consents of this moment. */
export function redigestMembers(
  store: Store,
  cohortId: string,
  decisions: ReadonlyMap<string, ConsentDecision>,
): CohortDigests {
  const rows = store.prepareRows(
    `SELECT pseudonym, subject_id FROM cohort_member JOIN subject USING (subject_no) WHERE cohort_id = ?
    ORDER BY pseudonym`,
  );
  const pseudonyms = createSha256();
  function* entries(): Generator<ConsentSnapshotEntry> {
    for (const row of rows.iterate(cohortId)) {
      const [pseudonym, subjectId] = row as [string, string];
      const decision = decisions.get(subjectId) ?? noConsent;
      if (decision.decision === 'permit') pseudonyms.update(utf8(`${pseudonym}\n`));
      yield { pseudonym, ...decision };
    }
  }
  const consentSnapshotDigest = digestConsentSnapshot(entries());
  return { cohortDigest: toHex(pseudonyms.digest()), consentSnapshotDigest };
}

/** sha256 of the sorted pseudonyms, one per line. */
function digestPseudonyms(pseudonyms: readonly string[]): string {
  const digest = createSha256();
  for (const pseudonym of pseudonyms) digest.update(utf8(`${pseudonym}\n`));
  return toHex(digest.digest());
}
