// Whom a FHIR resource is about: references within a bundle, between the files of one server, and by identifier.
import type { PatientKey } from '#site/deidentify/index.ts';
import { RowRefusal } from '../clinical-record.ts';
import type { PatientResource } from './fhir-resource.ts';
import { readText } from './field-value.ts';

/** Resource ids of the hospital's FHIR server: one server for each site. */
const resourceIdAuthority = 'urn:consilium:fhir:Patient.id';

export interface FhirReference {
  readonly reference?: string | undefined;
  readonly type?: string | undefined;
  readonly identifier?:
    | { readonly system?: string | undefined; readonly value?: string | undefined }
    | undefined;
}

export interface ReferredPatient {
  readonly key: PatientKey;
  /** Keeps apart records of different patients that have the same id, as hand-made bundles do. */
  readonly scope: string;
}

/** A bundle's patients by `fullUrl` and by `Patient/id`. Empty for files without a bundle. */
export type PatientsByUrl = ReadonlyMap<string, ReferredPatient>;

export function resourceKey(id: string): PatientKey {
  return { authority: resourceIdAuthority, identifier: id };
}

/** @throws RowRefusal MISSING_FIELD, UNRESOLVED_REFERENCE. */
export function resolvePatient(
  subject: FhirReference | undefined,
  field: string,
  patients: PatientsByUrl,
): ReferredPatient {
  const reference = subject?.reference;
  if (reference === undefined) {
    const { system, value } = subject?.identifier ?? {};
    if (system === undefined || value === undefined) throw new RowRefusal('MISSING_FIELD', field);
    return byIdentifier(system, value, field);
  }
  const inBundle = patients.get(reference);
  if (inBundle !== undefined) return inBundle;
  const conditional = /^Patient\?identifier=([^|&]+)\|([^|&]+)$/.exec(reference);
  if (conditional !== null) return byIdentifier(conditional[1] ?? '', conditional[2] ?? '', field);
  const local =
    /^(?:https?:\/\/[^?#]+\/)?Patient\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/.exec(
      reference,
    );
  if (local?.[1] === undefined) throw new RowRefusal('UNRESOLVED_REFERENCE', field);
  return byResourceId(local[1]);
}

export function byResourceId(id: string): ReferredPatient {
  return { key: resourceKey(id), scope: id };
}

function byIdentifier(system: string, value: string, field: string): ReferredPatient {
  const key = { authority: readText(system, field), identifier: readText(value, field) };
  return { key, scope: `${key.authority}|${key.identifier}` };
}

/** Identifiers that many systems of a country share are no medical record numbers. */
const otherIdentifierTypes = new Set(['SS', 'DL', 'PPN', 'SB', 'TAX', 'NI', 'NPI']);

/** Every other identifier of the person, old ones too: on an opt-out list any of them may stand. @throws RowRefusal. */
export function otherIdentifiers(patient: PatientResource, lasting: PatientKey): PatientKey[] {
  const whole = (patient.identifier ?? []).flatMap(({ system = '', value = '' }) =>
    system.trim() === '' || value.trim() === '' ? [] : [identifierOf(system, value)],
  );
  return whole.filter(
    ({ authority, identifier }) => authority !== lasting.authority || identifier !== lasting.identifier,
  );
}

function identifierOf(system: string, value: string): PatientKey {
  return {
    authority: readText(system, 'identifier.system'),
    identifier: readText(value, 'identifier.value'),
  };
}

/** The identifier the subject id comes from: the medical record number, else the first of the hospital's own. */
export function lastingIdentifier(patient: PatientResource): PatientKey | undefined {
  const usable = (patient.identifier ?? []).filter(
    ({ system, value, use }) =>
      (system ?? '') !== '' && (value ?? '') !== '' && use !== 'old' && use !== 'temp',
  );
  const typesOf = (entry: (typeof usable)[number]): string[] =>
    (entry.type?.coding ?? []).map(({ code }) => code ?? '');
  const chosen =
    usable.find((entry) => typesOf(entry).includes('MR')) ??
    usable.find((entry) => !typesOf(entry).some((type) => otherIdentifierTypes.has(type)));
  if (chosen?.system === undefined || chosen.value === undefined) return undefined;
  return identifierOf(chosen.system, chosen.value);
}
