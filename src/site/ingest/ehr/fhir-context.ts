// What reading one FHIR resource needs of its surroundings, and what every resource has: a type, an id, a patient.
import type { z } from 'zod';
import { type ClinicalRecord, RowRefusal } from '../clinical-record.ts';
import type { TimeZone } from '../time-zone.ts';
import type { FhirMedications } from './fhir-medications.ts';
import { type FhirReference, type PatientsByUrl, resolvePatient } from './fhir-reference.ts';
import { createPlainCheck, type PlainCheck } from './plain-check.ts';

export interface ResourceContext {
  readonly zone: TimeZone;
  /** Stands in for a missing `id`: the entry's fullUrl. */
  readonly fallbackId: string | null;
  readonly patients: PatientsByUrl;
  readonly medications: FhirMedications;
}

export function resourceTypeOf(resource: unknown): string | undefined {
  if (typeof resource !== 'object' || resource === null || !Object.hasOwn(resource, 'resourceType'))
    return undefined;
  const type = (resource as { resourceType: unknown }).resourceType;
  return typeof type === 'string' ? type : undefined;
}

/** @throws RowRefusal MISSING_FIELD, BAD_CODE: FHIR ids are 1 to 64 of [A-Za-z0-9.-]. */
export function idOf(id: string | undefined, fallbackId: string | null): string {
  const chosen = id ?? fallbackId?.replace(/^urn:(?:uuid|oid):/, '').replace(/^https?:\/\/.*\//, '');
  if (chosen === undefined) throw new RowRefusal('MISSING_FIELD', 'id');
  if (!/^[A-Za-z0-9.-]{1,64}$/.test(chosen)) throw new RowRefusal('BAD_CODE', 'id');
  return chosen;
}

export interface IdentifiedResource {
  readonly resourceType: string;
  readonly id: string;
  readonly subject: FhirReference | undefined;
  readonly subjectField: string;
}

/** The record of a resource, still without what it says. @throws RowRefusal MISSING_FIELD, UNRESOLVED_REFERENCE. */
export function recordOf(
  { resourceType, id, subject, subjectField }: IdentifiedResource,
  { patients }: ResourceContext,
): ClinicalRecord {
  const { key, scope } = resolvePatient(subject, subjectField, patients);
  const sourceId = ['fhir', resourceType, scope, id];
  return { subject: key, patient: null, sourceId, facts: [], consents: [] };
}

const plainChecks = new Map<z.ZodType, PlainCheck>();

/** As `check`, but a resource that is as it should be comes back itself, with what its schema does not name. It must not be kept. */
export function checkPlain<T extends z.ZodType>(schema: T, resource: unknown): z.infer<T> {
  let isPlain = plainChecks.get(schema);
  if (isPlain === undefined) {
    isPlain = createPlainCheck(schema);
    plainChecks.set(schema, isPlain);
  }
  return isPlain(resource) ? (resource as z.infer<T>) : check(schema, resource);
}

/** The resource as its schema has it. The element that is wrong is named from the schema, never from the input. */
export function check<T extends z.ZodType>(schema: T, resource: unknown): z.infer<T> {
  const parsed = schema.safeParse(resource);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = (issue?.path ?? []).filter((step) => typeof step === 'string').join('.');
  const isNumber = issue?.code === 'invalid_type' && path.endsWith('valueQuantity.value');
  throw new RowRefusal(isNumber ? 'BAD_NUMBER' : 'MALFORMED_RESOURCE', path === '' ? null : path);
}
