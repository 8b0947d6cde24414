// Patients of a hospital from UCI's raw rows and FLamby's split: measured values as they are, everything that names a person made up.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Hospital } from './hospital.ts';
import { RandomSource } from './random-source.ts';

export type Finding =
  | 'trestbps'
  | 'chol'
  | 'fbs'
  | 'restecg'
  | 'thalach'
  | 'exang'
  | 'oldpeak'
  | 'cp'
  | 'grade';

export interface ExportedConsent {
  readonly status: 'active' | 'inactive' | 'rejected';
  readonly statedDate: string;
  readonly untilDate: string;
}

export interface ExportedPatient {
  readonly number: string;
  /** For resources and records of this patient. */
  readonly uuid: string;
  /** OMOP person_id, from 1. */
  readonly ordinal: number;
  readonly given: string;
  readonly family: string;
  readonly sex: 'male' | 'female';
  readonly birthDate: string;
  readonly indexDate: string;
  /** Findings that are known. */
  readonly findings: ReadonlyMap<Finding, number>;
  readonly split: 'train' | 'test' | null;
  readonly consent: ExportedConsent;
  /** Line of the raw file, from 1; null for a made-up patient. */
  readonly sourceLine: number | null;
}

const rawColumns = [
  'age',
  'sex',
  'cp',
  'trestbps',
  'chol',
  'fbs',
  'restecg',
  'thalach',
  'exang',
  'oldpeak',
  'slope',
  'ca',
  'thal',
  'grade',
];
const findings: readonly Finding[] = [
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
const dayMs = 86_400_000;
const firstIndexDay = Date.UTC(1981, 4, 1) / dayMs;
const lastIndexDay = Date.UTC(1987, 8, 30) / dayMs;
const openEnd = '2060-12-31';

/** Consents of the made-up patients: none of them permits anything today. */
const refusedConsents: readonly Pick<ExportedConsent, 'status' | 'untilDate'>[] = [
  { status: 'inactive', untilDate: openEnd },
  { status: 'inactive', untilDate: openEnd },
  { status: 'rejected', untilDate: openEnd },
  { status: 'active', untilDate: '1999-12-31' },
  { status: 'active', untilDate: '2009-06-30' },
  { status: 'active', untilDate: '2020-12-31' },
];

/** Every patient of the raw file in its order, then the made-up ones. @param assets folder of the research study */
export function readPatients(hospital: Hospital, assets: string): ExportedPatient[] {
  const split = readSplit(hospital, assets);
  const raw = readFileSync(path.join(assets, 'raw', hospital.rawFile), 'utf8')
    .trimEnd()
    .split('\n');
  const values = raw.map((line) => parseRaw(line));
  const random = new RandomSource(hospital.siteId);
  const real = values.map((row, index) => {
    const sourceLine = index + 1;
    return makePatient(row, {
      hospital,
      random,
      ordinal: sourceLine,
      sourceLine,
      split: split.get(sourceLine) ?? null,
    });
  });
  const madeUp = refusedConsents.map((consent, index) => {
    const patient = makePatient(inventRow(random, hospital), {
      hospital,
      random,
      ordinal: real.length + index + 1,
      sourceLine: null,
      split: index % 2 === 0 ? 'train' : 'test',
    });
    return { ...patient, consent: { ...patient.consent, ...consent } };
  });
  return [...real, ...madeUp];
}

function parseRaw(line: string): Map<string, number> {
  const cells = line.split(',').map((cell) => cell.trim());
  if (cells.length !== rawColumns.length) throw new Error('a raw row does not have 14 cells');
  return new Map(
    cells.flatMap((cell, index) => (cell === '?' ? [] : [[rawColumns[index] ?? '', Number(cell)] as const])),
  );
}

function readSplit(hospital: Hospital, assets: string): Map<number, 'train' | 'test'> {
  const [header = '', ...lines] = readFileSync(path.join(assets, 'heart_flamby_split.csv'), 'utf8')
    .trimEnd()
    .split('\n');
  const columns = header.trim().split(',');
  const at = (name: string): number => columns.indexOf(name);
  const rows = lines
    .map((line) => line.trim().split(','))
    .filter((cells) => cells[at('hospital')] === hospital.splitName);
  return new Map(
    rows.map((cells) => [
      Number(cells[at('source_line')]),
      cells[at('split')] === 'train' ? 'train' : 'test',
    ]),
  );
}

interface PatientContext {
  readonly hospital: Hospital;
  readonly random: RandomSource;
  readonly ordinal: number;
  readonly sourceLine: number | null;
  readonly split: 'train' | 'test' | null;
}

function makePatient(row: ReadonlyMap<string, number>, context: PatientContext): ExportedPatient {
  const { hospital, random, ordinal, sourceLine, split } = context;
  const sex = row.get('sex') === 1 ? 'male' : 'female';
  const indexDay = firstIndexDay + random.below(lastIndexDay - firstIndexDay + 1);
  const digits = (): string => String(100 + random.below(900));
  return {
    number: `${hospital.numberPrefix}${String(100_000 + ordinal * 7 + random.below(7))}`,
    uuid: random.uuid(),
    ordinal,
    // Digits in a name say at once that nobody is called that.
    given: `${random.pick(sex === 'male' ? hospital.maleNames : hospital.femaleNames)}${digits()}`,
    family: `${random.pick(hospital.familyNames)}${digits()}`,
    sex,
    birthDate: birthDateFor(row.get('age') ?? 0, indexDay, random.below(360)),
    indexDate: isoDate(indexDay),
    findings: new Map(
      findings.flatMap((name) => (row.has(name) ? [[name, row.get(name) ?? 0] as const] : [])),
    ),
    split,
    consent: { status: 'active', statedDate: isoDate(indexDay), untilDate: openEnd },
    sourceLine,
  };
}

/** A birth date that makes a person `age` years old on the index day, `daysSince` days after the birthday. */
function birthDateFor(age: number, indexDay: number, daysSince: number): string {
  const birthday = new Date((indexDay - daysSince) * dayMs);
  // 29 February is no birthday in most years.
  const day = birthday.getUTCMonth() === 1 && birthday.getUTCDate() === 29 ? 28 : birthday.getUTCDate();
  return isoDate(Date.UTC(birthday.getUTCFullYear() - age, birthday.getUTCMonth(), day) / dayMs);
}

function isoDate(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}

/** Plausible, complete values: such a patient would be in the cohort if the consent allowed it. */
function inventRow(random: RandomSource, hospital: Hospital): Map<string, number> {
  return new Map([
    ['age', 40 + random.below(30)],
    ['sex', random.below(2)],
    ['cp', 1 + random.below(4)],
    ['trestbps', 110 + 2 * random.below(30)],
    ['chol', hospital.siteId === 'switzerland' ? 0 : 180 + random.below(120)],
    ['fbs', random.below(2)],
    ['restecg', random.below(3)],
    ['thalach', 100 + random.below(80)],
    ['exang', random.below(2)],
    ['oldpeak', random.below(40) / 10],
    ['grade', random.below(hospital.siteId === 'hungary' ? 2 : 5)],
  ]);
}
