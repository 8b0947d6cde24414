// What a subject's consents permit on a day: opt-in, an active deny wins, only a newer version of the same consent or one that replaces
// it lifts it (security.md C1, C4), and an old export read again lifts nothing. A permit may have to meet terms beside its dates (C1, C7). Pure;
// adding a deny never turns a deny into a permit, and the order of the versions does not matter.
import type { ConsentProvision } from '#site/store/index.ts';
import type { ConsentVersion } from './consent-version.ts';
import { combineDays } from './day-ranges.ts';
import { hasDeny } from './evaluate-provision.ts';
import { type PermitTerms, type UnmetTerm, unmetTerm } from './permit-terms.ts';
import { allData, noData, type PermittedData, permittedData } from './permitted-data.ts';
import { readProvision } from './read-provision.ts';
import { findReplacements } from './replaced-consents.ts';
import { isActive, isBySteward, isNewer, liftsDeny, liftsPermit } from './version-order.ts';

export type ConsentRule =
  | 'permit'
  | 'withdrawn'
  | 'expired'
  | 'not-yet-valid'
  | UnmetTerm
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
export interface ConsentScope extends PermitTerms {
  /** null looks at the consents for every research study together, as an overview of the subject. */
  readonly researchStudyId: string | null;
  /** Who runs it, by the name in the trust list; absent: the site has joined no consortium. */
  readonly consortium?: string | undefined;
  /** v3-ActReason codes of what it is for, each of which must be permitted; healthcare research where none is given. */
  readonly purposes?: readonly string[] | undefined;
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
  const found = standingVersions(versions, scope);
  const data = combineData(found);
  const explaining =
    data === noData ? found.flatMap(asDenied) : found.filter(({ rule }) => rule === 'permit');
  const best = explaining.sort(compareFindings)[0];
  if (best === undefined) return noConsent;
  const { rule, version } = best;
  const decision = data === noData ? 'deny' : 'permit';
  return {
    decision,
    rule,
    consentId: version.consentId,
    version: version.version,
    path: pathOf(best, found),
    data,
  };
}

/** What some consent permits and none denies. */
function combineData(findings: readonly Finding[]): PermittedData {
  const [first, second] = findings;
  if (first === undefined) return noData;
  if (second === undefined && first.denied === noData) return first.permitted;
  const [clinical, imaging] = (['clinical', 'imaging'] as const).map((dataClass) =>
    combineDays(
      findings.flatMap(({ permitted }) => permitted[dataClass]),
      findings.flatMap(({ denied }) => denied[dataClass]),
    ),
  );
  return permittedData(clinical ?? [], imaging ?? []);
}

/** A permit of which denies leave nothing explains nothing, unless by its own denies. */
function asDenied(finding: Finding): Finding[] {
  if (finding.rule !== 'permit') return [finding];
  return finding.denied === noData ? [] : [{ ...finding, rule: 'denied', rank: rank.denyInForce }];
}

/** The rules of the consent that is named, and those of others that have a say: these begin with their consent's id. */
function pathOf(best: Finding, findings: readonly Finding[]): readonly string[] {
  const others = findings.filter(
    (other) => other.version !== best.version && (other.permitted !== noData || other.denied !== noData),
  );
  if (others.length === 0) return best.path;
  const steps = others.flatMap(({ version, path }) => path.map((step) => `${version.consentId}/${step}`));
  return [...best.path, ...new Set(steps.sort())];
}

/** Decided by the root of the consent named beside it. */
const rootPath: readonly string[] = ['root'];

interface Finding {
  readonly version: ConsentVersion;
  readonly rule: ConsentRule;
  readonly rank: number;
  readonly permitted: PermittedData;
  readonly denied: PermittedData;
  readonly path: readonly string[];
}

/** Denies in force come before permits in force; then what explains best why there is neither. */
const rank = {
  denyInForce: 0,
  permit: 1,
  termUnmet: 2,
  expired: 3,
  notYetValid: 4,
  denyOutOfForce: 5,
  inactive: 6,
} as const;

interface JudgeContext {
  readonly siblings: readonly ConsentVersion[];
  readonly scope: ConsentScope;
  /** Whether a newer version has ended what this one permits. Its denies may still stand. */
  readonly isPermitLifted: boolean;
}

/** The versions within the scope that still say something, with what each one says. */
function standingVersions(versions: readonly ConsentVersion[], scope: ConsentScope): Finding[] {
  const findings: Finding[] = [];
  const replaced = findReplacements(versions, scope);
  for (const siblings of groupByConsent(versions)) {
    for (const version of siblings) {
      const newer = siblings.filter((other) => isNewer(other, version));
      const isDenyLifted = newer.some((other) => liftsDeny(other, scope)) || replaced.denies.has(version);
      const isPermitLifted =
        newer.some((other) => liftsPermit(other, scope)) || replaced.permits.has(version);
      const isLifted = isDenyLifted || (isPermitLifted && !hasDenies(version));
      if (isLifted || !isInScope(version, scope)) continue;
      const finding = judge(version, { siblings, scope, isPermitLifted });
      if (finding !== undefined) findings.push(finding);
    }
  }
  return findings;
}

function hasDenies({ provision, decision }: ConsentVersion): boolean {
  return decision === 'deny' || (provision !== null && hasDeny(provision));
}

function groupByConsent(versions: readonly ConsentVersion[]): ConsentVersion[][] {
  if (versions.length === 1) return [[...versions]];
  return [...Map.groupBy(versions, ({ consentId }) => consentId).values()];
}

function judge(version: ConsentVersion, context: JudgeContext): Finding | undefined {
  const { day } = context.scope;
  if (!isActive(version)) return says(version, ruleOfInactive(version, context), rank.inactive);
  if (version.provision !== null) return judgeRules(version, version.provision, context);
  const whyNot = outOfForce(version, day);
  if (version.decision === 'permit') {
    const unmet = unmetTerm(version, context.scope);
    if (whyNot === undefined && unmet !== undefined)
      return { ...says(version, unmet, rank.termUnmet), path: [unmet] };
    return whyNot ?? says(version, 'permit', rank.permit, { permitted: allData });
  }
  const isInForce = !hasEnded(version, day) && hasBegun(version, day);
  const rule = ruleOfDeny(version, context);
  return isInForce
    ? says(version, rule, rank.denyInForce, { denied: allData })
    : says(version, rule, rank.denyOutOfForce);
}

/** Undefined where the rules say nothing about the scope. */
function judgeRules(
  version: ConsentVersion,
  provision: ConsentProvision,
  context: JudgeContext,
): Finding | undefined {
  const { researchStudyId, consortium, day, purposes = ['HRESCH'] } = context.scope;
  const reading = readProvision(provision, { researchStudyId, consortium, day, purposes });
  const isStated = version.statedDay === null || version.statedDay <= day;
  const permitted = isStated && !context.isPermitLifted ? reading.permitted : noData;
  const { denied, path } = reading;
  const unmet = unmetTerm(version, context.scope);
  if (permitted !== noData && unmet !== undefined)
    return { ...says(version, unmet, rank.termUnmet), denied, path: [unmet] };
  if (permitted !== noData) return { ...says(version, 'permit', rank.permit), permitted, denied, path };
  if (denied !== noData) {
    const rule = ruleOfDeny(version, context);
    return { ...says(version, rule, rank.denyInForce), denied, path };
  }
  return version.decision === 'permit' ? outOfForce(version, day) : undefined;
}

function says(
  version: ConsentVersion,
  rule: ConsentRule,
  position: number,
  data: { readonly permitted?: PermittedData; readonly denied?: PermittedData } = {},
): Finding {
  const { permitted = noData, denied = noData } = data;
  return { version, rule, rank: position, permitted, denied, path: rootPath };
}

/** Why a permit does not hold on the day, undefined where it does. */
function outOfForce(version: ConsentVersion, day: number): Finding | undefined {
  if (hasEnded(version, day)) return says(version, 'expired', rank.expired);
  const isStated = version.statedDay === null || version.statedDay <= day;
  return hasBegun(version, day) && isStated ? undefined : says(version, 'not-yet-valid', rank.notYetValid);
}

function hasEnded({ untilDay }: ConsentVersion, day: number): boolean {
  return untilDay !== null && untilDay < day;
}

function hasBegun({ fromDay }: ConsentVersion, day: number): boolean {
  return fromDay === null || fromDay <= day;
}

function ruleOfDeny(version: ConsentVersion, context: JudgeContext): ConsentRule {
  return followsPermit(version, context) || isBySteward(version) ? 'withdrawn' : 'denied';
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
