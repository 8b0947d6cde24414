// Cleveland: one CSV row for each patient, in the hospital's own words, and the mapping that says what they mean.
import { findingCodes, heartSystem, researchStudyId, splitCode } from './code-system.ts';
import type { Hospital } from './hospital.ts';
import type { ExportedPatient, Finding } from './patient.ts';

const chestPain = ['', 'typical angina', 'atypical angina', 'non-anginal pain', 'asymptomatic'];
const electrocardiogram = ['normal', 'ST-T abnormality', 'LV hypertrophy'];
const consentWords = { active: 'signed', inactive: 'withdrawn', rejected: 'refused' } as const;

const findingColumns: Readonly<Record<Finding, string>> = {
  trestbps: 'resting_blood_pressure',
  chol: 'cholesterol',
  fbs: 'fasting_sugar_over_120',
  thalach: 'max_heart_rate',
  exang: 'exercise_angina',
  oldpeak: 'st_depression_mm',
  cp: 'chest_pain',
  restecg: 'resting_ecg',
  grade: 'angiography_grade',
};

/** The CSV file, CRLF line ends as spreadsheets write them. */
export function encodeCsv(patients: readonly ExportedPatient[]): string {
  const header = [
    'patient_number',
    'patient_name',
    'date_of_birth',
    'sex',
    'visit_date',
    ...Object.values(findingColumns),
    'cohort_part',
    'research_consent',
    'consent_date',
    'consent_valid_until',
  ];
  return [header, ...patients.map(toCells)].map((cells) => `${cells.map(quote).join(',')}\r\n`).join('');
}

function toCells(patient: ExportedPatient): string[] {
  const findings = (Object.keys(findingColumns) as Finding[]).map((name) =>
    toCell(name, patient.findings.get(name)),
  );
  return [
    patient.number,
    `${patient.family}, ${patient.given}`,
    patient.birthDate,
    patient.sex === 'male' ? 'M' : 'F',
    patient.indexDate,
    ...findings,
    patient.split ?? '',
    consentWords[patient.consent.status],
    patient.consent.statedDate,
    patient.consent.untilDate,
  ];
}

function toCell(name: Finding, value: number | undefined): string {
  if (value === undefined) return 'n/a';
  if (name === 'cp') return chestPain[value] ?? '';
  if (name === 'restecg') return electrocardiogram[value] ?? '';
  return findingCodes[name].kind === 'boolean' ? (value === 1 ? 'yes' : 'no') : String(value);
}

function quote(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/** The mapping document (docs/formats/csv-mapping.md). */
export function csvMapping(hospital: Hospital): unknown {
  const code = (name: Finding) => ({ system: findingCodes[name].system, code: findingCodes[name].code });
  const inStudy = (value: string) => ({ system: heartSystem, code: value });
  const coded = (words: readonly string[]) =>
    Object.fromEntries(words.flatMap((word, index) => (word === '' ? [] : [[word, inStudy(String(index))]])));
  const facts = (Object.keys(findingColumns) as Finding[]).map((name) => {
    const { kind, unit } = findingCodes[name];
    const base = { kind, column: findingColumns[name], code: code(name) };
    if (kind === 'quantity') return { ...base, unit };
    if (kind === 'boolean') return { ...base, values: { yes: true, no: false } };
    return { ...base, values: coded(name === 'cp' ? chestPain : electrocardiogram) };
  });
  const part = { system: splitCode.system, code: splitCode.code };
  const parts = { train: inStudy('train'), test: inStudy('test') };
  return {
    consilium: 'csv-mapping/1',
    patient: {
      identifier: 'patient_number',
      authority: hospital.authority,
      name: 'patient_name',
      birthDate: 'date_of_birth',
      sex: { column: 'sex', values: { M: 'male', F: 'female' } },
    },
    indexDate: 'visit_date',
    record: null,
    missing: ['n/a'],
    facts: [...facts, { kind: 'coded', column: 'cohort_part', code: part, values: parts }],
    consent: {
      researchStudyId,
      status: {
        column: 'research_consent',
        values: {
          signed: { status: 'active', decision: 'permit' },
          withdrawn: { status: 'inactive', decision: 'permit' },
          refused: { status: 'rejected', decision: 'deny' },
        },
      },
      stated: 'consent_date',
      from: 'consent_date',
      until: 'consent_valid_until',
    },
  };
}
