// Grant and withdrawal by a steward, each one action (GDPR 7(3)): a new version of the consents it is about, never an edit.
import { toHex } from '#base/bytes.ts';
import { dayOf, isoTime } from '#base/clock.ts';
import { sha256 } from '#federation/crypto/digest.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import { encodeCanonicalJson } from '#federation/records/canonical-json.ts';
import type { Actor, AuditLog } from '#site/audit/index.ts';
import type { Store } from '#site/store/index.ts';
import { ConsentError } from './consent-error.ts';
import type { ConsentVersion } from './consent-version.ts';
import { researchStudiesOf } from './match-rule.ts';
import { isOptedOut, optedOut } from './opt-outs.ts';
import {
  type ConsentTerms,
  decideVersions,
  readSubjectConsents,
  type SubjectDays,
  type SubjectScope,
} from './read-consents.ts';

export interface ConsentContext {
  readonly store: Store;
  readonly auditLog: AuditLog;
  readonly days: SubjectDays;
  /** What the plan of a research study says, undefined without a plan; absent, all are for healthcare research. */
  readonly termsOf?: (researchStudyId: string) => ConsentTerms | undefined;
  /** The consortium that the site has joined, by its name in the trust list; absent or undefined: none. */
  readonly consortiumName?: () => string | undefined;
}

export interface ConsentChange {
  readonly subjectId: string;
  /** null: research in general. */
  readonly researchStudyId: string | null;
  readonly actor: Actor;
}

export interface ConsentGrant extends ConsentChange {
  /** Last day on which it holds, whole days since 1970-01-01 (not shifted); null: open. */
  readonly untilDay: number | null;
}

/**
 * Permits. Becomes the newest version of this scope's consents, so that a withdrawal of the same scope is lifted; a deny of
 * another scope stays and wins.
 * @throws ConsentError SUBJECT_UNKNOWN, RESEARCH_STUDY_UNKNOWN, CONSENT_UNTIL_PASSED.
 */
export function grantConsent(context: ConsentContext, grant: ConsentGrant): void {
  const { subjectId, researchStudyId, untilDay } = grant;
  const today = dayOf(context.store.clock.nowMs());
  if (untilDay !== null && untilDay < today) {
    throw new ConsentError('CONSENT_UNTIL_PASSED', 'The consent would have ended before it began.');
  }
  const shiftedUntil = untilDay === null ? null : context.days.shiftDay(subjectId, untilDay);
  context.store.transaction(() => {
    const consents = knownConsents(context.store, grant);
    const change = { ...grant, decision: 'permit', untilDay: shiftedUntil } as const;
    const scoped = consents.filter((latest) => latest.researchStudyId === researchStudyId);
    addVersions(context, scoped, change);
  });
}

/**
 * Withdraws, at once and in one action. Every consent that reaches into the scope and is for it alone gets a deny as newest
 * version; a general permit stays for other research studies, and a deny of its own for this one wins over it.
 * @throws ConsentError SUBJECT_UNKNOWN, RESEARCH_STUDY_UNKNOWN.
 */
export function withdrawConsent(context: ConsentContext, change: ConsentChange): void {
  const { researchStudyId } = change;
  context.store.transaction(() => {
    const consents = knownConsents(context.store, change);
    const scoped = consents.filter(
      // Withdrawal from research in general ends the consents for single research studies too.
      (latest) => researchStudyId === null || latest.researchStudyId === researchStudyId,
    );
    const needsOwn = !scoped.some((latest) => latest.researchStudyId === researchStudyId);
    addVersions(context, scoped, { ...change, decision: 'deny', untilDay: null, needsOwn });
  });
}

/**
 * The latest versions of a subject's consents. A change that is about nobody, or about no research study, would look done
 * and leave the patient's word without effect.
 */
function knownConsents(store: Store, { subjectId, researchStudyId }: ConsentChange): ConsentVersion[] {
  const query = store.query
    .selectFrom('subject')
    .select('subject_id')
    .where('subject_id', '=', subjectId)
    .where('survivor_no', 'is', null);
  if (store.get(query) === undefined)
    throw new ConsentError('SUBJECT_UNKNOWN', 'There is no such subject here.');
  const versions = readSubjectConsents(store, subjectId);
  const isNamed = researchStudyId === null || versions.some((one) => one.researchStudyId === researchStudyId);
  if (!isNamed && !hasPlan(store, researchStudyId)) {
    throw new ConsentError(
      'RESEARCH_STUDY_UNKNOWN',
      'No plan and no consent here names this research study.',
    );
  }
  return latestVersions(versions);
}

function hasPlan(store: Store, researchStudyId: string): boolean {
  const plans = store.query.selectFrom('research_study').select('research_study_id');
  return store.get(plans.where('research_study_id', '=', researchStudyId).limit(1)) !== undefined;
}

/** The version with the highest number of each consent, and the latest day on which any version of it was stated. */
function latestVersions(versions: readonly ConsentVersion[]): ConsentVersion[] {
  const groups = Map.groupBy(versions, ({ consentId }) => consentId).values();
  return [...groups].map((siblings) => {
    const latest = siblings.reduce((left, right) => (left.version > right.version ? left : right));
    const statedDays = siblings.flatMap(({ statedDay }) => (statedDay === null ? [] : [statedDay]));
    return { ...latest, statedDay: statedDays.length === 0 ? null : Math.max(...statedDays) };
  });
}

interface NewVersions extends ConsentChange {
  readonly decision: 'permit' | 'deny';
  /** Shifted. */
  readonly untilDay: number | null;
  /** Whether a consent of its own is added even where others get a new version. */
  readonly needsOwn?: boolean;
}

function addVersions(context: ConsentContext, scoped: readonly ConsentVersion[], change: NewVersions): void {
  const { store, auditLog, days } = context;
  const { subjectId, researchStudyId, decision, actor } = change;
  const today = days.shiftDay(subjectId, dayOf(store.clock.nowMs()));
  const { needsOwn = scoped.length === 0 } = change;
  const added = scoped.map((latest) => ({ ...latest, version: latest.version + 1 }));
  if (needsOwn) added.push(ownConsent(researchStudyId));
  for (const version of added) {
    // Never dated before what it replaces: a record with a date in the future must not outlive its withdrawal.
    const statedDay = Math.max(today, version.statedDay ?? today);
    insertVersion(store, subjectId, { ...version, decision, statedDay, untilDay: change.untilDay });
  }
  auditLog.append({
    actor: actor.name,
    role: actor.role,
    action: decision === 'permit' ? 'consent-granted' : 'consent-withdrawn',
    object: `subject:${subjectId}`,
    ...(researchStudyId === null ? {} : { researchStudyId }),
    outcome: 'success',
    detail: { versions: added.map(({ consentId, version }) => ({ consentId, version })) },
  });
}

function ownConsent(researchStudyId: string | null): ConsentVersion {
  const consentId = toHex(systemRandom(16));
  const open = { statedDay: null, fromDay: null, untilDay: null };
  return {
    consentId,
    version: 1,
    researchStudyId,
    status: 'active',
    decision: 'deny',
    isByGuardian: false,
    provision: null,
    source: 'steward',
    ...open,
  };
}

function insertVersion(store: Store, subjectId: string, version: ConsentVersion): void {
  const { consentId, researchStudyId, decision, statedDay, untilDay } = version;
  // A withdrawal holds from now on and from before: only what was already sent is untouched by it. What a steward records is the
  // patient's own word, also where a guardian gave the version before.
  const columns = {
    consent_id: consentId,
    version: version.version,
    subject_id: subjectId,
    research_study_id: researchStudyId,
    status: 'active',
    decision,
    stated_day: statedDay,
    from_day: null,
    until_day: untilDay,
    // It stays the consent that it was, and so does what it replaced.
    replacement: storedReplacement(version),
    source: 'steward',
  };
  const row = {
    ...columns,
    content_digest: sha256(encodeCanonicalJson(columns)),
    recorded_at: isoTime(store.clock.nowMs()),
  };
  store.run(store.query.insertInto('consent').values(row));
}

/** Without the consent's own name, which its id has. */
function storedReplacement({ replacement }: ConsentVersion): string | null {
  if (replacement === undefined) return null;
  const { names, replaces, givenBy } = replacement;
  const isBare = names.length === 1 && replaces.length === 0 && givenBy === null;
  return isBare ? null : JSON.stringify({ names: names.slice(1), replaces, givenBy });
}

/** A research study that no consent names: only those for research in general speak for it. */
const unnamedStudy = '';

/** Whether the rules permit a subject's data to any research study: one that its consents name, one with a plan here, or another. */
export function permitsAnything(context: ConsentContext, subjectId: string): boolean {
  const { store } = context;
  const versions = readSubjectConsents(store, subjectId);
  // Of most who were erased: they are looked at again and again.
  if (versions.every(({ decision }) => decision === 'deny') || isOptedOut(store, subjectId)) return false;
  const studies = new Set([unnamedStudy, ...plannedStudies(store)]);
  for (const { researchStudyId, provision } of versions) {
    if (researchStudyId !== null) studies.add(researchStudyId);
    // Rules for several, or with a deny among them, are kept as for research in general.
    for (const named of provision === null ? [] : researchStudiesOf(provision)) studies.add(named);
  }
  return [...studies].some(
    (researchStudyId) =>
      decideVersions(versions, scopeOf(context, { subjectId, researchStudyId })).decision === 'permit',
  );
}

/** Each has its own purposes and terms. */
function plannedStudies(store: Store): string[] {
  const plans = store.query.selectFrom('research_study').select('research_study_id').distinct();
  return store.all(plans).map(({ research_study_id: researchStudyId }) => researchStudyId);
}

/** What the rules say about one subject at this moment. */
export function decideSubject(
  context: Omit<ConsentContext, 'auditLog'>,
  subject: Pick<ConsentChange, 'subjectId' | 'researchStudyId'>,
) {
  const { store } = context;
  if (isOptedOut(store, subject.subjectId)) return optedOut;
  return decideVersions(readSubjectConsents(store, subject.subjectId), scopeOf(context, subject));
}

function scopeOf(
  { store, days, termsOf, consortiumName }: Omit<ConsentContext, 'auditLog'>,
  { subjectId, researchStudyId }: Pick<ConsentChange, 'subjectId' | 'researchStudyId'>,
): SubjectScope {
  const terms = researchStudyId === null ? undefined : termsOf?.(researchStudyId);
  const atMs = store.clock.nowMs();
  return { researchStudyId, terms, consortium: consortiumName?.(), atMs, subjectId, days };
}
