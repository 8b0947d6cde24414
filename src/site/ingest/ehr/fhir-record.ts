// One FHIR R4 resource, parsed from JSON, as a row. The types that are read are told apart here.
import { type ClinicalRecord, type ReadRow, readRow } from '../clinical-record.ts';
import { check, checkPlain, idOf, type ResourceContext, resourceTypeOf } from './fhir-context.ts';
import { isEvent, readEvent } from './fhir-event.ts';
import { readObservation } from './fhir-observation.ts';
import { readMerge, readPatient } from './fhir-patient.ts';
import { observationSchema, patientSchema } from './fhir-resource.ts';
import { isResourceType } from './fhir-resource-types.ts';
import { readConsentRecord } from './fhir-unread-consent.ts';

/** Read by themselves; the other types that are read are events. */
const readTypes = new Set(['Patient', 'Observation', 'Consent']);

/** @param row its number in the file */
export function readResource(row: number, resource: unknown, context: ResourceContext): ReadRow {
  const resourceType = resourceTypeOf(resource);
  if (resourceType === undefined)
    return { kind: 'refused', row, code: 'MISSING_FIELD', field: 'resourceType' };
  if (!isRead(resourceType)) {
    if (isResourceType(resourceType)) return { kind: 'not-needed', row };
    return { kind: 'refused', row, code: 'UNSUPPORTED_RESOURCE', field: 'resourceType' };
  }
  return readRow(row, () => readRecord(row, resourceType, { resource, context }));
}

function readRecord(
  row: number,
  resourceType: string,
  { resource, context }: { readonly resource: unknown; readonly context: ResourceContext },
): ClinicalRecord | ReadRow {
  switch (resourceType) {
    case 'Patient': {
      const patient = check(patientSchema, resource);
      const id = idOf(patient.id, context.fallbackId);
      const merge = readMerge(patient, id, context.patients);
      return merge === null ? readPatient(patient, id, context) : { kind: 'merge', row, ...merge };
    }
    case 'Observation':
      return readObservation(checkPlain(observationSchema, resource), context);
    case 'Consent':
      return readConsentRecord(resource, context);
    default:
      return readEvent(resourceType, resource, context);
  }
}

/** A deletion as bundles ask for it: `Observation/123`. Conditional ones name no record. */
export function readDeletion(row: number, url: unknown): ReadRow {
  const named =
    typeof url === 'string' && url.length <= 1000
      ? /^(?:https?:\/\/[^?#]+\/)?([A-Za-z]{1,64})\/([A-Za-z0-9.-]{1,64})$/.exec(url)
      : null;
  const [, resourceType = '', id = ''] = named ?? [];
  if (!isResourceType(resourceType))
    return { kind: 'refused', row, code: 'UNSUPPORTED_REQUEST', field: 'request.url' };
  if (!isRead(resourceType)) return { kind: 'not-needed', row };
  return { kind: 'deletion', row, sourceId: ['fhir', resourceType, id] };
}

function isRead(resourceType: string): boolean {
  return readTypes.has(resourceType) || isEvent(resourceType);
}
