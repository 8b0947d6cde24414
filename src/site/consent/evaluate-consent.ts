// What a subject's consents permit on a day: opt-in, an active deny wins, only a newer version of the same consent lifts it
// (security.md C1, C4), and an old export read again lifts nothing. Pure; adding a deny never turns a deny into a permit, and
// the order of the versions does not matter.
import { allData, noData, type PermittedData } from './permitted-data.ts';

/** One version of a consent. Days are shifted by the subject's date offset; null is open. */
export interface ConsentVersion {
  readonly consentId: string;
  readonly version: number;
  /** null: research in general. */
  readonly researchStudyId: string | null;
  /** FHIR Consent.status. */
  readonly status: string;
  readonly decision: 'permit' | 'deny';
  readonly statedDay: number | null;
  readonly fromDay: number | null;
  readonly untilDay: number | null;
  readonly source: string;
}

export type ConsentRule =
  | 'permit'
  | 'withdrawn'
  | 'expired'
  | 'not-yet-valid'
  | 'no-consent'
  | 'opted-out'
  | 'denied'
  | 'inactive';

export interface ConsentDecision {
  readonly decision: 'permit' | 'deny';
  readonly rule: ConsentRule;
  /** The version that decided; null for `no-consent`. */
  readonly consentId: string | null;
  readonly version: number | null;
  /** Which rules of which consents decided, language-neutral; the same whatever the order of reading. */
  readonly path: readonly string[];
  /** What may be read; nothing where the decision is deny. */
  readonly data: PermittedData;
}

/** Where and when a consent is asked for. */
export interface ConsentScope {
  /** null looks at the consents for every research study together, as an overview of the subject. */
  readonly researchStudyId: string | null;
  /** The day, shifted by the subject's date offset. */
  readonly day: number;
}

export const noConsent: ConsentDecision = {
  decision: 'deny',
  rule: 'no-consent',
  consentId: null,
  version: null,
  path: [],
  data: noData,
};

/** Decides over all versions of all consents of one subject. */
export function evaluateConsent(versions: readonly ConsentVersion[], scope: ConsentScope): ConsentDecision {
  const found = standingVersions(versions, scope).filter(({ version }) => isInScope(version, scope));
  const best = found.sort(compareFindings)[0];
  if (best === undefined) return noConsent;
  const { rule, version } = best;
  const decision = rule === 'permit' ? 'permit' : 'deny';
  return {
    decision,
    rule,
    consentId: version.consentId,
    version: version.version,
    path: rootPath,
    data: decision === 'permit' ? allData : noData,
  };
}

/** Decided by the root of the consent named beside it. */
const rootPath: readonly string[] = ['root'];

interface Finding {
  readonly version: ConsentVersion;
  readonly rule: ConsentRule;
  readonly rank: number;
}

/** Denies in force come before permits in force; then what explains best why there is neither. */
const rank = {
  denyInForce: 0,
  permit: 1,
  expired: 2,
  notYetValid: 3,
  denyOutOfForce: 4,
  inactive: 5,
} as const;

/** The versions that still say something, with what each one says. */
function standingVersions(versions: readonly ConsentVersion[], { day }: ConsentScope): Finding[] {
  const findings: Finding[] = [];
  for (const siblings of groupByConsent(versions)) {
    for (const version of siblings) {
      const isLifted = siblings.some((other) => isNewer(other, version) && lifts(other, { version, day }));
      if (!isLifted) findings.push(judge(version, { siblings, day }));
    }
  }
  return findings;
}

/**
 * A deny is lifted by a newer permit or retraction, never by another deny (denies only add up) and never by a draft. A
 * permit is lifted by whatever is newer. What is dated in the future lifts nothing towards permission.
 */
function lifts(other: ConsentVersion, { version, day }: { version: ConsentVersion; day: number }): boolean {
  const isFuture = other.statedDay !== null && other.statedDay > day;
  if (isActiveDeny(version)) return !isActiveDeny(other) && !unstated.has(other.status) && !isFuture;
  return !(isFuture && other.decision === 'permit' && isActive(other));
}

function groupByConsent(versions: readonly ConsentVersion[]): ConsentVersion[][] {
  if (versions.length === 1) return [[...versions]];
  return [...Map.groupBy(versions, ({ consentId }) => consentId).values()];
}

function isActive({ status }: ConsentVersion): boolean {
  return status === 'active';
}

function isActiveDeny(version: ConsentVersion): boolean {
  return version.decision === 'deny' && isActive(version);
}

/**
 * By the day it was stated where both have one. Where the days tell nothing (equal, or one is not stated), the version tells
 * only what a steward did after what: an import's number says when a file was read, not when the patient spoke. Stops an
 * old export, read again, from bringing back a permit that the patient or the source has ended since.
 */
function isNewer(left: ConsentVersion, right: ConsentVersion): boolean {
  const [isLeftSteward, isRightSteward] = [isBySteward(left), isBySteward(right)];
  if (left.statedDay !== null && right.statedDay !== null && left.statedDay !== right.statedDay) {
    return left.statedDay > right.statedDay;
  }
  const [leftCaution, rightCaution] = [cautionOf(left), cautionOf(right)];
  if (isLeftSteward !== isRightSteward) {
    const imported = isLeftSteward ? rightCaution : leftCaution;
    const steward = isLeftSteward ? leftCaution : rightCaution;
    // An import ends a steward's permit only when read after it, and never anything else a steward did.
    if (imported <= steward) return isLeftSteward;
    return left.version > right.version;
  }
  if (isLeftSteward || leftCaution === rightCaution) return left.version > right.version;
  return leftCaution > rightCaution;
}

function isBySteward({ source }: ConsentVersion): boolean {
  return source === 'steward';
}

/** How much a version takes away: a deny most, then what ends a consent. A draft is no statement and ends no consent's word. */
function cautionOf(version: ConsentVersion): number {
  if (isActiveDeny(version)) return 2;
  return isActive(version) || unstated.has(version.status) ? 0 : 1;
}

/** FHIR statuses of a consent that was not given yet. */
const unstated = new Set(['draft', 'proposed']);

function judge(
  version: ConsentVersion,
  context: { siblings: readonly ConsentVersion[]; day: number },
): Finding {
  if (!isActive(version)) return { version, rule: ruleOfInactive(version, context), rank: rank.inactive };
  const { statedDay, fromDay, untilDay } = version;
  const hasEnded = untilDay !== null && untilDay < context.day;
  const hasBegun = fromDay === null || fromDay <= context.day;
  if (version.decision === 'deny') {
    const rule = followsPermit(version, context) || isBySteward(version) ? 'withdrawn' : 'denied';
    return { version, rule, rank: hasBegun && !hasEnded ? rank.denyInForce : rank.denyOutOfForce };
  }
  if (hasEnded) return { version, rule: 'expired', rank: rank.expired };
  const isStated = statedDay === null || statedDay <= context.day;
  if (!hasBegun || !isStated) return { version, rule: 'not-yet-valid', rank: rank.notYetValid };
  return { version, rule: 'permit', rank: rank.permit };
}

/** A source says by the status that a permit was ended or never given, where it has no deny of its own. */
function ruleOfInactive(
  version: ConsentVersion,
  context: { readonly siblings: readonly ConsentVersion[] },
): ConsentRule {
  if (version.status === 'rejected') return 'denied';
  const wasPermit = version.decision === 'permit' || followsPermit(version, context);
  return version.status === 'inactive' && wasPermit ? 'withdrawn' : 'inactive';
}

function followsPermit(
  version: ConsentVersion,
  { siblings }: { readonly siblings: readonly ConsentVersion[] },
): boolean {
  return siblings.some((other) => other.decision === 'permit' && isNewer(version, other));
}

function isInScope(version: ConsentVersion, { researchStudyId }: ConsentScope): boolean {
  return (
    researchStudyId === null ||
    version.researchStudyId === null ||
    version.researchStudyId === researchStudyId
  );
}

/** Rank, then the one that holds longest, then the id: the same version is named whatever the order of reading. */
function compareFindings(left: Finding, right: Finding): number {
  if (left.rank !== right.rank) return left.rank - right.rank;
  const [leftEnd, rightEnd] = [left, right].map(
    ({ version }) => version.untilDay ?? Number.POSITIVE_INFINITY,
  );
  if (leftEnd !== rightEnd) return (rightEnd ?? 0) > (leftEnd ?? 0) ? 1 : -1;
  if (left.version.consentId !== right.version.consentId) {
    return left.version.consentId < right.version.consentId ? -1 : 1;
  }
  return right.version.version - left.version.version;
}
