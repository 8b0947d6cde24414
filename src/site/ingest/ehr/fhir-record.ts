// One FHIR R4 resource, parsed from JSON, as a record. The types that are read are told apart here.

import type { z } from 'zod';
import { type ClinicalRecord, RowRefusal } from '../clinical-record.ts';
import { readConsent } from './fhir-consent.ts';
import { readObservation } from './fhir-observation.ts';
import { readPatient } from './fhir-patient.ts';
import type { PatientsByUrl } from './fhir-reference.ts';
import { consentSchema, observationSchema, patientSchema } from './fhir-resource.ts';

export interface ResourceContext {
  /** Stands in for a missing `id`: the entry's fullUrl. */
  readonly fallbackId: string | null;
  readonly patients: PatientsByUrl;
}

/** @throws RowRefusal UNSUPPORTED_RESOURCE, MALFORMED_RESOURCE and what the resource types refuse. */
export function readResource(resource: unknown, { fallbackId, patients }: ResourceContext): ClinicalRecord {
  switch (resourceTypeOf(resource)) {
    case 'Patient': {
      const patient = check(patientSchema, resource);
      return readPatient(patient, idOf(patient.id, fallbackId));
    }
    case 'Observation': {
      const observation = check(observationSchema, resource);
      return readObservation(observation, idOf(observation.id, fallbackId), patients);
    }
    case 'Consent': {
      const consent = check(consentSchema, resource);
      return readConsent(consent, idOf(consent.id, fallbackId), patients);
    }
    case undefined:
      throw new RowRefusal('MISSING_FIELD', 'resourceType');
    default:
      throw new RowRefusal('UNSUPPORTED_RESOURCE', 'resourceType');
  }
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

/** The resource as its schema has it. The element that is wrong is named from the schema, never from the input. */
export function check<T extends z.ZodType>(schema: T, resource: unknown): z.infer<T> {
  const parsed = schema.safeParse(resource);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = (issue?.path ?? []).filter((step) => typeof step === 'string').join('.');
  const isNumber = issue?.code === 'invalid_type' && path.endsWith('valueQuantity.value');
  throw new RowRefusal(isNumber ? 'BAD_NUMBER' : 'MALFORMED_RESOURCE', path === '' ? null : path);
}
