// Makes a FHIR R4 bulk export of any size, in the shapes and the mix of a Synthea export: the same bytes for the same size. All in one
// file, patient after patient.
import { closeSync, openSync, writeSync } from 'node:fs';

export interface MadeExport {
  readonly file: string;
  readonly byteCount: number;
  readonly resourceCount: number;
  readonly observationCount: number;
}

/** Numbers that look random and are the same each time (xorshift, 32 bits). */
export class Sequence {
  #state: number;

  constructor(seed: number) {
    this.#state = seed === 0 ? 1 : seed;
  }

  /** A whole number below `limit`. */
  below(limit: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % limit;
  }

  /** A UUID. */
  id(): string {
    const digits = Array.from({ length: 4 }, () =>
      this.below(0x100000000).toString(16).padStart(8, '0'),
    ).join('');
    return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-a${digits.slice(17, 20)}-${digits.slice(20)}`;
  }
}

/** Resources of one patient; with their sizes they give the mix of the export that `docs` names: one in four an Observation. */
const perPatient = {
  Observation: 38,
  Procedure: 28,
  Encounter: 16,
  DiagnosticReport: 14,
  Claim: 12,
  MedicationRequest: 10,
  Condition: 9,
  DocumentReference: 8,
  Immunization: 6,
  ExplanationOfBenefit: 5,
  CareTeam: 2,
  CarePlan: 2,
} as const;

const tagged = { tag: [{ system: 'https://smarthealthit.org/tags', code: 'synthea-5-2019' }] };
const measured = [
  ['8302-2', 'Body Height', 'cm', 120, 80],
  ['29463-7', 'Body Weight', 'kg', 40, 80],
  ['39156-5', 'Body Mass Index', 'kg/m2', 16, 20],
  ['8867-4', 'Heart rate', '/min', 50, 60],
  ['2093-3', 'Total Cholesterol', 'mg/dL', 120, 160],
  ['2571-8', 'Triglycerides', 'mg/dL', 60, 200],
  ['4548-4', 'Hemoglobin A1c/Hemoglobin.total in Blood', '%', 4, 8],
  ['2339-0', 'Glucose', 'mg/dL', 60, 120],
  ['6299-2', 'Urea Nitrogen', 'mg/dL', 5, 20],
  ['38483-4', 'Creatinine', 'mg/dL', 0, 3],
] as const;
const snomed = 'http://snomed.info/sct';

/** Writes about `byteCount` bytes. */
export function writeFhirExport(file: string, byteCount: number): MadeExport {
  const handle = openSync(file, 'w');
  const sequence = new Sequence(20_261_125);
  let written = 0;
  let resourceCount = 0;
  let observationCount = 0;
  try {
    for (let patient = 0; written < byteCount; patient += 1) {
      const resources = patientResources(patient, sequence);
      const text = Buffer.from(resources.map((resource) => `${JSON.stringify(resource)}\n`).join(''));
      writeSync(handle, text);
      written += text.length;
      resourceCount += resources.length;
      observationCount += perPatient.Observation;
    }
  } finally {
    closeSync(handle);
  }
  return { file, byteCount: written, resourceCount, observationCount };
}

function patientResources(number: number, sequence: Sequence): object[] {
  const patientId = sequence.id();
  const subject = { reference: `Patient/${patientId}` };
  const resources: object[] = [patientResource(number, patientId, sequence)];
  const encounters = Array.from({ length: perPatient.Encounter }, () => sequence.id());
  for (const [type, count] of Object.entries(perPatient)) {
    for (let index = 0; index < count; index += 1) {
      const encounterId = encounters[index % encounters.length] ?? '';
      const start = `${1990 + sequence.below(30)}-${two(1 + sequence.below(12))}-${two(1 + sequence.below(28))}T${two(sequence.below(24))}:11:33+00:00`;
      const common = {
        resourceType: type,
        id: type === 'Encounter' ? encounterId : sequence.id(),
        meta: tagged,
        ...(type === 'Encounter' ? {} : { encounter: { reference: `Encounter/${encounterId}` } }),
      };
      resources.push({ ...common, ...bodies[type as keyof typeof perPatient]({ start, subject, sequence }) });
    }
  }
  return resources;
}

function patientResource(number: number, id: string, sequence: Sequence): object {
  return {
    resourceType: 'Patient',
    id,
    meta: tagged,
    extension: [
      {
        url: 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-race',
        extension: [{ url: 'text', valueString: 'White' }],
      },
      {
        url: 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName',
        valueString: `Mother${number}`,
      },
    ],
    identifier: [
      { system: 'https://github.com/synthetichealth/synthea', value: id },
      {
        type: {
          coding: [
            {
              system: 'http://terminology.hl7.org/CodeSystem/v2-0203',
              code: 'MR',
              display: 'Medical Record Number',
            },
          ],
        },
        system: 'http://hospital.smarthealthit.org',
        value: `MRN-${number}`,
      },
    ],
    name: [{ use: 'official', family: `Family${number}`, given: [`Given${number}`], prefix: ['Ms.'] }],
    telecom: [{ system: 'phone', value: '555-000-0000', use: 'home' }],
    gender: number % 2 === 0 ? 'female' : 'male',
    birthDate: `${1930 + sequence.below(60)}-${two(1 + sequence.below(12))}-${two(1 + sequence.below(28))}`,
    address: [{ line: ['1 Any Street'], city: 'Anytown', state: 'Massachusetts', country: 'US' }],
    maritalStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-MaritalStatus', code: 'M' }],
      text: 'M',
    },
  };
}

interface Body {
  readonly start: string;
  readonly subject: { readonly reference: string };
  readonly sequence: Sequence;
}

const coded = (system: string, code: string, display: string): object => ({
  coding: [{ system, code, display }],
  text: display,
});
const end = (start: string): string => start.replace(':11:33', ':26:33');
const ofList = <T>(list: readonly T[], sequence: Sequence): T => list[sequence.below(list.length)] as T;
const snomedCodes = Array.from({ length: 120 }, (_, index) => String(100_000_000 + index * 7_919));

const bodies: Record<keyof typeof perPatient, (body: Body) => object> = {
  Observation: ({ start, subject, sequence }) => {
    const [code, display, unit, least, range] = ofList(measured, sequence);
    const value = least + (sequence.below(range * 1000) + 1) / 1000;
    return {
      status: 'final',
      category: [
        {
          coding: [
            {
              system: 'http://terminology.hl7.org/CodeSystem/observation-category',
              code: 'vital-signs',
              display: 'vital-signs',
            },
          ],
        },
      ],
      code: coded('http://loinc.org', code, display),
      subject,
      effectiveDateTime: start,
      issued: start.replace('+', '.548+'),
      valueQuantity: { value, unit, system: 'http://unitsofmeasure.org', code: unit },
    };
  },
  Procedure: ({ start, subject, sequence }) => ({
    status: 'completed',
    code: coded(snomed, ofList(snomedCodes, sequence), 'Documentation of current medications'),
    subject,
    performedPeriod: { start, end: end(start) },
    location: { display: 'An example hospital' },
  }),
  Encounter: ({ start, subject, sequence }) => ({
    status: 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
    type: [coded(snomed, ofList(snomedCodes, sequence), 'Encounter for check up (procedure)')],
    subject: { ...subject, display: 'Ms. Example Patient' },
    participant: [
      {
        type: [
          coded('http://terminology.hl7.org/CodeSystem/v3-ParticipationType', 'PPRF', 'primary performer'),
        ],
        period: { start, end: end(start) },
        individual: { reference: `Practitioner/${sequence.id()}`, display: 'Dr. Example Physician' },
      },
    ],
    period: { start, end: end(start) },
    location: [{ location: { reference: `Location/${sequence.id()}`, display: 'An example hospital' } }],
    serviceProvider: { reference: `Organization/${sequence.id()}`, display: 'An example hospital' },
  }),
  DiagnosticReport: ({ start, subject, sequence }) => ({
    status: 'final',
    category: [
      {
        coding: [
          { system: 'http://terminology.hl7.org/CodeSystem/v2-0074', code: 'LAB', display: 'Laboratory' },
        ],
      },
    ],
    code: coded('http://loinc.org', '57698-3', 'Lipid Panel'),
    subject,
    effectiveDateTime: start,
    issued: start.replace('+', '.548+'),
    result: Array.from({ length: 6 }, (_, index) => ({
      reference: `Observation/${sequence.id()}`,
      display: measured[index]?.[1],
    })),
  }),
  Claim: ({ start, subject, sequence }) => ({
    status: 'active',
    type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/claim-type', code: 'professional' }] },
    use: 'claim',
    patient: subject,
    billablePeriod: { start, end: end(start) },
    created: start,
    provider: { reference: `Organization/${sequence.id()}`, display: 'An example hospital' },
    priority: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/processpriority', code: 'normal' }],
    },
    item: items(6, sequence),
    total: { value: sequence.below(100_000) / 100, currency: 'USD' },
  }),
  MedicationRequest: ({ start, subject, sequence }) => ({
    status: 'stopped',
    intent: 'order',
    medicationCodeableConcept: coded(
      'http://www.nlm.nih.gov/research/umls/rxnorm',
      String(300_000 + sequence.below(80) * 13),
      'Acetaminophen 325 MG Oral Tablet',
    ),
    subject,
    authoredOn: start,
    requester: { reference: `Practitioner/${sequence.id()}`, display: 'Dr. Example Physician' },
    dosageInstruction: [
      {
        sequence: 1,
        timing: { repeat: { frequency: 1, period: 1, periodUnit: 'd' } },
        asNeededBoolean: false,
      },
    ],
  }),
  Condition: ({ start, subject, sequence }) => ({
    clinicalStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'resolved' }],
    },
    verificationStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-ver-status', code: 'confirmed' }],
    },
    category: [
      coded(
        'http://terminology.hl7.org/CodeSystem/condition-category',
        'encounter-diagnosis',
        'Encounter Diagnosis',
      ),
    ],
    code: coded(snomed, ofList(snomedCodes, sequence), 'Sprain of wrist'),
    subject,
    onsetDateTime: start,
    abatementDateTime: end(start),
    recordedDate: start,
  }),
  DocumentReference: ({ start, subject, sequence }) => ({
    status: 'current',
    type: coded('http://loinc.org', '34117-2', 'History and physical note'),
    subject,
    date: start,
    author: [{ reference: `Practitioner/${sequence.id()}`, display: 'Dr. Example Physician' }],
    content: [{ attachment: { contentType: 'text/plain; charset=utf-8', data: 'QSBub3RlLg=='.repeat(140) } }],
    context: { period: { start, end: end(start) } },
  }),
  Immunization: ({ start, subject, sequence }) => ({
    status: 'completed',
    vaccineCode: coded(
      'http://hl7.org/fhir/sid/cvx',
      String(100 + sequence.below(40)),
      'Influenza, seasonal, injectable',
    ),
    patient: subject,
    occurrenceDateTime: start,
    primarySource: true,
    location: { display: 'An example hospital' },
  }),
  ExplanationOfBenefit: ({ start, subject, sequence }) => ({
    status: 'active',
    type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/claim-type', code: 'professional' }] },
    use: 'claim',
    patient: subject,
    billablePeriod: { start, end: end(start) },
    created: start,
    outcome: 'complete',
    careTeam: [{ sequence: 1, provider: { reference: `Practitioner/${sequence.id()}` } }],
    item: items(24, sequence),
    payment: { amount: { value: sequence.below(100_000) / 100, currency: 'USD' } },
  }),
  CareTeam: ({ start, subject, sequence }) => ({
    status: 'inactive',
    subject,
    period: { start, end: end(start) },
    participant: Array.from({ length: 3 }, () => ({
      role: [coded(snomed, '116154003', 'Patient')],
      member: { reference: `Practitioner/${sequence.id()}`, display: 'Dr. Example Physician' },
    })),
  }),
  CarePlan: ({ start, subject, sequence }) => ({
    status: 'completed',
    intent: 'order',
    category: [coded(snomed, '53950000', 'Respiratory therapy')],
    subject,
    period: { start, end: end(start) },
    activity: Array.from({ length: 3 }, () => ({
      detail: {
        code: coded(snomed, ofList(snomedCodes, sequence), 'Recommendation to avoid exercise'),
        status: 'completed',
      },
    })),
  }),
};

function items(count: number, sequence: Sequence): object[] {
  return Array.from({ length: count }, (_, index) => ({
    sequence: index + 1,
    productOrService: coded(snomed, ofList(snomedCodes, sequence), 'Encounter for check up (procedure)'),
    servicedPeriod: { start: '2010-01-01T03:11:33+00:00', end: '2010-01-01T03:26:33+00:00' },
    net: { value: sequence.below(50_000) / 100, currency: 'USD' },
  }));
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}
