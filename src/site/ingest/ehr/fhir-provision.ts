// The rules of a FHIR R4 Consent as a language-neutral tree, with real days. What the standard does not foresee marks its rule as
// not understood.
import { z } from 'zod';
import type { ConsentProvision, ProvisionActor, ProvisionRule, RuleDays } from '#site/store/index.ts';
import type { TimeZone } from '../time-zone.ts';
import { type PeriodEdge, readPeriodEnd, readPeriodStart } from './fhir-date-span.ts';
import { codeableConcept, coding, period, reference } from './fhir-element.ts';
import type { ConsentResource } from './fhir-resource.ts';

/** More rules than any form has: a consent that has them is made to be costly. */
const mostRules = 1_000;
const optOutPolicies = new Set(['OPTOUT', 'OPTOUTE']);
const policySystem = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';

const unfiltered = {
  fromDay: null,
  untilDay: null,
  dataFromDay: null,
  dataUntilDay: null,
  purposes: [],
  actors: [],
  classes: [],
  codes: [],
  securityLabels: [],
  actions: [],
  notUnderstood: false,
  children: [],
} as const;
export const denyAll: ConsentProvision = { base: 'deny', root: { type: 'deny', ...unfiltered } };
/** Says neither permit nor deny to any question: its one permit never matches. */
export const permitNothing: ConsentProvision = {
  base: 'deny',
  root: { type: null, ...unfiltered, children: [{ type: 'permit', ...unfiltered, notUnderstood: true }] },
};

/** @throws RowRefusal BAD_DATE. */
export function readProvisionTree(resource: ConsentResource, zone: TimeZone): ConsentProvision {
  const { provision } = resource;
  // A root that is none may hold a deny that nobody finds.
  if (provision !== undefined && !isObject(provision)) return denyAll;
  const policies = resource.policyRule?.coding ?? [];
  // Everything rests on it: a policy that is also something else, or does not say in which system, is not known to be an opt-out.
  const isOptOut = policies.every(
    ({ system, code }) => system === policySystem && optOutPolicies.has(code ?? ''),
  );
  const base = isOptOut && policies.length > 0 ? 'permit' : 'deny';
  if (provision === undefined) return { base, root: { type: null, ...unfiltered } };
  const counter = { rules: 0 };
  const root = readRule(provision, { zone, counter, isRoot: true });
  return counter.rules > mostRules ? denyAll : { base, root };
}

interface RuleContext {
  readonly zone: TimeZone;
  readonly counter: { rules: number };
  readonly isRoot: boolean;
}

const provisionElements = z.strictObject({
  id: z.string().optional(),
  extension: z.unknown().optional(),
  type: z.enum(['permit', 'deny']).optional(),
  period: period.strict().optional(),
  dataPeriod: period.strict().optional(),
  actor: z
    .array(
      z.strictObject({
        id: z.unknown().optional(),
        role: codeableConcept.optional(),
        reference: reference.optional(),
      }),
    )
    .optional(),
  purpose: z.array(coding).optional(),
  class: z.array(coding).optional(),
  code: z.array(codeableConcept).optional(),
  securityLabel: z.array(coding).optional(),
  action: z.array(codeableConcept).optional(),
  provision: z.array(z.unknown()).optional(),
});
type ProvisionElements = z.infer<typeof provisionElements>;

function readRule(element: unknown, context: RuleContext): ProvisionRule {
  context.counter.rules += 1;
  if (context.counter.rules > mostRules) return denyAll.root;
  const parsed = provisionElements.safeParse(element);
  const known = parsed.success ? parsed.data : undefined;
  const fallback = isObject(element) ? element : {};
  const nested = known?.provision ?? fallback.provision;
  const children = readNested(nested, context);
  const type = known === undefined ? fallback.type : known.type;
  const isTyped = type === 'permit' || type === 'deny';
  // A nested rule must say what it is; one that does not is taken for a deny of anything.
  const decision = isTyped ? type : context.isRoot && type === undefined ? null : 'deny';
  const filters = known === undefined ? undefined : readFilters(known, context.zone);
  const isUnderstood = filters !== undefined && (isTyped || context.isRoot);
  return { ...unfiltered, ...filters, type: decision, notUnderstood: !isUnderstood, children };
}

function readNested(nested: unknown, context: RuleContext): ProvisionRule[] {
  if (nested === undefined) return [];
  // What stands in the place of rules and is no list of them may be a deny.
  if (!Array.isArray(nested)) return [denyAll.root];
  return nested.map((child) => readRule(child, { ...context, isRoot: false }));
}

type RuleFilters = Omit<ProvisionRule, 'type' | 'notUnderstood' | 'children'>;
type Period = z.infer<typeof period>;

/**
 * The days of a rule: those that certainly lie within its periods, and the widest that may. Undefined for a period without begin and
 * end, which is none, and for one that ends before it begins. @throws RowRefusal BAD_DATE.
 */
function readDays(
  { period: ofRule, dataPeriod }: ProvisionElements,
  zone: TimeZone,
): RuleFilterDays | undefined {
  const isEmpty = (stated: Period | undefined): boolean =>
    stated !== undefined && stated.start === undefined && stated.end === undefined;
  if (isEmpty(ofRule) || isEmpty(dataPeriod)) return undefined;
  const edge = (side: keyof Period, stated: Period | undefined, field: string): PeriodEdge | null => {
    const text = stated?.[side];
    if (text === undefined) return null;
    const read = side === 'start' ? readPeriodStart : readPeriodEnd;
    return read(text, `${field}.${side}`, zone);
  };
  const edges = {
    fromDay: edge('start', ofRule, 'provision.period'),
    untilDay: edge('end', ofRule, 'provision.period'),
    dataFromDay: edge('start', dataPeriod, 'provision.dataPeriod'),
    dataUntilDay: edge('end', dataPeriod, 'provision.dataPeriod'),
  };
  const days = (which: keyof PeriodEdge): RuleDays => ({
    fromDay: edges.fromDay?.[which] ?? null,
    untilDay: edges.untilDay?.[which] ?? null,
    dataFromDay: edges.dataFromDay?.[which] ?? null,
    dataUntilDay: edges.dataUntilDay?.[which] ?? null,
  });
  const widest = days('possible');
  const isInverted = (from: number | null, until: number | null): boolean =>
    from !== null && until !== null && from > until;
  if (isInverted(widest.fromDay, widest.untilDay) || isInverted(widest.dataFromDay, widest.dataUntilDay))
    return undefined;
  const isExact = Object.values(edges).every((one) => one === null || one.possible === one.certain);
  return { ...days('certain'), ...(isExact ? {} : { widest }) };
}

type RuleFilterDays = RuleDays & Pick<ProvisionRule, 'widest'>;

/** Undefined where a code is missing, so that the filter is about something that is not said in codes, and for days that are none. */
function readFilters(elements: ProvisionElements, zone: TimeZone): RuleFilters | undefined {
  const { actor, purpose, class: classes, code, securityLabel, action } = elements;
  const conceptCodes = (concepts: typeof code): string[] | undefined =>
    codesOf(concepts?.flatMap(({ coding: codings = [] }) => (codings.length === 0 ? [{}] : codings)));
  const days = readDays(elements, zone);
  if (days === undefined || actor?.length === 0) return undefined;
  const coded = {
    purposes: codesOf(purpose),
    classes: codesOf(classes),
    codes: conceptCodes(code),
    securityLabels: codesOf(securityLabel),
    actions: conceptCodes(action),
  };
  const { purposes, classes: classCodes, codes, securityLabels, actions } = coded;
  if (purposes === undefined || classCodes === undefined || codes === undefined) return undefined;
  if (securityLabels === undefined || actions === undefined) return undefined;
  return {
    ...days,
    purposes,
    actors: (actor ?? []).map(readActor),
    classes: classCodes,
    codes,
    securityLabels,
    actions,
  };
}

type Coding = z.infer<typeof coding>;

/** None where the filter is not there; a list that is there and empty, which FHIR forbids, is not understood. */
function codesOf(codings: readonly Coding[] | undefined): string[] | undefined {
  if (codings === undefined) return [];
  if (codings.length === 0) return undefined;
  const codes = codings.map(({ system = '', code }) => `${system}|${code ?? ''}`);
  return codings.every(({ code }) => code !== undefined && code !== '') ? codes : undefined;
}

function readActor({
  role,
  reference: named,
}: NonNullable<ProvisionElements['actor']>[number]): ProvisionActor {
  const { system, value } = named?.identifier ?? {};
  const [first, second] = role?.coding ?? [];
  // Two roles in one may be two meanings, and so is a role without a code: neither is a role that is known.
  const isOne = first?.code !== undefined && second === undefined;
  return {
    role: role === undefined ? null : isOne ? `${first.system ?? ''}|${first.code}` : '|',
    reference: system === undefined || value === undefined ? null : `${system}|${value}`,
  };
}

/** Whether something in the resource, its rules or beside them, may turn its meaning round and is not known here (R4 2.1.0.4.2). */
export function isModified(resource: unknown): boolean {
  return hasModifier(resource) || (isObject(resource) && resource.implicitRules !== undefined);
}

function hasModifier(element: unknown): boolean {
  if (Array.isArray(element)) return element.some(hasModifier);
  if (!isObject(element)) return false;
  return Object.entries(element).some(([name, value]) => name === 'modifierExtension' || hasModifier(value));
}

function isObject(element: unknown): element is Readonly<Record<string, unknown>> {
  return typeof element === 'object' && element !== null && !Array.isArray(element);
}
