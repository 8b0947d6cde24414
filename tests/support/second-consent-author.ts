/**
 * A second reading of the consent rules C1 to C5, written from their text, FHIR R4 and nothing else, by an
 * author who had not seen the product's evaluator. A difference between the two is a misreading by one of
 * them, or a sentence that can be read in two ways; each branch therefore names its sentence, and
 * "Ambiguous" marks the places where the text left a choice and the patient's side was taken.
 *
 * The one idea: every filter is answered `yes`, `no` or `unknown`. A permit takes effect only on `yes`, a
 * deny on anything but `no` (C3: "An element the evaluator does not understand in a permit makes it not
 * match; in a deny makes it match").
 */

export type SecondAuthorQuestion = {
  readonly researchStudyId: string;
  /** The name that the consortium has in its trust list. */
  readonly consortium: string;
  /** A v3-ActReason code such as HRESCH. */
  readonly purpose: string;
  readonly dataClass: 'clinical' | 'imaging';
  /** YYYY-MM-DD. */
  readonly today: string;
  /** YYYY-MM-DD, the day the data are of. */
  readonly dataDate: string;
};

type Json = Record<string, unknown>;
type Truth = 'yes' | 'no' | 'unknown';
type Effect = 'permit' | 'deny';
/** `silent` is a consent that neither permits this use nor forbids it to the other consents. */
type Decision = Effect | 'silent';
type Candidate = { readonly effect: Effect; readonly depth: number; readonly match: Truth };

const CONSENT_SCOPE = 'http://terminology.hl7.org/CodeSystem/consentscope';
const CONSENT_ACTION = 'http://terminology.hl7.org/CodeSystem/consentaction';
const ACT_CODE = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const ACT_REASON = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';
const PARTICIPATION_TYPE = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType';
const ROLE_CODE = 'http://terminology.hl7.org/CodeSystem/v3-RoleCode';
const RESOURCE_TYPES = 'http://hl7.org/fhir/resource-types';
const LOINC = 'http://loinc.org';
const RESEARCH_STUDY = 'https://consilium.example/fhir/research-study';
const CONSORTIUM = 'https://consilium.example/fhir/consortium';

const CLINICAL_TYPES = [
  'Observation',
  'Condition',
  'Procedure',
  'Encounter',
  'MedicationRequest',
  'MedicationStatement',
  'MedicationAdministration',
  'MedicationDispense',
  'Immunization',
];
const KNOWN_TYPES = new Set([
  ...CLINICAL_TYPES,
  'ImagingStudy',
  'DocumentReference',
  'DiagnosticReport',
  'Patient',
]);
/** Types of CDA documents, whose entries are read as clinical data. */
const DOCUMENT_CODES = new Set(['11506-3', '34133-9', '18842-5', '34117-2']);
/** Only a part of what is clinical, or more than that. */
const CLINICAL_PARTS = ['DiagnosticReport', 'Patient'];
const KNOWN_ACTIONS = new Set(['collect', 'access', 'use', 'disclose', 'correct']);

/** Roles in which an actor is the one who receives the data. GRANTEE is what later FHIR releases use. */
const RECEIVING_ROLES = new Set([
  `${PARTICIPATION_TYPE}|IRCP`,
  `${PARTICIPATION_TYPE}|PRCP`,
  `${ROLE_CODE}|GRANTEE`,
]);

/** Parts of the two research purposes, and what contains them, in the v3-ActReason hierarchy. */
const PARTS_OF_PURPOSE: Readonly<Record<string, readonly string[]>> = {
  HRESCH: ['BIORCH', 'CLINTRCH', 'CLINTRCHNPC', 'CLINTRCHPC', 'PRECLINTRCH', 'DSRCH', 'POARCH', 'TRANSRCH'],
};
const WHOLES_OF_PURPOSE: Readonly<Record<string, readonly string[]>> = {
  HRESCH: ['PurposeOfUse'],
  CLINTRL: ['PurposeOfUse', 'TREAT'],
};
/** Purposes of use known to be neither of the two research purposes nor a part of them. */
const OTHER_PURPOSES = new Set(
  (
    'HRESCH CLINTRL TREAT CAREMGT COC ETREAT BTG ERTREAT POPHLTH HMARKT HOPERAT DONAT FRAUD GOV HACCRED ' +
    'HCOMPL HDECD HDIRECT HDM HLEGAL HOUTCOMS HPRGRP HQUALIMP HSYSADMIN LABELING METAMGT MEMADMIN MILCDM ' +
    'PATADMIN PATSFTY PERFMSR RECORDMGT SYSDEV HTEST TRAIN HPAYMT CLMATTCH COVAUTH COVERAGE ELIGDTRM ' +
    'ELIGVER ENROLLM MILDCRG REMITADV PATRQT FAMRQT PWATRNY SUPNWK PUBHLTH DISASTER THREAT BIORCH CLINTRCH ' +
    'CLINTRCHNPC CLINTRCHPC PRECLINTRCH DSRCH POARCH TRANSRCH'
  ).split(' '),
);

/**
 * C4: "any active deny for the scope wins over permits, unless a newer consent by the same person explicitly
 * replaces it". Each consent is decided alone; one deny that is not replaced ends it, else one permit that is
 * not replaced suffices.
 */
export function secondAuthorPermits(consents: readonly Json[], question: SecondAuthorQuestion): boolean {
  let isPermitted = false;
  for (const consent of consents) {
    const decision = decide(consent, question);
    const successors = consents.filter((other) => other !== consent && replaces(other, consent));
    const isReplaced = successors.some((other) => mayReplace(other, consent, question));
    if (decision === 'deny' && !isReplaced) {
      return false;
    }
    // Ambiguous: whose word ends a permit. On the patient's side: anybody's that is no draft and has been said.
    const isEnded = successors.some((other) => !isDraft(other) && !isYetToCome(other, question));
    isPermitted ||= decision === 'permit' && !isReplaced && !isEnded;
  }
  return isPermitted;
}

/** C4: "(`sourceReference`/same identifier, newer `dateTime`)". Without both dates nothing is newer. */
function replaces(successor: Json, predecessor: Json): boolean {
  if (typeof successor.dateTime !== 'string' || typeof predecessor.dateTime !== 'string') {
    return false;
  }
  const source = isObject(successor.sourceReference) ? successor.sourceReference.reference : undefined;
  const isSource = source === `Consent/${String(predecessor.id)}`;
  const isSame = identifiersOf(successor).some((one) => identifiersOf(predecessor).includes(one));
  return (isSource || isSame) && successor.dateTime > predecessor.dateTime;
}

function identifiersOf(consent: Json): string[] {
  const identifiers = Array.isArray(consent.identifier) ? consent.identifier : [];
  return identifiers
    .filter((one) => isObject(one) && one.system !== undefined && one.value !== undefined)
    .map((one: Json) => JSON.stringify([one.system, one.value]));
}

/**
 * C4: "by the same person". Ambiguous: whether a newer refusal replaces an older one. C15 says that a deny
 * more never makes a cohort larger, so only a consent that permits something does.
 */
function mayReplace(successor: Json, predecessor: Json, { today }: SecondAuthorQuestion): boolean {
  const isSaid = successor.status === 'active' && String(successor.dateTime) <= today;
  return isSaid && givesAnything(successor) && giverOf(successor) === giverOf(predecessor);
}

function giverOf(consent: Json): string {
  const performers = Array.isArray(consent.performer) ? (consent.performer as Json[]) : [];
  const names = performers.map((performer) => String(performer.reference));
  if (names.length === 0) {
    return 'Patient/p1'; // Nobody is stated: then it is the patient's.
  }
  const witnesses = names.filter((name) => name.startsWith('Practitioner/'));
  const others = names.filter((name) => name !== 'Patient/p1' && !witnesses.includes(name));
  if (others.length === 0 && names.includes('Patient/p1')) {
    return 'Patient/p1';
  }
  return [...others, ...witnesses].sort().join();
}

function givesAnything(consent: Json): boolean {
  const root = consent.provision ?? {};
  if (!isObject(root) || consent.provision === null || consent.implicitRules !== undefined) {
    return false;
  }
  if (holdsModifier(consent)) {
    return false;
  }
  const holdsPermit = (rule: unknown): boolean =>
    isObject(rule) &&
    Array.isArray(rule.provision) &&
    rule.provision.some((nested) => (isObject(nested) && nested.type === 'permit') || holdsPermit(nested));
  const isOpen = basePolicy(consent.policyRule) === 'permit unless denied' && root.type !== 'deny';
  return holdsPermit(root) || isOpen || (root.type === 'permit' && hasPeriodPurposeAndActor(root));
}

function isDraft(consent: Json): boolean {
  return consent.status === 'draft' || consent.status === 'proposed';
}

function isYetToCome(consent: Json, { today }: SecondAuthorQuestion): boolean {
  return consent.status === 'active' && String(consent.dateTime) > today && givesAnything(consent);
}

function decide(consent: Json, question: SecondAuthorQuestion): Decision {
  // C1: "Only `status = active`, `scope` research (or mapped)". No scope is mapped for this question.
  // Ambiguous: a scope that is not understood; C1 says "only", so such a consent neither permits nor denies.
  if (consent.resourceType !== 'Consent' || consent.status !== 'active') {
    return 'silent';
  }
  if (conceptTruth(consent.scope, isResearchScope) !== 'yes') {
    return 'silent';
  }
  // C1: "`dateTime` not in the future". A consent without dateTime is not in the future.
  const signed = consent.dateTime === undefined ? 'yes' : signedBy(consent.dateTime, question.today);
  if (signed === 'no') {
    return 'silent';
  }
  // C1: "`verification` as the plan asks". The question carries no plan, so nothing is asked.
  const root = consent.provision ?? {};
  if (!isObject(root) || consent.provision === null) {
    return 'deny'; // C3: an element that is not understood, on the side of the deny.
  }
  // C1: "not after `provision.period.end`".
  if (hasEnded(root.period, question.today)) {
    return 'silent';
  }
  // C3: "`modifierExtension` unknown → deny": this reader knows none, so one anywhere in the consent denies.
  // FHIR marks implicitRules as a modifier in the same sense. Ambiguous: whether a nested rule's
  // modifierExtension denies the whole consent or only what that rule speaks of; the whole is safer.
  if (consent.implicitRules !== undefined || holdsModifier(consent)) {
    return 'deny';
  }
  const decision = decideByRules(root, basePolicy(consent.policyRule), question);
  return decision === 'permit' && signed !== 'yes' ? 'silent' : decision;
}

type BasePolicy = 'permit unless denied' | 'deny unless permitted' | 'deny';

/**
 * C2: "Base decision from `policyRule` (OPTIN, OPTINR → deny unless permitted; OPTOUT, OPTOUTE → permit
 * unless denied); absent or unknown → deny." Codings of other systems beside a known one are translations of
 * it; two codes of v3-ActCode that disagree leave the stricter.
 */
function basePolicy(policyRule: unknown): BasePolicy {
  const codings = isObject(policyRule) && Array.isArray(policyRule.coding) ? policyRule.coding : [];
  const codes = codings
    .filter((coding) => isObject(coding) && coding.system === ACT_CODE)
    .map((coding: Json) => coding.code);
  if (codes.length > 0 && codes.every((code) => code === 'OPTOUT' || code === 'OPTOUTE')) {
    return 'permit unless denied';
  }
  return codes.includes('OPTIN') || codes.includes('OPTINR') ? 'deny unless permitted' : 'deny';
}

function decideByRules(root: Json, policy: BasePolicy, question: SecondAuthorQuestion): Decision {
  const rootMatch = filtersMatch(root, question);
  const type = root.type;
  const candidates: Candidate[] = [];
  if (type !== undefined && type !== 'permit') {
    // C2: "A `type` in the root: `deny` is obeyed". A type that is neither word is obeyed as a deny.
    candidates.push({ effect: 'deny', depth: 0, match: rootMatch });
  } else if (type === 'permit' && hasPeriodPurposeAndActor(root)) {
    // C2: "`permit` counts only where it comes with period, purpose and actor".
    candidates.push({ effect: 'permit', depth: 0, match: rootMatch });
  }
  collectNested(root, rootMatch, 1, question, candidates);
  const ruled = deepestRule(candidates);
  if (ruled !== undefined) {
    return ruled;
  }
  // No rule decided; the base decision of C2 stands, within what the root speaks of. Ambiguous: C2 does not
  // say that the root's filters bound an opt-out. A rule whose filters all must match cannot permit beyond
  // them, so they do. A root deny bounds nothing but its own time.
  if (policy === 'permit unless denied') {
    const bound =
      type === undefined || type === 'permit' ? rootMatch : periodTruth(root.period, question.today);
    return bound === 'yes' ? 'permit' : 'silent';
  }
  // Ambiguous: whether a base decision is an "active deny" of C4. "Deny unless permitted" is a permission
  // not given, and a second study's consent may give it. A policy that is absent or unknown says plainly
  // "deny" and is counted as one.
  return policy === 'deny' && rootMatch !== 'no' ? 'deny' : 'silent';
}

function hasPeriodPurposeAndActor(root: Json): boolean {
  return ['period', 'purpose', 'actor'].every((name) => root[name] !== undefined);
}

/** C3: "deepest matching rule wins; equal depth: deny wins". */
function deepestRule(candidates: readonly Candidate[]): Effect | undefined {
  const depths = [...new Set(candidates.map((candidate) => candidate.depth))].sort((a, b) => b - a);
  for (const depth of depths) {
    const here = candidates.filter((candidate) => candidate.depth === depth);
    if (here.some((candidate) => candidate.effect === 'deny' && candidate.match !== 'no')) {
      return 'deny';
    }
    if (here.some((candidate) => candidate.effect === 'permit' && candidate.match === 'yes')) {
      return 'permit';
    }
  }
  return undefined;
}

/**
 * C3: "Nested rules are exceptions to their parent: all filters given must match". An exception reaches no
 * further than its parent, so a rule's filters are its own and those of every rule above it. Ambiguous: what
 * a parent that is not understood means for the rules below it. Here the same as a filter of their own: it
 * keeps a permit from matching and does not keep a deny from it.
 */
function collectNested(
  parent: Json,
  above: Truth,
  depth: number,
  question: SecondAuthorQuestion,
  candidates: Candidate[],
): void {
  const nested = parent.provision;
  if (nested === undefined) {
    return;
  }
  if (!Array.isArray(nested)) {
    candidates.push({ effect: 'deny', depth, match: above });
    return;
  }
  for (const rule of nested) {
    if (!isObject(rule)) {
      candidates.push({ effect: 'deny', depth, match: above });
      continue;
    }
    const match = every([above, filtersMatch(rule, question)]);
    // R4 requires a type in nested rules. Ambiguous: C3 does not say what a rule without one is; a deny.
    candidates.push({ effect: rule.type === 'permit' ? 'permit' : 'deny', depth, match });
    collectNested(rule, match, depth + 1, question, candidates);
  }
}

/** C3: "all filters given must match". Names that R4 does not have in a rule are not understood. */
function filtersMatch(rule: Json, question: SecondAuthorQuestion): Truth {
  return every(Object.entries(rule).map(([name, value]) => filterTruth(name, value, question)));
}

function filterTruth(name: string, value: unknown, question: SecondAuthorQuestion): Truth {
  switch (name) {
    case 'id':
    case 'extension': // FHIR: an extension that is no modifierExtension may be ignored safely.
    case 'type':
    case 'provision':
      return 'yes';
    case 'period':
      return periodTruth(value, question.today);
    case 'dataPeriod': // C5: "data outside the period not read".
      return periodTruth(value, question.dataDate);
    case 'purpose':
      return anyOf(value, (coding) => purposeTruth(coding, question.purpose));
    case 'actor':
      return anyOf(value, (actor) => actorTruth(actor, question));
    case 'class':
      return classTruth(value, question.dataClass);
    case 'action':
      return anyOf(value, (concept) => conceptTruth(concept, actionTruth));
    case 'code':
      return anyOf(value, (concept) => conceptTruth(concept, (coding) => contentCodeTruth(coding, question)));
    default:
      // `data` names single resources and `securityLabel` the labels of the data; the question has neither.
      return 'unknown';
  }
}

function isResearchScope(coding: Json): Truth {
  return coding.system === CONSENT_SCOPE && coding.code === 'research' ? 'yes' : 'no';
}

/** C3: "`purpose` HRESCH/CLINTRL". A part of the purpose or the whole around it is enough for a deny only. */
function purposeTruth(coding: unknown, purpose: string): Truth {
  if (!isObject(coding) || coding.system !== ACT_REASON || typeof coding.code !== 'string') {
    return 'unknown';
  }
  const code = coding.code;
  if (code === purpose) {
    return 'yes';
  }
  if (PARTS_OF_PURPOSE[purpose]?.includes(code) || WHOLES_OF_PURPOSE[purpose]?.includes(code)) {
    return 'unknown';
  }
  return OTHER_PURPOSES.has(code) ? 'no' : 'unknown';
}

/**
 * C3: "`actor` role+reference = this consortium or study". Only an identifier of one of the two says who it
 * is: any other reference may or may not lead to the study or the consortium. Ambiguous: which roles count; for
 * a permit one that receives data, and a deny that names the study holds in any role.
 */
function actorTruth(actor: unknown, { researchStudyId, consortium }: SecondAuthorQuestion): Truth {
  if (!isObject(actor) || !isObject(actor.reference)) {
    return 'unknown';
  }
  const identifier = actor.reference.identifier;
  if (!isObject(identifier) || typeof identifier.value !== 'string') {
    return 'unknown';
  }
  const expected =
    identifier.system === RESEARCH_STUDY
      ? researchStudyId
      : identifier.system === CONSORTIUM
        ? consortium
        : undefined;
  if (expected === undefined) {
    return 'unknown';
  }
  if (identifier.value !== expected) {
    return 'no';
  }
  const understood = Object.keys(actor).every((name) =>
    ['id', 'extension', 'role', 'reference'].includes(name),
  );
  return understood ? conceptTruth(actor.role, roleTruth) : 'unknown';
}

function roleTruth(coding: Json): Truth {
  return RECEIVING_ROLES.has(`${coding.system}|${coding.code}`) ? 'yes' : 'unknown';
}

/**
 * C5: "`class` filter[s] the data". FHIR: several classes are alternatives. Clinical data are several types
 * read together: all of them named permits, any of them named denies.
 */
function classTruth(classes: unknown, dataClass: SecondAuthorQuestion['dataClass']): Truth {
  if (dataClass === 'imaging') {
    return anyOf(classes, (coding) => resourceTypeTruth(coding, ['ImagingStudy']));
  }
  if (!Array.isArray(classes)) {
    return 'unknown';
  }
  const isNamed = (type: string): boolean =>
    classes.some((coding) => resourceTypeTruth(coding, [type]) === 'yes');
  if (CLINICAL_TYPES.every(isNamed)) {
    return 'yes';
  }
  const parts = [...CLINICAL_TYPES, ...CLINICAL_PARTS];
  return anyOf(classes, (coding) => resourceTypeTruth(coding, parts)) === 'no' ? 'no' : 'unknown';
}

function resourceTypeTruth(coding: unknown, types: readonly string[]): Truth {
  if (!isObject(coding) || coding.system !== RESOURCE_TYPES || typeof coding.code !== 'string') {
    return 'unknown';
  }
  if (types.includes(coding.code)) {
    return 'yes';
  }
  return KNOWN_TYPES.has(coding.code) ? 'no' : 'unknown';
}

/** Using data is the consentaction `use`; the other four are known and are something else. */
function actionTruth(coding: Json): Truth {
  if (coding.system !== CONSENT_ACTION || typeof coding.code !== 'string') {
    return 'unknown';
  }
  if (coding.code === 'use') {
    return 'yes';
  }
  return KNOWN_ACTIONS.has(coding.code) ? 'no' : 'unknown';
}

/** Documents become clinical data, and are only a part of them. Of any other code it is unknown what it covers. */
function contentCodeTruth(coding: Json, { dataClass }: SecondAuthorQuestion): Truth {
  const isDocument =
    coding.system === LOINC && typeof coding.code === 'string' && DOCUMENT_CODES.has(coding.code);
  return isDocument && dataClass === 'imaging' ? 'no' : 'unknown';
}

/** A CodeableConcept's codings say one thing in several systems; one that is not understood leaves a doubt. */
function conceptTruth(concept: unknown, codingTruth: (coding: Json) => Truth): Truth {
  if (!isObject(concept)) {
    return 'unknown';
  }
  return anyOf(concept.coding, (coding) => (isObject(coding) ? codingTruth(coding) : 'unknown'));
}

/** Alternatives. FHIR forbids an empty list, so one is not understood, and no filter that was left out. */
function anyOf(list: unknown, truthOf: (item: unknown) => Truth): Truth {
  if (!Array.isArray(list) || list.length === 0) {
    return 'unknown';
  }
  const truths = list.map(truthOf);
  if (truths.includes('yes')) {
    return 'yes';
  }
  return truths.includes('unknown') ? 'unknown' : 'no';
}

function every(truths: readonly Truth[]): Truth {
  if (truths.includes('no')) {
    return 'no';
  }
  return truths.includes('unknown') ? 'unknown' : 'yes';
}

/** Every day of a whole day must lie inside for `yes`; a day that a clock time cuts is `unknown`. */
function periodTruth(period: unknown, day: string): Truth {
  if (period === undefined) {
    return 'yes';
  }
  if (!isObject(period) || Object.keys(period).some((name) => !PERIOD_NAMES.has(name))) {
    return 'unknown';
  }
  if (period.start === undefined && period.end === undefined) {
    return 'unknown';
  }
  const start = period.start === undefined ? undefined : dayBounds(period.start);
  const end = period.end === undefined ? undefined : dayBounds(period.end);
  const unreadable =
    (period.start !== undefined && start === undefined) || (period.end !== undefined && end === undefined);
  const inverted = start !== undefined && end !== undefined && start.earliest > end.latest;
  if (unreadable || inverted) {
    return 'unknown';
  }
  return every([
    start === undefined ? 'yes' : startedBy(start, day),
    end === undefined ? 'yes' : notEndedBefore(end, day),
  ]);
}

const PERIOD_NAMES = new Set(['id', 'extension', 'start', 'end']);

function startedBy(start: DayBounds, day: string): Truth {
  if (day < start.earliest) {
    return 'no';
  }
  const cutsDay = start.clock !== undefined && !start.clock.startsWith('00:00');
  return cutsDay && day <= start.latest ? 'unknown' : 'yes';
}

function notEndedBefore(end: DayBounds, day: string): Truth {
  if (day > end.latest) {
    return 'no';
  }
  const cutsDay = end.clock !== undefined && !end.clock.startsWith('23:59');
  return cutsDay && day >= end.earliest ? 'unknown' : 'yes';
}

function hasEnded(period: unknown, today: string): boolean {
  const end = isObject(period) ? dayBounds(period.end) : undefined;
  return end !== undefined && notEndedBefore(end, today) === 'no';
}

function signedBy(dateTime: unknown, today: string): Truth {
  const signed = dayBounds(dateTime);
  if (signed === undefined) {
    return 'unknown';
  }
  if (signed.earliest > today) {
    return 'no';
  }
  // A partial date such as the running year has begun; an instant may be tomorrow in another time zone.
  return signed.clock !== undefined && signed.latest > today ? 'unknown' : 'yes';
}

type DayBounds = { readonly earliest: string; readonly latest: string; readonly clock: string | undefined };

const DATE_TIME =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}:\d{2}(?::\d{2})?)(?:\.\d+)?(Z|[+-]\d{2}:\d{2})?)?)?)?$/;

/**
 * The days a FHIR dateTime may be of. A partial date spans its month or year, as FHIR lets a period reach to
 * whatever matches its boundary; an instant is of its written day and of its day in UTC.
 */
function dayBounds(text: unknown): DayBounds | undefined {
  const parts = typeof text === 'string' ? DATE_TIME.exec(text) : null;
  const [, year, month, day, clock, zone] = parts ?? [];
  if (year === undefined) {
    return undefined;
  }
  const earliest = `${year}-${month ?? '01'}-${day ?? '01'}`;
  if (!isCalendarDay(earliest)) {
    return undefined;
  }
  if (day === undefined) {
    const lastMonth = month ?? '12';
    const lastDay = new Date(Date.UTC(Number(year), Number(lastMonth), 0)).getUTCDate();
    return { earliest, latest: `${year}-${lastMonth}-${String(lastDay).padStart(2, '0')}`, clock: undefined };
  }
  if (clock === undefined) {
    return { earliest, latest: earliest, clock };
  }
  const instant = Date.parse(`${earliest}T${clock}${zone ?? 'Z'}`);
  if (Number.isNaN(instant)) {
    return undefined;
  }
  const midnightOrEndOfDay = clock.startsWith('00:00') || clock.startsWith('23:59');
  const inUtc = midnightOrEndOfDay ? earliest : new Date(instant).toISOString().slice(0, 10);
  return inUtc < earliest ? { earliest: inUtc, latest: earliest, clock } : { earliest, latest: inUtc, clock };
}

function isCalendarDay(day: string): boolean {
  const instant = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(instant) && new Date(instant).toISOString().startsWith(day);
}

function holdsModifier(value: unknown): boolean {
  if (Array.isArray(value)) {
    return value.some(holdsModifier);
  }
  return (
    isObject(value) &&
    Object.entries(value).some(
      // A contained resource is not a statement of the consent itself.
      ([name, inner]) => name === 'modifierExtension' || (name !== 'contained' && holdsModifier(inner)),
    )
  );
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
