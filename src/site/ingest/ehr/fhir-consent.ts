// A FHIR R4 Consent as one permit or deny (security.md C1-C3, as far as plain research consents go): what is not understood in a
// permit makes it none, in a deny it stays a deny.
import { type ClinicalRecord, RowRefusal, type SourceConsent } from '../clinical-record.ts';
import type { TimeZone } from '../time-zone.ts';
import { idOf, type ResourceContext, recordOf } from './fhir-context.ts';
import type { FhirReference } from './fhir-reference.ts';
import type { ConsentResource, NestedProvision } from './fhir-resource.ts';
import { readConsentStatus, readDay } from './field-value.ts';

/** Identifier system of research studies in references. */
export const researchStudySystem = 'https://consilium.example/fhir/research-study';
const scopeSystem = 'http://terminology.hl7.org/CodeSystem/consentscope';
const purposeSystem = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';
const researchPurposes = new Set(['HRESCH', 'CLINTRL']);
const optOutPolicies = new Set(['OPTOUT', 'OPTOUTE']);

interface Rule {
  readonly decision: 'permit' | 'deny';
  /** Null: research in general. */
  readonly researchStudyId: string | null;
  readonly fromDay: number | null;
  readonly untilDay: number | null;
}

/** @throws RowRefusal. */
export function readConsent(resource: ConsentResource, context: ResourceContext): ClinicalRecord {
  const { zone } = context;
  const isResearch = (resource.scope?.coding ?? []).some(
    ({ system, code }) => code === 'research' && (system ?? scopeSystem) === scopeSystem,
  );
  if (!isResearch) throw new RowRefusal('UNSUPPORTED_CONSENT', 'scope');
  const id = idOf(resource.id, context.fallbackId);
  const identified = { resourceType: 'Consent', id, subject: resource.patient, subjectField: 'patient' };
  const { subject, sourceId } = recordOf(identified, context);
  const consent: SourceConsent = {
    sourceId: sourceId ?? [],
    status: readConsentStatus(resource.status ?? '', 'status'),
    statedDay: resource.dateTime === undefined ? null : readDay(resource.dateTime, 'dateTime', zone),
    ...readRule(resource, zone),
    source: 'fhir',
  };
  return { subject, patient: null, sourceId: null, facts: [], consents: [consent] };
}

function readRule(resource: ConsentResource, zone: TimeZone): Rule {
  const denyAll: Rule = { decision: 'deny', researchStudyId: null, fromDay: null, untilDay: null };
  const root = resource.provision ?? {};
  const nested = root.provision ?? [];
  if (resource.modifierExtension !== undefined || root.type === 'deny') return denyAll;
  if (nested.some(({ type }) => type === 'deny')) return denyAll;
  const limits = readLimits(root, denyAll, zone);
  if (limits === undefined) return denyAll;
  // The root's own `permit` is not what the standard foresees: it counts only with period, purpose and actor (C2).
  const isFull = root.period !== undefined && root.actor !== undefined && root.purpose !== undefined;
  if (root.type === 'permit' && isFull) return { ...limits, decision: 'permit' };
  const permits = nested
    .filter(({ type, provision }) => type === 'permit' && (provision ?? []).length === 0)
    .map((rule) => readLimits(rule, limits, zone));
  const [understood, ...others] = permits.filter((permit) => permit !== undefined);
  // One of several would be silently left out, and one stored beside it would outlive its removal at the source. A consent that
  // is not active permits nothing, so it goes in: it may end one that is known.
  if (others.length > 0 && resource.status === 'active') {
    throw new RowRefusal('UNSUPPORTED_CONSENT', 'provision.provision');
  }
  if (understood !== undefined) return { ...understood, decision: 'permit' };
  const isOptOut = (resource.policyRule?.coding ?? []).some(({ code }) => optOutPolicies.has(code ?? ''));
  return isOptOut && root.type === undefined && nested.length === 0
    ? { ...limits, decision: 'permit' }
    : denyAll;
}

/** Whom and when a provision is about, within `outer`; undefined when it names a filter that is not evaluated. */
function readLimits(
  provision: Omit<NestedProvision, 'provision'>,
  outer: Rule,
  zone: TimeZone,
): Rule | undefined {
  const { action, securityLabel, class: classes, code, data, dataPeriod, modifierExtension } = provision;
  const isNarrowed = [action, securityLabel, classes, code, data].some((filter) => (filter ?? []).length > 0);
  if (isNarrowed || dataPeriod !== undefined || modifierExtension !== undefined) return undefined;
  const purposes = provision.purpose ?? [];
  const isResearch = purposes.some(
    ({ system, code: purpose }) =>
      researchPurposes.has(purpose ?? '') && (system ?? purposeSystem) === purposeSystem,
  );
  const researchStudyId = readActors(provision.actor);
  if ((purposes.length > 0 && !isResearch) || researchStudyId === undefined) return undefined;
  const { fromDay, untilDay } = readPeriod(provision.period, zone);
  return {
    decision: 'deny',
    researchStudyId: researchStudyId ?? outer.researchStudyId,
    fromDay: later(outer.fromDay, fromDay),
    untilDay: earlier(outer.untilDay, untilDay),
  };
}

/** The research study that the actors name, null without actors, undefined for other actors. */
function readActors(
  actors: readonly { readonly reference?: FhirReference | undefined }[] | undefined,
): string | null | undefined {
  if (actors === undefined || actors.length === 0) return null;
  if (actors.length > 1) return undefined;
  const { system, value } = actors[0]?.reference?.identifier ?? {};
  const isName = value !== undefined && /^[a-z0-9][a-z0-9_-]{0,62}[a-z0-9]$/.test(value);
  return system === researchStudySystem && isName ? value : undefined;
}

function readPeriod(
  period: { start?: string | undefined; end?: string | undefined } | undefined,
  zone: TimeZone,
) {
  return {
    fromDay: period?.start === undefined ? null : readDay(period.start, 'provision.period.start', zone),
    untilDay: period?.end === undefined ? null : readDay(period.end, 'provision.period.end', zone),
  };
}

function later(left: number | null, right: number | null): number | null {
  return left === null || right === null ? (left ?? right) : Math.max(left, right);
}

function earlier(left: number | null, right: number | null): number | null {
  return left === null || right === null ? (left ?? right) : Math.min(left, right);
}
