// Hungary and Long Beach: FHIR R4 Patient, Observation and Consent, as one bundle or as Bulk Data NDJSON.
import type { CodeableConcept, Consent, Observation, Patient, Quantity } from '@medplum/fhirtypes';
import { convertUnit } from '#site/ingest/index.ts';
import { findingCodes, heartSystem, loinc, researchStudyId, splitCode } from './code-system.ts';
import type { Hospital } from './hospital.ts';
import type { ExportedPatient, Finding } from './patient.ts';

const ucum = 'http://unitsofmeasure.org';
const findingOrder: readonly Finding[] = [
  'trestbps',
  'chol',
  'fbs',
  'restecg',
  'thalach',
  'exang',
  'oldpeak',
  'cp',
  'grade',
];

export interface FhirOptions {
  readonly hospital: Hospital;
  /** The laboratory reports cholesterol in g/L, as long as that is exact in float32. */
  readonly cholesterolInGrams: boolean;
}

export function toPatient(
  { uuid, number, family, given, sex, birthDate }: ExportedPatient,
  { hospital }: FhirOptions,
): Patient {
  return {
    resourceType: 'Patient',
    id: uuid,
    identifier: [
      {
        use: 'usual',
        type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }] },
        system: hospital.authority,
        value: number,
      },
    ],
    name: [{ use: 'official', family, given: [given] }],
    gender: sex,
    birthDate,
  };
}

export function toObservations(patient: ExportedPatient, options: FhirOptions): Observation[] {
  const found = findingOrder.flatMap((name) => {
    const value = patient.findings.get(name);
    return value === undefined ? [] : [toObservation(patient, name, toValue(name, value, options))];
  });
  if (patient.split === null) return found;
  const part: Observation = {
    ...observationOf(patient, 'split', concept(splitCode.system, splitCode.code, splitCode.display)),
    valueCodeableConcept: concept(heartSystem, patient.split),
  };
  return [...found, part];
}

type ObservationValue = Pick<Observation, 'valueQuantity' | 'valueBoolean' | 'valueCodeableConcept'>;

function toObservation(patient: ExportedPatient, name: Finding, value: ObservationValue): Observation {
  const { system, code, display } = findingCodes[name];
  if (name !== 'trestbps')
    return { ...observationOf(patient, name, concept(system, code, display)), ...value };
  // Blood pressure comes as a panel with components in most exports.
  const panel = concept(loinc, '85354-9', 'Blood pressure panel with all children optional');
  return {
    ...observationOf(patient, name, panel),
    component: [{ code: concept(system, code, display), ...value }],
  };
}

function observationOf(
  { uuid, indexDate }: ExportedPatient,
  name: string,
  code: CodeableConcept,
): Observation {
  return {
    resourceType: 'Observation',
    id: `${name}-${uuid}`,
    status: 'final',
    code,
    subject: { reference: `Patient/${uuid}` },
    effectiveDateTime: indexDate,
  };
}

function toValue(name: Finding, value: number, { cholesterolInGrams }: FhirOptions): ObservationValue {
  const { kind, unit } = findingCodes[name];
  if (kind === 'boolean') return { valueBoolean: value === 1 };
  if (kind === 'coded') return { valueCodeableConcept: concept(heartSystem, String(value)) };
  if (name === 'chol' && cholesterolInGrams) return { valueQuantity: cholesterol(value) };
  return { valueQuantity: quantity(value, unit ?? '1') };
}

/** In g/L where that gives the same float32 back, else in mg/dL. */
function cholesterol(milligramsPerDecilitre: number): Quantity {
  const grams = milligramsPerDecilitre / 100;
  const isExact = Math.fround(convertUnit(grams, 'g/L', 'mg/dL')) === Math.fround(milligramsPerDecilitre);
  return isExact ? quantity(grams, 'g/L') : quantity(milligramsPerDecilitre, 'mg/dL');
}

function quantity(value: number, unit: string): Quantity {
  return { value, unit, system: ucum, code: unit };
}

function concept(system: string, code: string, display?: string): CodeableConcept {
  return { coding: [display === undefined ? { system, code } : { system, code, display }] };
}

export function toConsent({ uuid, consent }: ExportedPatient): Consent {
  const actReason = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';
  return {
    resourceType: 'Consent',
    id: `consent-${uuid}`,
    status: consent.status,
    scope: concept('http://terminology.hl7.org/CodeSystem/consentscope', 'research'),
    category: [concept(loinc, '59284-0', 'Consent Document')],
    patient: { reference: `Patient/${uuid}` },
    dateTime: consent.statedDate,
    policyRule: concept('http://terminology.hl7.org/CodeSystem/v3-ActCode', 'OPTIN'),
    provision: {
      provision: [
        {
          type: 'permit',
          period: { start: consent.statedDate, end: consent.untilDate },
          actor: [
            {
              role: concept('http://terminology.hl7.org/CodeSystem/v3-ParticipationType', 'IRCP'),
              reference: {
                type: 'ResearchStudy',
                identifier: {
                  system: 'https://consilium.example/fhir/research-study',
                  value: researchStudyId,
                },
              },
            },
          ],
          purpose: [{ system: actReason, code: 'HRESCH' }],
        },
      ],
    },
  };
}

/** One collection bundle, an entry a line. */
export function encodeBundle(patients: readonly ExportedPatient[], options: FhirOptions): string {
  const entries = patients.flatMap((patient) =>
    [toPatient(patient, options), ...toObservations(patient, options), toConsent(patient)].map((resource) =>
      JSON.stringify({
        fullUrl: `https://budapest.example/fhir/${resource.resourceType}/${resource.id}`,
        resource,
      }),
    ),
  );
  return `{"resourceType":"Bundle","type":"collection","entry":[\n${entries.join(',\n')}\n]}\n`;
}

/** One resource a line. */
export function encodeNdjson(resources: readonly unknown[]): string {
  return resources.map((resource) => `${JSON.stringify(resource)}\n`).join('');
}
