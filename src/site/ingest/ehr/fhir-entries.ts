// The entries of a FHIR R4 Bundle as rows: resources with what the bundle says of their patients and medications, deletions, and
// what a search adds about itself.
import { type ReadRow, readRow } from '../clinical-record.ts';
import type { TimeZone } from '../time-zone.ts';
import { check, idOf, resourceTypeOf } from './fhir-context.ts';
import { medicationSchema } from './fhir-event-resource.ts';
import { FhirMedications } from './fhir-medications.ts';
import { readDeletion, readResource } from './fhir-record.ts';
import { byResourceId, lastingIdentifier, type ReferredPatient } from './fhir-reference.ts';
import { patientSchema } from './fhir-resource.ts';

const bundleTypes = new Set(['collection', 'transaction', 'batch', 'searchset']);

/** The list of entries, or what is wrong with the bundle. */
export function entriesOf(
  bundle: unknown,
): readonly unknown[] | 'UNSUPPORTED_BUNDLE' | 'EMPTY_FILE' | 'MALFORMED_JSON' {
  const { type, entry } = bundle as { type?: unknown; entry?: unknown };
  if (typeof type !== 'string' || !bundleTypes.has(type)) return 'UNSUPPORTED_BUNDLE';
  if (entry === undefined) return 'EMPTY_FILE';
  return Array.isArray(entry) ? entry : 'MALFORMED_JSON';
}

/** @param rowOf entry's index -> its row */
export function* readEntries(
  entries: readonly unknown[],
  zone: TimeZone,
  rowOf: (index: number) => number,
): Generator<ReadRow> {
  const patients = readPatients(entries);
  const medications = readMedications(entries);
  const context = { zone, patients, medications };
  // Patients first: facts then find their age at once, wherever the patient stands in the bundle.
  const isPatient = (entry: unknown): boolean => resourceTypeOf(memberOf(entry, 'resource')) === 'Patient';
  for (const [index, entry] of entries.entries()) {
    if (isPatient(entry)) yield readEntry(rowOf(index), entry, context);
  }
  for (const [index, entry] of entries.entries()) {
    if (!isPatient(entry)) yield readEntry(rowOf(index), entry, context);
  }
}

type EntryContext = Omit<Parameters<typeof readResource>[2], 'fallbackId'>;

function readEntry(row: number, entry: unknown, context: EntryContext): ReadRow {
  const request = memberOf(entry, 'request');
  if (memberOf(request, 'method') === 'DELETE') return readDeletion(row, memberOf(request, 'url'));
  // A part of a resource is no resource: what it changes is not known here.
  if (memberOf(request, 'method') === 'PATCH')
    return { kind: 'refused', row, code: 'UNSUPPORTED_REQUEST', field: 'request.method' };
  // What a search says about itself.
  if (memberOf(memberOf(entry, 'search'), 'mode') === 'outcome') return { kind: 'not-needed', row };
  const resource = memberOf(entry, 'resource');
  if (resource === undefined)
    return { kind: 'refused', row, code: 'UNSUPPORTED_REQUEST', field: 'request.method' };
  return readResource(row, resource, { ...context, fallbackId: fullUrlOf(entry) });
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

function fullUrlOf(entry: unknown): string | null {
  const url = memberOf(entry, 'fullUrl');
  return typeof url === 'string' && url.length <= 1000 ? url : null;
}

/** How facts of this bundle name its patients: by the lasting identifier, so that a reused resource id joins nobody's records. */
function readPatients(entries: readonly unknown[]): Map<string, ReferredPatient> {
  const patients = new Map<string, ReferredPatient>();
  for (const { resource, fullUrl } of resourcesOf(entries, 'Patient')) {
    // A patient that cannot be read is refused when its own turn comes.
    readRow(1, () => {
      const patient = check(patientSchema, resource);
      const id = idOf(patient.id, fullUrl);
      const referred = { ...byResourceId(id), key: lastingIdentifier(patient) ?? byResourceId(id).key };
      patients.set(`Patient/${id}`, referred);
      if (fullUrl !== null) patients.set(fullUrl, referred);
      return null;
    });
  }
  return patients;
}

function readMedications(entries: readonly unknown[]): FhirMedications {
  const medications = new FhirMedications();
  for (const { resource, fullUrl } of resourcesOf(entries, 'Medication'))
    readMedication(resource, fullUrl, medications);
  return medications;
}

/** Takes a Medication's code. One that cannot be read stands for nothing: what refers to it is refused. */
export function readMedication(
  resource: unknown,
  fullUrl: string | null,
  medications: FhirMedications,
): void {
  readRow(1, () => {
    const { id, code } = check(medicationSchema, resource);
    medications.add(`Medication/${idOf(id, fullUrl)}`, code ?? {});
    if (fullUrl !== null) medications.add(fullUrl, code ?? {});
    return null;
  });
}

function* resourcesOf(entries: readonly unknown[], resourceType: string) {
  for (const entry of entries) {
    const resource = memberOf(entry, 'resource');
    if (resourceTypeOf(resource) === resourceType) yield { resource, fullUrl: fullUrlOf(entry) };
  }
}
