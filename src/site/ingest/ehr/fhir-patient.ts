// A FHIR R4 Patient as an identity: identifier, name, birth date and administrative gender; beside it whether and when the patient died.
import type { DeathStatement, PatientRecord } from '#site/deidentify/index.ts';
import { type ClinicalRecord, type MergeRow, RowRefusal } from '../clinical-record.ts';
import { deathFact } from './death.ts';
import type { ResourceContext } from './fhir-context.ts';
import {
  lastingIdentifier,
  otherIdentifiers,
  type PatientsByUrl,
  resolvePatient,
  resourceKey,
} from './fhir-reference.ts';
import type { PatientResource } from './fhir-resource.ts';
import { readBirthDate, readText, readTime } from './field-value.ts';

const genders = ['male', 'female', 'other', 'unknown'] as const;

/** @param id the resource's id. @throws RowRefusal. */
export function readPatient(
  resource: PatientResource,
  id: string,
  { zone }: ResourceContext,
): ClinicalRecord {
  if (resource.modifierExtension !== undefined)
    throw new RowRefusal('UNSUPPORTED_VALUE', 'modifierExtension');
  const { key, aliases } = namesOf(resource, id);
  const patient: PatientRecord = {
    key,
    aliases,
    otherIdentifiers: otherIdentifiers(resource, key),
    name: readName(resource),
    birthDate: resource.birthDate === undefined ? null : readBirthDate(resource.birthDate, 'birthDate'),
    sex: readGender(resource.gender),
  };
  const { deceasedDateTime } = resource;
  const facts =
    deceasedDateTime === undefined ? [] : [deathFact(readTime(deceasedDateTime, 'deceasedDateTime', zone))];
  // A death that a later export no longer states is taken back.
  const sourceId = ['fhir', 'Patient', id];
  const death = { source: 'fhir', says: readLife(resource) } as const;
  return { subject: patient.key, patient, death, sourceId, facts, consents: [] };
}

function readLife({ deceasedBoolean, deceasedDateTime }: PatientResource): DeathStatement['says'] {
  if (deceasedDateTime !== undefined || deceasedBoolean === true) return 'deceased';
  return deceasedBoolean === false ? 'alive' : 'not-stated';
}

/**
 * The two patients of a resource that another one replaces (R4 Patient.link `replaced-by`), or null. What the surviving resource
 * says of it (`replaces`) is not acted upon: the replaced one says it too. @throws RowRefusal.
 */
export function readMerge(
  resource: PatientResource,
  id: string,
  patients: PatientsByUrl,
): Omit<MergeRow, 'kind' | 'row'> | null {
  const replacing = resource.link?.find(({ type }) => type === 'replaced-by');
  if (replacing === undefined) return null;
  const survivor = resolvePatient(replacing.other, 'link.other', patients).key;
  const { key, aliases } = namesOf(resource, id);
  return { survivor, retired: key, aliases };
}

/** The identifier that lasts, and beside it the resource id by which other resources refer to the patient. */
function namesOf(resource: PatientResource, id: string): Pick<PatientRecord, 'key' | 'aliases'> {
  const lasting = lastingIdentifier(resource);
  const own = resourceKey(id);
  return lasting === undefined ? { key: own, aliases: [] } : { key: lasting, aliases: [own] };
}

function readGender(gender: string | undefined): PatientRecord['sex'] {
  if (gender === undefined) return null;
  const known = genders.find((name) => name === gender);
  if (known === undefined) throw new RowRefusal('BAD_VALUE', 'gender');
  return known;
}

function readName({ name }: PatientResource): string | null {
  const usual =
    name?.find(({ use }) => use === 'official') ?? name?.find(({ use }) => use === 'usual') ?? name?.[0];
  if (usual === undefined) return null;
  const written =
    usual.text ?? [...(usual.given ?? []), usual.family].filter((part) => part !== undefined).join(' ');
  return written.trim() === '' ? null : readText(written, 'name');
}
