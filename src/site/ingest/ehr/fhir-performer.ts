// Who gave a FHIR consent (R4 Consent.performer), where it was not the patient alone.
import type { PatientKey } from '#site/deidentify/index.ts';
import { RowRefusal } from '../clinical-record.ts';
import { type FhirReference, type PatientsByUrl, resolvePatient } from './fhir-reference.ts';

/** Who may stand beside the patient as having taken the consent. */
const professionals = ['Practitioner', 'PractitionerRole', 'Organization'];

/**
 * Who gave it for the patient, sorted: whoever is not certainly the patient or a professional, and so are professionals without the
 * patient. Empty for a consent of the patient's own, or one that names nobody.
 */
export function othersOf(
  performers: readonly FhirReference[],
  patient: PatientKey,
  patients: PatientsByUrl,
): string[] {
  const others = performers.filter((performer) => !isPatient(performer, patient, patients));
  const isOwn = others.length < performers.length && others.every(isProfessional);
  return isOwn ? [] : others.map(nameOf).sort();
}

function nameOf({ reference = '', identifier }: FhirReference): string {
  return JSON.stringify([reference, identifier?.system ?? '', identifier?.value ?? '']);
}

function isPatient(performer: FhirReference, patient: PatientKey, patients: PatientsByUrl): boolean {
  try {
    const { key } = resolvePatient(performer, 'performer', patients);
    return key.authority === patient.authority && key.identifier === patient.identifier;
  } catch (error) {
    if (error instanceof RowRefusal) return false;
    throw error;
  }
}

function isProfessional({ reference, type }: FhirReference): boolean {
  const named = /^(?:https?:\/\/[^?#]+\/)?([A-Za-z]+)\/[A-Za-z0-9.-]{1,64}$/.exec(reference ?? '')?.[1];
  return professionals.includes(named ?? type ?? '');
}
