// Reads consents subject by subject in one pass over the table, and decides each subject for a research study and a moment.
import { dayOf } from '#base/clock.ts';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import { addYears } from '#site/deidentify/index.ts';
import type { ConsentProvision, ConsentReplacement, Store } from '#site/store/index.ts';
import type { ConsentVersion } from './consent-version.ts';
import { type ConsentDecision, evaluateConsent } from './evaluate-consent.ts';
import { optedOut, optedOutSubjects } from './opt-outs.ts';

/** Moves days by a subject's own date offset, as everything stored about the subject is. */
export interface SubjectDays {
  /** `day` (whole days since 1970-01-01) in the subject's shifted calendar. */
  shiftDay(subjectId: string, day: number): number;
  /** Day of birth in that calendar, of whom a whole birth date is known: lies in a sealed link, so nobody asks without need. */
  birthDayOf(subjectId: string): number | undefined;
}

/** What the plan of a research study says of the consents that it needs. */
export interface ConsentTerms {
  /** v3-ActReason codes. */
  readonly purposes: readonly string[];
  /** Whole years; undefined: `usualAgeOfMajority`. */
  readonly ageOfMajority?: number | undefined;
  /** Whether only verified consents permit; undefined: they need not be. */
  readonly requiresVerification?: boolean | undefined;
}

/** What a plan asks of consents. */
export function termsOfPlan({
  purposes,
  consent,
}: Pick<ResearchStudyPlan, 'purposes' | 'consent'>): ConsentTerms {
  return { purposes, ...consent };
}

/** Whole years, where a plan says no other. */
export const usualAgeOfMajority = 18;

interface ConsentRow {
  readonly subject_id: string;
  readonly consent_id: string;
  readonly version: number;
  readonly research_study_id: string | null;
  readonly status: string;
  readonly decision: 'permit' | 'deny';
  readonly is_by_guardian: number;
  readonly stated_day: number | null;
  readonly stated_until_day: number | null;
  readonly verified_day: number | null;
  readonly from_day: number | null;
  readonly until_day: number | null;
  readonly provision: string | null;
  readonly replacement: string | null;
  readonly source: string;
}

const columns = `subject_id, consent_id, version, research_study_id, status, decision, is_by_guardian, stated_day,
  stated_until_day, verified_day, from_day, until_day, provision, replacement, source`;

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
  /** Undefined without a plan: healthcare research. */
  readonly terms: ConsentTerms | undefined;
  /** The consortium that the site has joined, by its name in the trust list. */
  readonly consortium?: string | undefined;
  readonly atMs: number;
}

/**
 * The decision for each subject that has a consent or is on an opt-out list, which is applied last. Whoever is not in the map has
 * no consent and is out (opt-in).
 */
export function readConsentDecisions(
  store: Store,
  days: SubjectDays,
  scope: DecisionScope,
): Map<string, ConsentDecision> {
  const decisions = new Map<string, ConsentDecision>();
  for (const [subjectId, versions] of readConsents(store)) {
    decisions.set(subjectId, decideVersions(versions, { ...scope, days, subjectId }));
  }
  for (const subjectId of optedOutSubjects(store)) decisions.set(subjectId, optedOut);
  return decisions;
}

export interface SubjectScope extends DecisionScope {
  readonly subjectId: string;
  readonly days: SubjectDays;
}

/** Decides over all versions of one subject. */
export function decideVersions(
  versions: readonly ConsentVersion[],
  { researchStudyId, terms, consortium, atMs, subjectId, days }: SubjectScope,
): ConsentDecision {
  const day = days.shiftDay(subjectId, dayOf(atMs));
  const ageOfMajority = terms?.ageOfMajority ?? usualAgeOfMajority;
  // Nobody else's link is opened.
  const isGuarded = versions.some(({ isByGuardian }) => isByGuardian);
  const majorityDay = isGuarded ? majorityDayOf(subjectId, { days, ageOfMajority, day }) : null;
  return evaluateConsent(versions, {
    researchStudyId,
    consortium,
    purposes: terms?.purposes,
    requiresVerification: terms?.requiresVerification,
    day,
    majorityDay,
  });
}

interface MajorityScope {
  readonly days: SubjectDays;
  /** Whole years. */
  readonly ageOfMajority: number;
  /** Today, shifted. */
  readonly day: number;
}

/** In the subject's shifted calendar; null where no birth date is known, or one that has not come yet. */
function majorityDayOf(subjectId: string, { days, ageOfMajority, day }: MajorityScope): number | null {
  const birthDay = days.birthDayOf(subjectId);
  if (birthDay === undefined || birthDay > day) return null;
  // Years are of different lengths: they are counted in the real calendar.
  const offset = days.shiftDay(subjectId, 0);
  return addYears(birthDay - offset, ageOfMajority) + offset;
}

function toVersion(row: ConsentRow): ConsentVersion {
  return {
    consentId: row.consent_id,
    version: row.version,
    researchStudyId: row.research_study_id,
    status: row.status,
    decision: row.decision,
    isByGuardian: row.is_by_guardian === 1,
    statedDay: row.stated_day,
    statedUntilDay: row.stated_until_day,
    verifiedDay: row.verified_day,
    fromDay: row.from_day,
    untilDay: row.until_day,
    provision: row.provision === null ? null : (JSON.parse(row.provision) as ConsentProvision),
    replacement: replacementOf(row),
    source: row.source,
  };
}

/** Others name a consent at least by the digest of its own name, with which its id begins. */
function replacementOf({ consent_id: consentId, replacement }: ConsentRow): ConsentReplacement {
  const own = consentId.slice(0, nameLength);
  if (replacement === null) return { names: [own], replaces: [], givenBy: null };
  const { names, replaces, givenBy } = JSON.parse(replacement) as ConsentReplacement;
  return { names: [own, ...names], replaces, givenBy };
}

/** Hexadecimal digits. */
const nameLength = 32;
