// A FHIR R4 Consent for research as the tree of its rules (security.md C1-C3), with a summary of it for lists; the tree decides.

import { type ConsentProvision, isFullPermit, type ProvisionRule } from '#site/store/index.ts';
import { type ClinicalRecord, RowRefusal, type SourceConsent } from '../clinical-record.ts';
import type { TimeZone } from '../time-zone.ts';
import { consentScopeOf } from './consent-scope.ts';
import { check, idOf, type ResourceContext, recordOf } from './fhir-context.ts';
import { readDaySpan } from './fhir-date-span.ts';
import { othersOf } from './fhir-performer.ts';
import { denyAll, isModified, readProvisionTree } from './fhir-provision.ts';
import { readReplacement } from './fhir-replacement.ts';
import { consentSchema } from './fhir-resource.ts';
import { readVerifiedDay } from './fhir-verification.ts';
import { readConsentStatus } from './field-value.ts';

/** Identifier system of research studies in references. */
export const researchStudySystem = 'https://consilium.example/fhir/research-study';

/** @throws RowRefusal. */
export function readConsent(resource: unknown, context: ResourceContext): ClinicalRecord {
  const { zone } = context;
  const elements = check(consentSchema, resource);
  if (consentScopeOf(elements.scope) !== 'research') throw new RowRefusal('UNSUPPORTED_CONSENT', 'scope');
  const id = idOf(elements.id, context.fallbackId);
  const identified = { resourceType: 'Consent', id, subject: elements.patient, subjectField: 'patient' };
  const { subject, sourceId } = recordOf(identified, context);
  const provision = isModified(resource) ? denyAll : readProvisionTree(elements, zone);
  const givenBy = othersOf(elements.performer ?? [], subject, context.patients);
  const consent: SourceConsent = {
    sourceId: sourceId ?? [],
    isByGuardian: givenBy.length > 0,
    status: readConsentStatus(elements.status ?? '', 'status'),
    ...readStated(elements.dateTime, zone),
    verifiedDay: readVerifiedDay(elements.verification, zone),
    ...summarize(provision),
    provision,
    ...readReplacement(resource, { fallbackId: context.fallbackId, givenBy }),
    source: 'fhir',
  };
  return { subject, patient: null, sourceId: null, facts: [], consents: [consent] };
}

/** @throws RowRefusal BAD_DATE. */
export function readStated(
  dateTime: string | undefined,
  zone: TimeZone,
): Pick<SourceConsent, 'statedDay' | 'statedUntilDay'> {
  if (dateTime === undefined) return { statedDay: null };
  const { first, last } = readDaySpan(dateTime, 'dateTime', zone);
  return first === last ? { statedDay: first } : { statedDay: first, statedUntilDay: last };
}

interface Summary {
  readonly decision: 'permit' | 'deny';
  /** Null: research in general, or more than one research study. */
  readonly researchStudyId: string | null;
  readonly fromDay: number | null;
  readonly untilDay: number | null;
}

/** Whom the tree is for at most and when, for lists and searches: the tree itself decides. */
function summarize({ base, root }: ConsentProvision): Summary {
  const rules = flatten(root);
  const permits = rules.filter(({ rule }) => (rule === root ? isFullPermit(rule) : rule.type === 'permit'));
  const isOpen = base === 'permit' && root.type !== 'deny';
  if (permits.length === 0 && !isOpen) {
    return { decision: 'deny', researchStudyId: null, fromDay: null, untilDay: null };
  }
  const widest = isOpen ? rules.slice(0, 1) : permits;
  const hasDeny = rules.some(({ rule }) => rule.type === 'deny');
  const names = new Set(widest.map(({ around }) => onlyResearchStudy(around)));
  const [name = null] = names;
  return {
    decision: 'permit',
    // A deny in it may reach further than its permits do.
    researchStudyId: hasDeny || names.size > 1 ? null : name,
    fromDay: extreme(
      widest.map(({ around }) => latest(around.map(({ fromDay }) => fromDay))),
      Math.min,
    ),
    untilDay: extreme(
      widest.map(({ around }) => earliest(around.map(({ untilDay }) => untilDay))),
      Math.max,
    ),
  };
}

interface RuleWithin {
  readonly rule: ProvisionRule;
  /** The rule itself and all around it. */
  readonly around: readonly ProvisionRule[];
}

function flatten(rule: ProvisionRule, outer: readonly ProvisionRule[] = []): RuleWithin[] {
  const around = [...outer, rule];
  return [{ rule, around }, ...rule.children.flatMap((child) => flatten(child, around))];
}

/** The one research study that a rule names, by itself or by one around it. */
function onlyResearchStudy(around: readonly ProvisionRule[]): string | null {
  const named = around.findLast(({ actors }) => actors.length > 0)?.actors ?? [];
  const prefix = `${researchStudySystem}|`;
  const reference = named.length === 1 ? named[0]?.reference : undefined;
  const name = reference?.startsWith(prefix) === true ? reference.slice(prefix.length) : '';
  return /^[a-z0-9][a-z0-9_-]{0,62}[a-z0-9]$/.test(name) ? name : null;
}

function latest(days: readonly (number | null)[]): number | null {
  const stated = days.filter((day) => day !== null);
  return stated.length === 0 ? null : Math.max(...stated);
}

function earliest(days: readonly (number | null)[]): number | null {
  const stated = days.filter((day) => day !== null);
  return stated.length === 0 ? null : Math.min(...stated);
}

/** Null, open, where one of them is. */
function extreme(days: readonly (number | null)[], choose: (...days: number[]) => number): number | null {
  const stated = days.filter((day) => day !== null);
  return stated.length < days.length || stated.length === 0 ? null : choose(...stated);
}
