// Switzerland: the OMOP CDM 5.4 tables that are needed. Standard concepts have Athena's ids, the research study's own codes ids
// above two billion, as the CDM foresees for local concepts.
import { findingCodes, heartSystem } from './code-system.ts';
import type { ExportedPatient, Finding } from './patient.ts';

const vocabulary = 'CSL:heart-disease';
const firstLocalConcept = 2_000_000_001;
const [yes, no] = [4188539, 4188540];
const ehrType = 32817;

/** concept id, name, domain, vocabulary, class, standard, code */
type Concept = readonly [number, string, string, string, string, string, string];

const standardConcepts: readonly Concept[] = [
  [8507, 'MALE', 'Gender', 'Gender', 'Gender', 'S', 'M'],
  [8532, 'FEMALE', 'Gender', 'Gender', 'Gender', 'S', 'F'],
  [8876, 'millimeter mercury column', 'Unit', 'UCUM', 'Unit', 'S', 'mm[Hg]'],
  [8840, 'milligram per deciliter', 'Unit', 'UCUM', 'Unit', 'S', 'mg/dL'],
  [8541, 'per minute', 'Unit', 'UCUM', 'Unit', 'S', '/min'],
  [8588, 'millimeter', 'Unit', 'UCUM', 'Unit', 'S', 'mm'],
  [8523, 'ratio', 'Unit', 'UCUM', 'Unit', 'S', '{ratio}'],
  [yes, 'Yes', 'Meas Value', 'SNOMED', 'Qualifier Value', 'S', '373066001'],
  [no, 'No', 'Meas Value', 'SNOMED', 'Qualifier Value', 'S', '373067005'],
  [3004249, 'Systolic blood pressure', 'Measurement', 'LOINC', 'Clinical Observation', 'S', '8480-6'],
  [
    3027114,
    'Cholesterol [Mass/volume] in Serum or Plasma',
    'Measurement',
    'LOINC',
    'Lab Test',
    'S',
    '2093-3',
  ],
];

const localCodes = [
  'fasting-blood-sugar-above-120',
  'maximum-heart-rate',
  'exercise-angina',
  'st-depression',
  'chest-pain-type',
  'resting-ecg',
  'disease-grade',
  'split',
  'research-consent',
  '0',
  '1',
  '2',
  '3',
  '4',
  'train',
  'test',
  'permit',
  'deny',
  'active',
  'inactive',
  'rejected',
] as const;
type LocalCode = (typeof localCodes)[number];

const unitConcepts: Readonly<Record<string, number>> = {
  'mm[Hg]': 8876,
  'mg/dL': 8840,
  '/min': 8541,
  mm: 8588,
  '1': 8523,
};
const measurements: readonly Finding[] = ['trestbps', 'chol', 'thalach', 'oldpeak', 'grade'];
const observations: readonly Finding[] = ['fbs', 'exang', 'cp', 'restecg'];

function local(code: LocalCode): number {
  return firstLocalConcept + localCodes.indexOf(code);
}

function conceptOf(name: Finding): number {
  const { system, code } = findingCodes[name];
  if (system === heartSystem) return local(code as LocalCode);
  return standardConcepts.find((concept) => concept[6] === code)?.[0] ?? 0;
}

/** File name -> content. */
export function encodeOmop(patients: readonly ExportedPatient[]): ReadonlyMap<string, string> {
  return new Map([
    ['concept.csv', conceptTable()],
    ['person.csv', personTable(patients)],
    ['observation_period.csv', observationPeriodTable(patients)],
    ['measurement.csv', measurementTable(patients)],
    ['observation.csv', observationTable(patients)],
  ]);
}

function conceptTable(): string {
  const own = localCodes.map(
    (code): Concept => [local(code), code, 'Observation', vocabulary, 'Study', '', code],
  );
  return table(
    'concept_id,concept_name,domain_id,vocabulary_id,concept_class_id,standard_concept,concept_code,valid_start_date,valid_end_date,invalid_reason',
    [...standardConcepts, ...own].map((concept) => [...concept, '1970-01-01', '2099-12-31', '']),
  );
}

function personTable(patients: readonly ExportedPatient[]): string {
  return table(
    'person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth,birth_datetime,race_concept_id,ethnicity_concept_id,person_source_value,gender_source_value',
    patients.map(({ ordinal, sex, birthDate, number }) => {
      const [year, month, day] = birthDate.split('-').map(Number);
      const gender = sex === 'male' ? [8507, 'M'] : [8532, 'F'];
      return [ordinal, gender[0], year, month, day, `${birthDate} 00:00:00`, 0, 0, number, gender[1]];
    }),
  );
}

function observationPeriodTable(patients: readonly ExportedPatient[]): string {
  return table(
    'observation_period_id,person_id,observation_period_start_date,observation_period_end_date,period_type_concept_id',
    patients.map(({ ordinal, indexDate }) => [ordinal, ordinal, indexDate, indexDate, ehrType]),
  );
}

function measurementTable(patients: readonly ExportedPatient[]): string {
  const rows = patients.flatMap((patient) =>
    measurements.flatMap((name) => {
      const value = patient.findings.get(name);
      return value === undefined ? [] : [{ patient, name, value }];
    }),
  );
  return table(
    'measurement_id,person_id,measurement_concept_id,measurement_date,measurement_type_concept_id,operator_concept_id,value_as_number,value_as_concept_id,unit_concept_id,measurement_source_value,unit_source_value',
    rows.map(({ patient, name, value }, index) => {
      const unit = findingCodes[name].unit ?? '1';
      return [
        index + 1,
        patient.ordinal,
        conceptOf(name),
        patient.indexDate,
        ehrType,
        0,
        value,
        0,
        unitConcepts[unit],
        name,
        unit,
      ];
    }),
  );
}

interface ObservationRow {
  readonly patient: ExportedPatient;
  readonly concept: number;
  readonly date: string;
  readonly value: number;
  readonly text: string;
  readonly qualifier: number;
}

function observationTable(patients: readonly ExportedPatient[]): string {
  return table(
    'observation_id,person_id,observation_concept_id,observation_date,observation_type_concept_id,value_as_number,value_as_string,value_as_concept_id,qualifier_concept_id,unit_concept_id',
    patients.flatMap(observationRows).map(({ patient, concept, date, value, text, qualifier }, index) => {
      return [index + 1, patient.ordinal, concept, date, ehrType, '', text, value, qualifier, 0];
    }),
  );
}

function observationRows(patient: ExportedPatient): ObservationRow[] {
  const base = { patient, date: patient.indexDate, text: '', qualifier: 0 };
  const findings = observations.flatMap((name) => {
    const value = patient.findings.get(name);
    if (value === undefined) return [];
    const isBoolean = findingCodes[name].kind === 'boolean';
    const coded = isBoolean ? (value === 1 ? yes : no) : local(String(value) as LocalCode);
    return [{ ...base, concept: conceptOf(name), value: coded }];
  });
  const split =
    patient.split === null ? [] : [{ ...base, concept: local('split'), value: local(patient.split) }];
  const { status, statedDate, untilDate } = patient.consent;
  const decision = local(status === 'rejected' ? 'deny' : 'permit');
  const consent = {
    patient,
    concept: local('research-consent'),
    date: statedDate,
    value: decision,
    text: untilDate,
    qualifier: local(status),
  };
  return [...findings, ...split, consent];
}

function table(header: string, rows: readonly (readonly (string | number | undefined)[])[]): string {
  return [header, ...rows.map((cells) => cells.join(','))].map((line) => `${line}\n`).join('');
}
