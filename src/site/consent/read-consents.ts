// Reads consents subject by subject in one pass over the table, and decides each subject for a research study and a moment.
import { dayOf } from '#base/clock.ts';
import type { ResearchStudyPlan } from '#federation/records/research-study-plan.ts';
import { addYears, longestOffsetDays } from '#site/deidentify/index.ts';
import type { ConsentProvision, ConsentReplacement, Store } from '#site/store/index.ts';
import { ConsentDecisions } from './consent-decisions.ts';
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

type ConsentRow = readonly [
  subjectNo: number,
  subjectId: string,
  consentId: string,
  version: number,
  researchStudyId: string | null,
  status: string,
  decision: 'permit' | 'deny',
  isByGuardian: number,
  statedDay: number | null,
  statedUntilDay: number | null,
  verifiedDay: number | null,
  fromDay: number | null,
  untilDay: number | null,
  provision: string | null,
  replacement: string | null,
  source: string,
];

const columns = `subject_no, subject_id, consent_id, version, research_study_id, status, decision, is_by_guardian, stated_day,
  stated_until_day, verified_day, from_day, until_day, provision, replacement, source`;
const rowsOf = `SELECT ${columns} FROM consent JOIN subject USING (subject_id)`;

interface SubjectConsents {
  readonly subjectNo: number;
  readonly subjectId: string;
  /** All versions of all its consents. */
  readonly versions: ConsentVersion[];
}

/** Every subject that has a consent, in the order of their ids, one in memory at a time. */
export function* readConsents(store: Store): Generator<SubjectConsents> {
  const rows = store.prepareRows(`${rowsOf} ORDER BY consent.subject_id`).iterate() as Iterable<ConsentRow>;
  let subject: SubjectConsents | undefined;
  for (const row of rows) {
    if (row[0] !== subject?.subjectNo) {
      if (subject !== undefined) yield subject;
      subject = { subjectNo: row[0], subjectId: row[1], versions: [] };
    }
    subject.versions.push(toVersion(row));
  }
  if (subject !== undefined) yield subject;
}

/** All versions of all consents of one subject. */
export function readSubjectConsents(store: Store, subjectId: string): ConsentVersion[] {
  const rows = store.prepareRows(`${rowsOf} WHERE consent.subject_id = ? ORDER BY consent_id, version`);
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

/** Of each subject that has a consent or is on an opt-out list, which is applied last. */
export function readConsentDecisions(
  store: Store,
  days: SubjectDays,
  scope: DecisionScope,
): ConsentDecisions {
  const highestNo = store.prepareColumn('SELECT coalesce(max(subject_no), 0) FROM subject').get() as number;
  const decisions = new ConsentDecisions(highestNo);
  for (const { subjectNo, subjectId, versions } of readConsents(store))
    decisions.set(subjectNo, decideVersions(versions, { ...scope, days, subjectId }));
  for (const subjectNo of optedOutSubjects(store)) decisions.set(subjectNo, optedOut);
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
  const ageOfMajority = terms?.ageOfMajority ?? usualAgeOfMajority;
  // Nobody else's link is opened.
  const isGuarded = versions.some(({ isByGuardian }) => isByGuardian);
  const today = dayOf(atMs);
  const isPlain = !isGuarded && versions.every((version) => isFarFrom(today, version));
  const day = isPlain ? today : days.shiftDay(subjectId, today);
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

/** Whether no date offset brings a day of the consent to the other side of today: a keyed digest for each of a million is saved. */
function isFarFrom(today: number, version: ConsentVersion): boolean {
  const { provision, statedDay, statedUntilDay, verifiedDay, fromDay, untilDay } = version;
  return provision === null && [statedDay, statedUntilDay, verifiedDay, fromDay, untilDay].every(isFar);

  function isFar(day: number | null | undefined): boolean {
    return day === null || day === undefined || Math.abs(day - today) > longestOffsetDays;
  }
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

/** By place: a row is taken apart a million times. */
function toVersion(row: ConsentRow): ConsentVersion {
  return {
    consentId: row[2],
    version: row[3],
    researchStudyId: row[4],
    status: row[5],
    decision: row[6],
    isByGuardian: row[7] === 1,
    statedDay: row[8],
    statedUntilDay: row[9],
    verifiedDay: row[10],
    fromDay: row[11],
    untilDay: row[12],
    provision: row[13] === null ? null : (JSON.parse(row[13]) as ConsentProvision),
    replacement: replacementOf(row),
    source: row[15],
  };
}

/** Others name a consent at least by the digest of its own name, with which its id begins. */
function replacementOf(row: ConsentRow): ConsentReplacement {
  const [consentId, replacement] = [row[2], row[14]];
  const own = consentId.slice(0, nameLength);
  if (replacement === null) return { names: [own], replaces: [], givenBy: null };
  const { names, replaces, givenBy } = JSON.parse(replacement) as ConsentReplacement;
  return { names: [own, ...names], replaces, givenBy };
}

/** Hexadecimal digits. */
const nameLength = 32;
