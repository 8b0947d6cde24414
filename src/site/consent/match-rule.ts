// Whether a rule of a consent is about what is asked. Certainly so is asked for a permit, possibly so for a deny: what is not
// understood lets no permit match and every deny (security.md C3).
import type { ConsentProvision, ProvisionActor, ProvisionRule, RuleDays } from '#site/store/index.ts';
import {
  isCollected,
  isEarlierPermitted,
  isPolicyCode,
  type PermittedPolicy,
  policyMeaningOf,
} from './broad-consent.ts';
import { coversClass, meaningOf } from './data-class-codes.ts';
import type { DataClass } from './permitted-data.ts';

/** What somebody wants to do with which data. Days are shifted by the subject's date offset. */
export interface ProvisionRequest {
  /** null: any research study. */
  readonly researchStudyId: string | null;
  /** The consortium that asks, by its name in the trust list; absent: the site has joined none. */
  readonly consortium?: string | undefined;
  /** v3-ActReason codes; at least one. */
  readonly purposes: readonly string[];
  readonly dataClass: DataClass;
  /** The day on which it is asked. */
  readonly day: number;
  /** The day of which the data are. */
  readonly dataDay: number;
}

/** What is asked of the rules of one consent. */
export interface RuleRequest extends ProvisionRequest {
  /** Broad consents: what the consent permits of collecting data. */
  readonly policies: readonly PermittedPolicy[];
}

export interface RuleMatch {
  readonly isCertain: boolean;
  readonly isPossible: boolean;
}

const researchStudySystem = 'https://consilium.example/fhir/research-study';
const consortiumSystem = 'https://consilium.example/fhir/consortium';
const purposeSystem = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';
const purposeCodes =
  'HRESCH CLINTRL CLINTRCH TREAT ETREAT HPAYMT HOPERAT HMARKT PUBHLTH PATRQT FAMRQT COVERAGE';
const purposes = new Set(purposeCodes.split(' ').map((code) => `${purposeSystem}|${code}`));
/**
 * Known purposes that contain one that is asked for, or are a part of it (v3-ActReason: clinical trial research is healthcare
 * research, a clinical trial is treatment), and clinical trial research for clinical trials. Purposes that are not known deny anyway.
 */
const relatedPurposes = new Map([
  ['HRESCH', ['CLINTRCH']],
  ['CLINTRL', ['TREAT', 'CLINTRCH']],
]);
const actionSystem = 'http://terminology.hl7.org/CodeSystem/consentaction';
const actions = new Set(
  ['collect', 'access', 'use', 'disclose', 'correct'].map((code) => `${actionSystem}|${code}`),
);
const roles = new Set(
  ['ParticipationType|IRCP', 'ParticipationType|PRCP', 'RoleCode|GRANTEE', 'RoleCode|DELEGATEE'].map(
    (code) => `http://terminology.hl7.org/CodeSystem/v3-${code}`,
  ),
);

export function matchRule(rule: ProvisionRule, request: RuleRequest): RuleMatch {
  // An element beside the filters may widen what they say.
  if (rule.notUnderstood) return { isCertain: false, isPossible: true };
  const isBroad = rule.codes.some(isPolicyCode);
  return allOf([
    isBroad ? matchPolicies(rule, request) : matchTime(rule, request),
    isBroad ? unfiltered : matchCodes(rule.codes, request),
    ...lastingFilters(rule, request),
  ]);
}

/** Whether a rule is certainly about what is asked, whatever its time and codes. */
export function isLastinglyFor(rule: ProvisionRule, request: ProvisionRequest): boolean {
  return !rule.notUnderstood && allOf(lastingFilters(rule, request)).isCertain;
}

function lastingFilters(rule: ProvisionRule, request: ProvisionRequest): RuleMatch[] {
  return [
    matchPurposes(rule.purposes, request),
    matchActors(rule.actors, request),
    matchCodes(rule.classes, request),
    matchActions(rule.actions),
    // What is stored carries no labels, so that nobody can tell which of it is meant.
    { isCertain: rule.securityLabels.length === 0, isPossible: true },
  ];
}

function allOf(filters: readonly RuleMatch[]): RuleMatch {
  return {
    isCertain: filters.every(({ isCertain }) => isCertain),
    isPossible: filters.every(({ isPossible }) => isPossible),
  };
}

/**
 * Of a broad consent one policy permits: use, today, of data that were collected while that was permitted. A deny of use or of what it needs
 * holds today, one of collecting for the data of its days, one of earlier data for all that were not collected.
 */
function matchPolicies(rule: ProvisionRule, request: RuleRequest): RuleMatch {
  const time = matchTime(rule, request);
  const { policies, dataDay } = request;
  const isOfPeriod = matchTime(rule, { ...request, day: dataDay }).isPossible;
  const isKnown = isCollected(policies, dataDay);
  const matches = rule.codes.map((code): RuleMatch => {
    const isPossible = {
      use: time.isPossible,
      collection: isOfPeriod,
      retrospective: time.isPossible && !isKnown,
      processing: time.isPossible,
      other: false,
    }[policyMeaningOf(code) ?? 'processing'];
    const isUse = policyMeaningOf(code) === 'use' && time.isCertain;
    return { isCertain: isUse && (isKnown || isEarlierPermitted(policies, request)), isPossible };
  });
  const isUnderstood = rule.codes.every((code) => policyMeaningOf(code) !== undefined);
  return {
    isCertain: isUnderstood && matches.some(({ isCertain }) => isCertain),
    isPossible: matches.some(({ isPossible }) => isPossible),
  };
}

function matchTime(rule: ProvisionRule, request: ProvisionRequest): RuleMatch {
  return { isCertain: isInTime(rule, request), isPossible: isInTime(rule.widest ?? rule, request) };
}

function isInTime(days: RuleDays, { day, dataDay }: ProvisionRequest): boolean {
  return isWithin(day, days.fromDay, days.untilDay) && isWithin(dataDay, days.dataFromDay, days.dataUntilDay);
}

function isWithin(day: number, from: number | null, until: number | null): boolean {
  return (from === null || from <= day) && (until === null || day <= until);
}

const unfiltered: RuleMatch = { isCertain: true, isPossible: true };

function matchPurposes(codes: readonly string[], request: ProvisionRequest): RuleMatch {
  if (codes.length === 0) return unfiltered;
  const asked = request.purposes.map((code) => `${purposeSystem}|${code}`);
  const near = request.purposes
    .flatMap((code) => [code, ...(relatedPurposes.get(code) ?? [])])
    .map((code) => `${purposeSystem}|${code}`);
  const isUnderstood = codes.every((code) => purposes.has(code));
  return {
    isCertain: isUnderstood && asked.every((code) => codes.includes(code)),
    isPossible: !isUnderstood || near.some((code) => codes.includes(code)),
  };
}

function matchActors(actors: readonly ProvisionActor[], request: ProvisionRequest): RuleMatch {
  if (actors.length === 0) return unfiltered;
  const isUnderstood = actors.every(
    ({ role, reference }) => (role === null || roles.has(role)) && isUnderstoodActor(reference, request),
  );
  const isNamed = actors.some(({ reference }) => isAsking(reference, request));
  return { isCertain: isUnderstood && isNamed, isPossible: !isUnderstood || isNamed };
}

/** Those that any of its rules names. */
export function researchStudiesOf({ root }: Pick<ConsentProvision, 'root'>): string[] {
  const prefix = `${researchStudySystem}|`;
  const own = root.actors.flatMap(({ reference }) =>
    reference?.startsWith(prefix) === true ? [reference.slice(prefix.length)] : [],
  );
  return [...own, ...root.children.flatMap((child) => researchStudiesOf({ root: child }))];
}

/** Before the site has joined a consortium, one that is named may turn out to be it. */
function isUnderstoodActor(reference: string | null, { consortium }: ProvisionRequest): boolean {
  if (reference === null) return false;
  const isConsortium = reference.startsWith(`${consortiumSystem}|`) && consortium !== undefined;
  return reference.startsWith(`${researchStudySystem}|`) || isConsortium;
}

function isAsking(reference: string | null, { researchStudyId, consortium }: ProvisionRequest): boolean {
  // Asked for all research studies together, any of them is.
  if (researchStudyId === null && reference?.startsWith(`${researchStudySystem}|`) === true) return true;
  const names = [`${researchStudySystem}|${researchStudyId}`];
  if (consortium !== undefined) names.push(`${consortiumSystem}|${consortium}`);
  return reference !== null && names.includes(reference);
}

function matchCodes(codes: readonly string[], { dataClass }: ProvisionRequest): RuleMatch {
  if (codes.length === 0) return unfiltered;
  const isUnderstood = codes.every((code) => meaningOf(code) !== undefined);
  return {
    isCertain: isUnderstood && coversClass(codes, dataClass),
    isPossible: !isUnderstood || codes.some((code) => meaningOf(code)?.dataClass === dataClass),
  };
}

/** Training uses data; it reads them first. */
function matchActions(codes: readonly string[]): RuleMatch {
  if (codes.length === 0) return unfiltered;
  const isUnderstood = codes.every((code) => actions.has(code));
  const has = (code: string): boolean => codes.includes(`${actionSystem}|${code}`);
  return { isCertain: isUnderstood && has('use'), isPossible: !isUnderstood || has('use') || has('access') };
}
