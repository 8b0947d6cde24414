// Reads consents subject by subject in one pass over the table, and decides each subject for a research study and a moment.
import { dayOf } from '#base/clock.ts';
import type { ConsentProvision, Store } from '#site/store/index.ts';
import { type ConsentDecision, type ConsentVersion, evaluateConsent } from './evaluate-consent.ts';
import { optedOut, optedOutSubjects } from './opt-outs.ts';

/** Moves days by a subject's own date offset, as everything stored about the subject is. */
export interface SubjectDays {
  /** `day` (whole days since 1970-01-01) in the subject's shifted calendar. */
  shiftDay(subjectId: string, day: number): number;
}

interface ConsentRow {
  readonly subject_id: string;
  readonly consent_id: string;
  readonly version: number;
  readonly research_study_id: string | null;
  readonly status: string;
  readonly decision: 'permit' | 'deny';
  readonly stated_day: number | null;
  readonly from_day: number | null;
  readonly until_day: number | null;
  readonly provision: string | null;
  readonly source: string;
}

const columns = `subject_id, consent_id, version, research_study_id, status, decision, stated_day, from_day, until_day, provision, source`;

/** Every subject that has a consent, with all versions of all its consents; sorted by subject, one in memory at a time. */
export function* readConsents(store: Store): Generator<[subjectId: string, versions: ConsentVersion[]]> {
  const rows = store
    .prepare(`SELECT ${columns} FROM consent ORDER BY subject_id`)
    .iterate() as Iterable<ConsentRow>;
  let subjectId: string | undefined;
  let versions: ConsentVersion[] = [];
  for (const row of rows) {
    if (subjectId !== undefined && row.subject_id !== subjectId) {
      yield [subjectId, versions];
      versions = [];
    }
    subjectId = row.subject_id;
    versions.push(toVersion(row));
  }
  if (subjectId !== undefined) yield [subjectId, versions];
}

/** All versions of all consents of one subject. */
export function readSubjectConsents(store: Store, subjectId: string): ConsentVersion[] {
  const rows = store.prepare(
    `SELECT ${columns} FROM consent WHERE subject_id = ? ORDER BY consent_id, version`,
  );
  return (rows.all(subjectId) as ConsentRow[]).map(toVersion);
}

export interface DecisionScope {
  readonly researchStudyId: string | null;
  readonly purposes: readonly string[] | undefined;
  readonly atMs: number;
}

/**
 * The decision for each subject that has a consent or is on an opt-out list, which is applied last. Whoever is not in the map has
 * no consent and is out (opt-in).
 */
export function readConsentDecisions(
  store: Store,
  days: SubjectDays,
  { researchStudyId, purposes, atMs }: DecisionScope,
): Map<string, ConsentDecision> {
  const today = dayOf(atMs);
  const decisions = new Map<string, ConsentDecision>();
  for (const [subjectId, versions] of readConsents(store)) {
    decisions.set(
      subjectId,
      evaluateConsent(versions, { researchStudyId, purposes, day: days.shiftDay(subjectId, today) }),
    );
  }
  for (const subjectId of optedOutSubjects(store)) decisions.set(subjectId, optedOut);
  return decisions;
}

function toVersion(row: ConsentRow): ConsentVersion {
  return {
    consentId: row.consent_id,
    version: row.version,
    researchStudyId: row.research_study_id,
    status: row.status,
    decision: row.decision,
    statedDay: row.stated_day,
    fromDay: row.from_day,
    untilDay: row.until_day,
    provision: row.provision === null ? null : (JSON.parse(row.provision) as ConsentProvision),
    source: row.source,
  };
}
