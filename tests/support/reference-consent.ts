// A second evaluation of FHIR consents, written from security.md C1-C5 over the resource as it is: asked for one day of data of one
// class at a time, with dates as texts. It shares nothing with the site's own.

type Json = Record<string, unknown>;
export interface ReferenceQuestion {
  readonly researchStudyId: string;
  /** By its name in the trust list; absent: nobody knows yet who asks. */
  readonly consortium?: string | undefined;
  readonly purpose: string;
  readonly dataClass: 'clinical' | 'imaging';
  /** YYYY-MM-DD */
  readonly today: string;
  readonly dataDate: string;
}
type Answer = 'yes' | 'no' | 'unclear';
/** Of a broad consent: whether the data are of a period of permitted collection, or of before one with leave for that. */
type Asked = ReferenceQuestion & { readonly isCollected: boolean; readonly isEarlier: boolean };

const reason = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';
const types = 'http://hl7.org/fhir/resource-types';
const list = (value: unknown): Json[] => (Array.isArray(value) ? (value as Json[]) : []);
const filterNames = 'period dataPeriod purpose actor class code securityLabel action data'.split(' ');
const plainNames = new Set(['id', 'extension', 'type', 'provision', ...filterNames]);

/** C4: whether any consent permits and none denies, but for what a newer one by the same person replaces. */
export function referencePermits(consents: readonly Json[], question: ReferenceQuestion): boolean {
  const words = consents.flatMap((consent) => {
    const newer = consents.filter((other) => other !== consent && isReplacement(other, consent));
    if (newer.some((other) => revokes(other, consent, question))) return [];
    const word = referenceWord(consent, question);
    return word === 'permit' && newer.some((other) => endsPermit(other, question)) ? [] : [word];
  });
  return words.includes('permit') && !words.includes('deny');
}

/** `sourceReference` to the other or the same identifier, with a newer `dateTime`. */
function isReplacement(newer: Json, older: Json): boolean {
  const identifiersOf = ({ identifier }: Json): string[] =>
    list(identifier)
      .filter(({ system }) => system !== undefined)
      .map(({ system, value }) => `${String(system)} ${String(value)}`);
  const reference = (newer.sourceReference as Json | undefined)?.reference;
  const isNamed = reference === `Consent/${String(older.id)}`;
  const isShared = identifiersOf(newer).some((name) => identifiersOf(older).includes(name));
  const [now, then] = [newer.dateTime, older.dateTime].map((time) => time as string | undefined);
  return (isNamed || isShared) && now !== undefined && then !== undefined && now > then;
}

/** Denies only add up (C15): a refusal that replaces another leaves both. Nobody takes back what another person denied. */
function revokes(newer: Json, older: Json, { today }: ReferenceQuestion): boolean {
  const isSaid = newer.status === 'active' && String(newer.dateTime) <= today;
  return isSaid && !isRefusal(newer) && personOf(newer) === personOf(older);
}

/** A permit ends with whatever anybody says in its place; only a permission of the future does not end it yet. */
function endsPermit({ status, dateTime, ...consent }: Json, { today }: ReferenceQuestion): boolean {
  const isLater = status === 'active' && String(dateTime) > today && !isRefusal(consent);
  return status !== 'draft' && status !== 'proposed' && !isLater;
}

/** Who is named beside professionals and the patient; only professionals without the patient stand for themselves. */
function personOf({ performer }: Json): string {
  const names = list(performer).map(({ reference }) => String(reference));
  const others = names.filter((name) => name !== 'Patient/p1');
  const isPatient = others.length < names.length && others.every((name) => name.startsWith('Practitioner/'));
  return isPatient ? '' : others.sort().join(' ');
}

/** A consent without any permission in it. */
function isRefusal(consent: Json): boolean {
  if (JSON.stringify(consent).includes('"modifierExtension"') || consent.implicitRules) return true;
  const { provision = {} } = consent;
  if (typeof provision !== 'object' || provision === null || Array.isArray(provision)) return true;
  const root = provision as Json;
  const hasPermit = chainsFrom([root]).some((chain) => chain.length > 1 && chain.at(-1)?.type === 'permit');
  const isFull = root.type === 'permit' && root.period && root.purpose && root.actor && isUnderstood(root, 0);
  const isOptOut = codings(consent.policyRule).some((code) => /^v3-ActCode\|OPTOUTE?$/.test(code));
  return !hasPermit && !isFull && !(isOptOut && root.type !== 'deny');
}

/** What one consent says; `silent` where it gives no permission without denying (an opt-in that is about something else). */
export function referenceWord(consent: Json, question: ReferenceQuestion): 'permit' | 'deny' | 'silent' {
  if (consent.status !== 'active' || !codings(consent.scope).includes('consentscope|research'))
    return 'silent';
  if (JSON.stringify(consent).includes('"modifierExtension"') || consent.implicitRules) return 'deny';
  const { provision = {} } = consent;
  if (typeof provision !== 'object' || provision === null || Array.isArray(provision)) return 'deny';
  const root = provision as Json;
  const chains = chainsFrom([root]);
  const applying = chains.filter((chain) =>
    applies(chain, consent, { ...question, ...broadWindows(chains, question) }),
  );
  const deepest = Math.max(0, ...applying.map((chain) => chain.length));
  const words = new Set(
    applying.filter((chain) => chain.length === deepest).map((chain) => wordOf(chain, consent)),
  );
  const isFuture = String(consent.dateTime ?? '').slice(0, 10) > question.today;
  if (words.has('deny')) return 'deny';
  return words.has('permit') && !isFuture ? 'permit' : 'silent';
}

/** The root alone, and every nested rule with all that are around it. */
function chainsFrom(chain: Json[]): Json[][] {
  const { provision = [] } = chain.at(-1) ?? {};
  // A rule without a type is a deny of everything.
  const nested = Array.isArray(provision) ? list(provision) : [{}];
  return [chain, ...nested.flatMap((child) => chainsFrom([...chain, child]))];
}

function wordOf(chain: Json[], consent: Json): 'permit' | 'deny' | 'silent' {
  const rule = chain.at(-1) ?? {};
  if (chain.length > 1) return rule.type === 'permit' ? 'permit' : 'deny';
  if (rule.type === 'deny') return 'deny';
  const isFull = rule.period && rule.purpose && rule.actor && isUnderstood(rule, 0);
  if (rule.type === 'permit' && isFull) return 'permit';
  if (codings(consent.policyRule).some((code) => /^v3-ActCode\|OPTOUTE?$/.test(code))) return 'permit';
  // Nothing in it permits: the consent is a refusal.
  return chainsFrom([rule]).some((nested) => nested.length > 1 && nested.at(-1)?.type === 'permit')
    ? 'silent'
    : 'deny';
}

function applies(chain: Json[], consent: Json, question: Asked): boolean {
  const answers = chain.flatMap((rule, depth) => ruleAnswers(rule, depth, question));
  const isPermit = wordOf(chain, consent) === 'permit';
  return answers.every((answer) => answer === 'yes' || (answer === 'unclear' && !isPermit));
}

function ruleAnswers(rule: Json, depth: number, question: Asked): Answer[] {
  // What is not understood of a rule leaves all its filters open.
  if (!isUnderstood(rule, depth)) return ['unclear'];
  const codes = list(rule.code).flatMap((code) => list(code.coding).map(nameOf));
  const isBroad = codes.some((code) => code.startsWith(`${broad}|`));
  return [
    isBroad ? broadAnswer(codes, rule.period, question) : within(rule.period, question.today),
    within(rule.dataPeriod, question.dataDate),
    anyOf(list(rule.purpose), (coding) => purposeAnswer(coding, question)),
    anyOf(list(rule.actor), (actor) => actorAnswer(actor, question)),
    dataAnswer(list(rule.class).map(nameOf), question),
    isBroad ? 'yes' : dataAnswer(codes, question),
    list(rule.securityLabel).length > 0 ? 'unclear' : 'yes',
    actionAnswer(list(rule.action).flatMap((action) => codings(action))),
  ];
}

const broad = 'urn:oid:2.16.840.1.113883.3.1937.777.24.5.3';
const policy = (number: number): string => `${broad}|${broad.replace('urn:oid:', '')}.${number}`;
const aside = [2, 3, 4, 5, 18, 19, 20, 22, 26].map(policy);

/** The policies are alternatives, of which only the use of medical data is a permission for this. */
function broadAnswer(codes: string[], period: unknown, question: Asked): Answer {
  const now = within(period, question.today);
  const answers = codes.map((code): Answer => {
    if (code === policy(8)) {
      const isCovered = question.isCollected || question.isEarlier;
      return now === 'yes' && !isCovered ? 'unclear' : now;
    }
    const isDoubt = (is: boolean): Answer => (is ? 'unclear' : 'no');
    if (code === policy(6)) return isDoubt(within(period, question.dataDate) === 'yes');
    if ([44, 45, 46].map(policy).includes(code)) return isDoubt(now === 'yes' && !question.isCollected);
    return aside.includes(code) ? 'no' : isDoubt(now === 'yes');
  });
  const isKnown = codes.every((code) => [1, 6, 7, 8, 9, 44, 45, 46].map(policy).concat(aside).includes(code));
  return answers.includes('yes') && isKnown ? 'yes' : answers.some((one) => one !== 'no') ? 'unclear' : 'no';
}

/** Periods in which a permit says that data may be collected, inside of what is around it. */
function broadWindows(chains: Json[][], question: ReferenceQuestion) {
  const policies = chains.flatMap((chain) => {
    const rule = chain.at(-1) ?? {};
    const codes = list(rule.code).flatMap((code) => list(code.coding).map(nameOf));
    const isKnown = codes.every((code) =>
      [1, 6, 7, 8, 9, 44, 45, 46].map(policy).concat(aside).includes(code),
    );
    const isSure = chain.every((one, depth) => isSureBesideTime(one, depth, question));
    if (chain.length < 2 || rule.type !== 'permit' || !isKnown || !isSure) return [];
    const periods = chain.map(({ period = {} }) => period as { start?: string; end?: string });
    const start = periods.map((one) => one.start ?? '0000').reduce((a, b) => (a > b ? a : b));
    const end = periods.map((one) => one.end ?? '9999').reduce((a, b) => (a < b ? a : b));
    return [{ codes, start, end }];
  });
  const collecting = policies.filter(({ codes }) => codes.includes(policy(6)));
  const { dataDate, today } = question;
  const isEarlier = policies.some(
    ({ codes, start, end }) =>
      [44, 45, 46].some((number) => codes.includes(policy(number))) &&
      start <= today &&
      today <= end &&
      collecting.some((other) => dataDate < other.start && other.start <= end && start <= other.end),
  );
  return {
    isCollected: collecting.some(({ start, end }) => start <= dataDate && dataDate <= end),
    isEarlier,
  };
}

function isSureBesideTime(rule: Json, depth: number, question: ReferenceQuestion): boolean {
  const { period: _, dataPeriod: __, code: ___, ...lasting } = rule;
  const asked = { ...question, isCollected: false, isEarlier: false };
  const answers = ruleAnswers(lasting, depth, asked);
  return isUnderstood(rule, depth) && answers.every((answer) => answer === 'yes');
}

function isUnderstood(rule: Json, depth: number): boolean {
  const isOdd = Object.keys(rule).some((name) => !plainNames.has(name)) || rule.data !== undefined;
  const isUntyped = depth > 0 && rule.type !== 'permit' && rule.type !== 'deny';
  const isEmpty = (value: unknown): boolean => Array.isArray(value) && value.length === 0;
  const hasEmpty = filterNames.some((name) => isEmpty(rule[name]));
  const concepts = [...list(rule.code), ...list(rule.action)];
  const isPeriod = ({ start, end }: Json): boolean =>
    (start !== undefined || end !== undefined) && String(start ?? '0000') <= String(end ?? '9999');
  const periods = [rule.period, rule.dataPeriod].filter((period) => period !== undefined) as Json[];
  const isFilled = !hasEmpty && !concepts.some(({ coding }) => isEmpty(coding)) && periods.every(isPeriod);
  return !isOdd && !isUntyped && isFilled;
}

function within(period: unknown, date: string): Answer {
  const { start = '0000', end = '9999' } = (period ?? {}) as { start?: string; end?: string };
  return start <= date && date <= end ? 'yes' : 'no';
}

/** One of a list; anything unclear in it makes the whole unclear. */
function anyOf(entries: Json[], answer: (entry: Json) => Answer): Answer {
  const answers = entries.map(answer);
  if (answers.length === 0) return 'yes';
  return answers.includes('unclear') ? 'unclear' : answers.includes('yes') ? 'yes' : 'no';
}

/** Clinical trial research is a part of healthcare research, treatment has clinical trials as a part. */
function purposeAnswer({ system, code }: Json, { purpose }: ReferenceQuestion): Answer {
  if (system !== reason || !['HRESCH', 'CLINTRL', 'TREAT'].includes(String(code))) return 'unclear';
  if (purpose === 'CLINTRL' && code === 'TREAT') return 'unclear';
  return code === purpose ? 'yes' : 'no';
}

function actorAnswer({ role, reference }: Json, { researchStudyId, consortium }: ReferenceQuestion): Answer {
  const { system, value } = ((reference as Json | undefined)?.identifier ?? {}) as Json;
  const isKnownRole = role === undefined || codings(role).join() === 'v3-ParticipationType|IRCP';
  if (isKnownRole && system === 'https://consilium.example/fhir/consortium' && consortium !== undefined)
    return value === consortium ? 'yes' : 'no';
  if (!isKnownRole || system !== 'https://consilium.example/fhir/research-study') return 'unclear';
  return value === researchStudyId ? 'yes' : 'no';
}

const clinical = 'Observation Condition Procedure Encounter MedicationRequest MedicationStatement'
  .concat(' MedicationAdministration MedicationDispense Immunization')
  .split(' ')
  .map((name) => `${types}|${name}`);

function dataAnswer(names: string[], { dataClass }: ReferenceQuestion): Answer {
  if (names.length === 0) return 'yes';
  // CDA documents of all types become facts; reports hold results, and age and sex are the patient's.
  const parts = ['34133-9', '11506-3', '18842-5', '34117-2']
    .map((code) => `http://loinc.org|${code}`)
    .concat('urn:ietf:bcp:13|application/hl7-cda+xml', `${types}|DiagnosticReport`, `${types}|Patient`);
  const known = [...clinical, ...parts, `${types}|DocumentReference`, `${types}|ImagingStudy`];
  if (names.some((name) => !known.includes(name))) return 'unclear';
  if (dataClass === 'imaging') return names.includes(`${types}|ImagingStudy`) ? 'yes' : 'no';
  const named = clinical.filter((name) => names.includes(name)).length;
  // A part of the class is too little for a permit and enough for a deny.
  const isPart = named > 0 || parts.some((name) => names.includes(name));
  return named === clinical.length ? 'yes' : isPart ? 'unclear' : 'no';
}

function actionAnswer(names: string[]): Answer {
  if (names.length === 0 || names.includes('consentaction|use')) return 'yes';
  return names.includes('consentaction|access') ? 'unclear' : 'no';
}

function nameOf({ system, code }: Json): string {
  return `${String(system)}|${String(code)}`;
}

/** Codes with the last part of their system. */
function codings(concept: unknown): string[] {
  return list((concept as Json | undefined)?.coding).map(
    ({ system, code }) => `${String(system).split('/').at(-1)}|${String(code)}`,
  );
}
