// FHIR consents as rows. One that cannot be read is refused and listed, so that somebody looks at it, and is kept as far as it takes
// something away: it may be the patient's withdrawal, and an earlier version must not go on permitting (security.md C3).
import { z } from 'zod';
import { utf8 } from '#base/bytes.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import type { ConsentProvision } from '#site/store/index.ts';
import {
  type ClinicalRecord,
  consentStatuses,
  RowRefusal,
  type SourceConsent,
  unlessRefused,
} from '../clinical-record.ts';
import { consentScopeOf } from './consent-scope.ts';
import { readConsent, readStated } from './fhir-consent.ts';
import { idOf, type ResourceContext, recordOf } from './fhir-context.ts';
import { codeableConcept, reference, text } from './fhir-element.ts';
import { othersOf } from './fhir-performer.ts';
import { denyAll, isModified, permitNothing } from './fhir-provision.ts';
import { readReplacement } from './fhir-replacement.ts';

/** @throws RowRefusal where the consent's patient cannot be read, or its id, and it denies nothing by itself. */
export function readConsentRecord(resource: unknown, context: ResourceContext): ClinicalRecord {
  try {
    return readConsent(resource, context);
  } catch (error) {
    if (!(error instanceof RowRefusal)) throw error;
    return keepRefused(resource, error, context);
  }
}

/** Somebody, and not certainly the patient. */
const nobodyKnown = [{}];

/** The elements that can be read by themselves, whatever is wrong with the others. */
const readableElements = z.object({
  id: text.catch(undefined),
  status: z.enum(consentStatuses).catch('active'),
  scope: codeableConcept.optional().catch(undefined),
  patient: reference.optional().catch(undefined),
  dateTime: text.catch(undefined),
  performer: z.array(reference).optional().catch(nobodyKnown),
  provision: z.unknown().optional(),
});
type ReadableElements = z.infer<typeof readableElements>;

/** @throws RowRefusal CONSENT_WITHOUT_PATIENT; the same one, where it could only have ended an earlier version that nobody can find. */
function keepRefused(resource: unknown, refusal: RowRefusal, context: ResourceContext): ClinicalRecord {
  const elements = readableElements.parse(resource);
  const scope = consentScopeOf(elements.scope);
  const provision = isModified(resource) ? denyAll : whatStands(elements);
  const isOwnDeny = provision === denyAll && elements.status === 'active' && scope !== 'other';
  const id =
    unlessRefused(() => idOf(elements.id, context.fallbackId)) ??
    (isOwnDeny ? standInId(resource) : undefined);
  const identified = { resourceType: 'Consent', subject: elements.patient, subjectField: 'patient' };
  const named = unlessRefused(() => recordOf({ ...identified, id: id ?? '' }, context));
  if (named === undefined && scope !== 'other') throw new RowRefusal('CONSENT_WITHOUT_PATIENT', 'patient');
  if (named === undefined || id === undefined) throw refusal;
  const { subject, sourceId } = named;
  const { code, field } = refusal;
  const givenBy = othersOf(elements.performer ?? [], subject, context.patients);
  const consent: SourceConsent = {
    sourceId: sourceId ?? [],
    isByGuardian: givenBy.length > 0,
    status: elements.status,
    ...statedOf(elements, context),
    decision: 'deny',
    researchStudyId: null,
    fromDay: null,
    untilDay: null,
    provision,
    ...readReplacement(resource, { fallbackId: context.fallbackId, givenBy }),
    source: 'fhir',
    onlyReplaces: scope === 'other',
  };
  return { subject, patient: null, sourceId: null, facts: [], consents: [consent], refusal: { code, field } };
}

/** By what it says: the same again is no second one. No FHIR id has a space. */
function standInId(resource: unknown): string {
  return `without id ${sha256Hex(utf8(JSON.stringify(resource)))}`;
}

/** Without a day where none can be read: then a deny and what ends a consent count as later than a permit. */
function statedOf(
  { dateTime }: ReadableElements,
  { zone }: ResourceContext,
): Pick<SourceConsent, 'statedDay' | 'statedUntilDay'> {
  try {
    return readStated(dateTime, zone);
  } catch (error) {
    if (error instanceof RowRefusal) return { statedDay: null };
    throw error;
  }
}

/**
 * Nothing of it permits. A deny of everything where something in it denies, or, in a consent for research, nothing permits: such a
 * one is a refusal when it can be read, too.
 */
function whatStands({ scope, provision }: ReadableElements): ConsentProvision {
  const kind = consentScopeOf(scope);
  if (kind === 'other') return permitNothing;
  const isDeny = provision !== undefined && denies(provision, true);
  return isDeny || (kind === 'research' && !permits(provision)) ? denyAll : permitNothing;
}

/** A nested rule that is no permit is taken for a deny, as in a consent that can be read. */
function denies(rule: unknown, isRoot: boolean): boolean {
  const { type, provision = [] } = rulePart.catch({ type: 'deny' }).parse(rule);
  if (type !== 'permit' && !(isRoot && type === undefined)) return true;
  return !Array.isArray(provision) || provision.some((nested) => denies(nested, false));
}

function permits(rule: unknown): boolean {
  const { type, provision } = rulePart.catch({}).parse(rule);
  return type === 'permit' || (Array.isArray(provision) && provision.some(permits));
}

const rulePart = z.object({ type: z.unknown().optional(), provision: z.unknown().optional() });
