// A FHIR R4 Patient as an identity: identifier, name, birth date and administrative gender, nothing else.
import type { PatientRecord } from '#site/deidentify/index.ts';
import { type ClinicalRecord, RowRefusal } from '../clinical-record.ts';
import { lastingIdentifier, resourceKey } from './fhir-reference.ts';
import type { PatientResource } from './fhir-resource.ts';
import { readBirthDate, readText } from './field-value.ts';

const genders = ['male', 'female', 'other', 'unknown'] as const;

/** @param id the resource's id. @throws RowRefusal. */
export function readPatient(resource: PatientResource, id: string): ClinicalRecord {
  if (resource.modifierExtension !== undefined)
    throw new RowRefusal('UNSUPPORTED_VALUE', 'modifierExtension');
  const lasting = lastingIdentifier(resource);
  const alias = resourceKey(id);
  const patient: PatientRecord = {
    key: lasting ?? alias,
    aliases: lasting === undefined ? [] : [alias],
    name: readName(resource),
    birthDate: resource.birthDate === undefined ? null : readBirthDate(resource.birthDate, 'birthDate'),
    sex: readGender(resource.gender),
  };
  return { subject: patient.key, patient, sourceId: null, facts: [], consents: [] };
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
